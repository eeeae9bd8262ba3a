"""Starts and stops a real system: a Postgres database, Redis, beat, workers, and a client process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

POSTGRES = os.environ.get("DATABASE_URL_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("REDIS_URL_TEST", "redis://127.0.0.1:6379/5")
ROOT = Path(__file__).resolve().parents[2]
LEASE = 2.0


def require_services() -> None:
    """Skip where Postgres or Redis cannot be reached, and say which variable to set; fail where CI promises them."""
    problems = []
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.Error as error:
        problems.append(f"needs Postgres: set DATABASE_URL_POSTGRES ({error})")
    try:
        with closing(redis.Redis.from_url(REDIS, socket_connect_timeout=3)) as client:
            client.ping()
    except redis.RedisError as error:
        problems.append(f"needs Redis: set REDIS_URL_TEST ({error})")
    if problems and os.environ.get("CI") == "true":
        pytest.fail("; ".join(problems))
    if problems:
        pytest.skip("; ".join(problems))


@dataclass
class System:
    """A running system of its own database and queue. `faults` is the folder where faults are armed."""

    name: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    client: subprocess.Popen[str] | None = None

    @property
    def faults(self) -> Path:
        return self.folder / "faults"

    @property
    def env(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "BROKER_URL")}
        base = POSTGRES.rsplit("/", 1)[0]
        return kept | {
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "finaegis.settings.test"),
            "DATABASE_URL": f"{base}/{self.name}",
            "BROKER_URL": REDIS,
            "REDIS_URL": REDIS,
            "CELERY_QUEUE": self.name,
            "WORKFLOWS_LEASE": str(LEASE),
            "WORKFLOWS_FAULTS_DIR": str(self.faults),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }

    def start(self, *, workers: int, beat: bool = True) -> None:
        """Create the database, migrate, and start client, beat and workers."""
        self.faults.mkdir(parents=True)
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {self.name}")
        self._run("migrate", "-v", "0")
        self._run("load_instruments")
        self.client = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.client"],
            cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.ask("prepare")
        if beat:
            self.start_beat()
        for number in range(workers):
            self.start_worker(number)

    def _run(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, check=True)

    def _celery(self, log: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "tests.faults.worker_app", *arguments],
                cwd=ROOT, env=self.env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self._celery("beat.log", "beat", "-l", "INFO")

    def start_worker(self, number: int) -> subprocess.Popen[bytes]:
        return self._celery(
            f"worker{number}.log", "worker", "-l", "INFO", "-c", "1", "-n", f"w{number}@{self.name}",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self.client is not None:
            self.client.kill()
            self.client.wait()
            for pipe in (self.client.stdin, self.client.stdout):
                if pipe is not None:
                    pipe.close()
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def ask(self, name: str, /, **arguments: Any) -> Any:
        """Call a function of the client process."""
        assert self.client is not None and self.client.stdin is not None and self.client.stdout is not None
        self.client.stdin.write(json.dumps([name, arguments]) + "\n")
        self.client.stdin.flush()
        answer = json.loads(self.client.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["answer"]

    def arm(self, point: str, act: str) -> None:
        """Arm one fault; whoever passes the point first takes it."""
        fresh = self.folder / "arming"
        fresh.write_text(act)
        fresh.rename(self.faults / point)

    def taken(self, point: str) -> list[int]:
        """The processes that met an armed fault."""
        return [int(path.name.rsplit("-", 1)[1]) for path in self.faults.glob(f"{point}.taken-*")]

    def wait_for(self, condition: Callable[[], Any], *, seconds: float = 30, what: str = "") -> Any:
        """The first true value of `condition`; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.logs()}")
            time.sleep(0.05)

    def wait_closed(self, run_id: str, *, seconds: float = 30) -> dict[str, Any]:
        """The run once it is closed or held."""
        open_ = ("pending", "running", "waiting", "compensating")

        def closed() -> dict[str, Any] | None:
            run: dict[str, Any] = self.ask("show", run_id=run_id)
            return run if run["status"] not in open_ else None

        found: dict[str, Any] = self.wait_for(closed, seconds=seconds, what=f"run {run_id} closed")
        return found

    def logs(self) -> str:
        """The end of every log, for a failing test's message."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in self.folder.glob("*.log"))
