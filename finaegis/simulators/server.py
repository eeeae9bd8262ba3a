"""The simulators over HTTP: routes to functions, keys and bodies in, answers and errors out, as a third party speaks.

The wire, which `finaegis.shared.third_party.Client` speaks from the other end:

- a POST needs the header `Idempotency-Key` and a JSON body, an inquiry is a GET with the key as the path's last part;
- every call needs `Authorization: Bearer TOKEN`;
- 200 carries the answer, 4xx `{"code": "..."}` a refusal, 503 "not taken", 500 "failed";
- where the outcome shall be unknown to the caller, the connection is closed without an answer.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import unquote

from django.db import connections
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Refused, Unavailable

log = logging.getLogger("finaegis.simulators")

T = TypeVar("T")

_MAXIMUM_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A call that came in: the idempotency key (of the header, or of the path for an inquiry) and the body as sent."""

    party: str
    key: str
    content: bytes

    def body(self, expected: type[T]) -> T:
        """The body as an `expected`; refuses one that is none, without repeating it."""
        try:
            return TypeAdapter(expected).validate_json(self.content)
        except ValidationError:
            raise Refused(party=self.party, call="", code="invalid_body", status=422) from None


@dataclass(frozen=True, slots=True)
class Route:
    """`path` below the party's name; `{key}` in it stands for the key of an inquiry or a recall."""

    method: str
    party: str
    path: str
    act: Callable[[Call], Any]

    @property
    def pattern(self) -> re.Pattern[str]:
        prefix = f"/{self.party.replace('_', '-')}/"
        return re.compile(re.escape(prefix + self.path).replace(re.escape("{key}"), "(?P<key>[^/]+)"))


class ThirdPartyServer(ThreadingHTTPServer):
    """Serves routes on an address, each call in a thread of its own; closing waits for the calls in hand."""

    daemon_threads = False

    def __init__(self, address: tuple[str, int], *, routes: Sequence[Route], token: str) -> None:
        super().__init__(address, _Handler)
        self.routes = tuple(routes)
        self.token = token

    def url_of(self, party: str) -> str:
        """The address of one third party, as an adapter's settings take it."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/{party.replace('_', '-')}/"

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As the base, but the thread's database connections end with it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Handler(BaseHTTPRequestHandler):
    """One call."""

    server: ThirdPartyServer
    #: A client that says nothing keeps its thread no longer than this (seconds).
    timeout = 30
    server_version = "simulators"
    sys_version = ""

    def do_GET(self) -> None:
        """An inquiry."""
        self._serve("GET")

    def do_POST(self) -> None:
        """A call with an effect."""
        self._serve("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """The request line, which never holds a secret; bodies and headers are not logged."""
        log.info(format, *args)

    def _serve(self, method: str) -> None:
        try:
            status, answer = self._answer(method)
        except OutcomeUnknown:
            self.close_connection = True
            return
        content = to_json(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, method: str) -> tuple[int, Any]:
        try:
            act, call = self._understood(method)
            return 200, act(call)
        except NotTaken:
            return 503, {"code": "not_now"}
        except Unavailable:
            return 500, {"code": "failed"}
        except Refused as refusal:
            return refusal.status, {"code": refusal.code}
        except OutcomeUnknown:
            raise
        except Exception:
            log.exception("a simulator failed")
            return 500, {"code": "failed"}

    def _understood(self, method: str) -> tuple[Callable[[Call], Any], Call]:
        """What is asked for, and with what; raises `Refused` where that cannot be told."""
        content = self._content()
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            raise Refused(party="", call="", code="unauthorised", status=401)
        for route in self.server.routes:
            found = route.pattern.fullmatch(self.path)
            if found is None or route.method != method:
                continue
            key = unquote(str(found.groupdict().get("key") or self.headers.get("Idempotency-Key", "")))
            if not key:
                raise Refused(party=route.party, call="", code="idempotency_key_missing", status=400)
            return route.act, Call(party=route.party, key=key, content=content)
        raise Refused(party="", call="", code="not_found", status=404)

    def _content(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAXIMUM_BODY:
            raise Refused(party="", call="", code="body_too_long", status=413)
        return self.rfile.read(int(length))
