"""A real `manage.py up` in a folder of its own, and a second shell beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_UP = re.compile(r"^FinAegis is up: (http://127\.0\.0\.1:\d+)/admin/.*$", re.MULTILINE)
_NOT_INHERITED = ("DATABASE_URL", "BROKER_URL", "REDIS_URL", "DEBUG", "SECRET_KEY", "CELERY_QUEUE")


@dataclass
class Server:
    """`manage.py up` on SQLite below `folder`, with a short lease."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _log: Path = field(init=False)

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        return kept | {
            "DJANGO_SETTINGS_MODULE": "finaegis.settings.dev",
            "DATA_DIR": str(self.folder / "data"),
            "WORKFLOWS_LEASE": "2",
        }

    def start(self) -> None:
        """Begin, and return once it has said that it is up."""
        self.starts += 1
        self._log = self.folder / f"up{self.starts}.log"
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--demo", "small", "--port", "0"],
                cwd=ROOT,
                env=self.env,
                stdout=out,
                stderr=out,
            )
        self.wait_for(lambda: _UP.search(self.log), what="the server to be up")

    def ensure_up(self) -> Server:
        if self.process is None or self.process.poll() is not None:
            self.start()
        return self

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def last_line(self) -> str:
        return self.log.splitlines()[-1]

    @property
    def url(self) -> str:
        found = _UP.search(self.log)
        assert found is not None
        return found[1]

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def runs(self) -> dict[str, int]:
        """How many runs there are by state, as /metrics tells."""
        lines = re.findall(r'^finaegis_runs\{state="(\w+)",.*\} (\d+)', self.get("/metrics")[1], re.MULTILINE)
        found: Counter[str] = Counter()
        for state, number in lines:  # one line for each type of workflow
            found[state] += int(number)
        return dict(found)

    def shell(self, *arguments: str, code: int = 0) -> str:
        """`manage.py ARGUMENTS` in a second shell; gives what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    def workflow(self, *arguments: str) -> Any:
        """`manage.py workflow ARGUMENTS --json` in a second shell."""
        return json.loads(self.shell("workflow", *arguments, "--json"))

    def signal(self, number: signal.Signals) -> int:
        """Send a signal and give the exit code, once the process has ended."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def wait_for(self, condition: Callable[[], Any], *, seconds: float = 40, what: str) -> Any:
        """The first true value of `condition`; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {what}\n{self.log}")
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
