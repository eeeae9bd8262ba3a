"""The REST door of a real system as its users see it: a web server, tokens, and JSON over a socket."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from typing import Any

from finaegis.management.demo.basics import PASSWORD
from tests.faults.system import ROOT, System


class HttpDoor:
    """A web server on a system's database; calls are made in the name of a demo user."""

    def __init__(self, system: System) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._tokens: dict[str, str] = {}
        with (system.folder / "web.log").open("ab") as out:
            server = subprocess.Popen(
                [
                    sys.executable, "-m", "gunicorn", "finaegis.wsgi:application", "--bind", self._address,
                    "--no-control-socket", "--threads", "4",
                ],
                cwd=ROOT, env=system.env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        system.processes.append(server)
        system.wait_for(self._is_there, seconds=60, what="the web server answers")

    def post(self, user: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body of an answer that accepts."""
        answer = self._call(user, "POST", path, body)
        assert isinstance(answer, dict)
        return answer

    def get(self, user: str, path: str) -> Any:
        """What the door shows."""
        return self._call(user, "GET", path, None)

    def _is_there(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/health/live", timeout=5):
                return True
        except OSError:
            return False

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            basic = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
            self._tokens[user] = self._send("POST", "auth/token/", f"Basic {basic}", {})["token"]
        return self._tokens[user]

    def _call(self, user: str, method: str, path: str, body: dict[str, Any] | None) -> Any:
        return self._send(method, path, f"Token {self._token(user)}", body)

    def _send(self, method: str, path: str, authorization: str, body: dict[str, Any] | None) -> Any:
        headers = {
            "Authorization": authorization, "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())
        }  # fmt: skip
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self._address}/api/v1/{path}", data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from refusal
