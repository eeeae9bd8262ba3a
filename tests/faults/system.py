"""Starts and stops a real system: a Postgres database, a broker, beat, workers, and a client process."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import services
from tests.faults.services import POSTGRES, REDIS, require_services

__all__ = ["LEASE", "POSTGRES", "REDIS", "ROOT", "System", "require_services"]

ROOT = Path(__file__).resolve().parents[2]
LEASE = 2.0
WORKER_APP = "tests.faults.worker_app"
#: The queues that activities of these tests name.
QUEUES = ("elsewhere",)
OPEN = ("pending", "running", "waiting", "compensating")

_templates: dict[str, str] = {}


@dataclass
class System:
    """A running system of its own database and queue. `faults` is the folder where faults are armed.

    Its processes end with the one that made it.

    `results` is the Redis that keeps the results of tasks; without one there are no chords. `doubled` and `lost` are
    percentages of the messages that anybody sends. A `lease` is in seconds.
    """

    name: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    beats: list[subprocess.Popen[bytes]] = field(default_factory=list)
    client: subprocess.Popen[str] | None = None
    broker: str = REDIS
    results: str | None = REDIS
    lease: float = LEASE
    doubled: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        self.name = f"{self.name}_{secrets.token_hex(4)}"  # of this run of tests alone: another may stand beside it

    @property
    def faults(self) -> Path:
        return self.folder / "faults"

    @property
    def env(self) -> dict[str, str]:
        taken = ("DATABASE_URL", "BROKER_URL", "REDIS_URL")
        kept = {key: value for key, value in os.environ.items() if key not in taken}
        given = kept | {
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "finaegis.settings.test"),
            "DATABASE_URL": self._database_url(self.name),
            "BROKER_URL": self.broker,
            "CELERY_QUEUE": self.name,
            "WORKFLOWS_LEASE": str(self.lease),
            "WORKFLOWS_FAULTS_DIR": str(self.faults),
            "FAULTS_DOUBLED": str(self.doubled),
            "FAULTS_LOST": str(self.lost),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        return given | ({"REDIS_URL": self.results} if self.results is not None else {})

    @staticmethod
    def _database_url(name: str) -> str:
        return f"{POSTGRES.rsplit('/', 1)[0]}/{name}"

    # --- Starting and stopping ---------------------------------------------------------------------------------------

    def start(self, *, workers: int, beat: bool = True) -> None:
        """Create the database, and start client, beat and workers."""
        self.faults.mkdir(parents=True)
        self._forget_queues()
        services.create_database(self.name, template=self._template())
        self.client = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.client"],
            cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if beat:
            self.start_beat()
        for number in range(workers):
            self.start_worker(number)
        self.ask("prepare")

    def _template(self) -> str:
        """A migrated database that all systems of this process are copies of: migrating takes seconds."""
        if "name" not in _templates:
            name = f"{self.name}_template"
            services.create_database(name)
            for arguments in (("migrate", "-v", "0"), ("load_instruments",)):
                subprocess.run(
                    [sys.executable, "manage.py", *arguments],
                    cwd=ROOT, env=self.env | {"DATABASE_URL": self._database_url(name)}, check=True,
                )  # fmt: skip
            _templates["name"] = name
            atexit.register(services.drop_database, name)
        return _templates["name"]

    def _forget_queues(self) -> None:
        services.forget_queues(self.broker, [self.name, *(f"{self.name}.{queue}" for queue in QUEUES)])

    def _celery(self, log: str, app: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.bounded", str(os.getpid()), "-A", app, *arguments],
                cwd=ROOT, env=self.env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def start_beat(self, number: int = 0) -> subprocess.Popen[bytes]:
        self.beats.append(self._celery(f"beat{number}.log", WORKER_APP, "beat", "-l", "INFO"))
        return self.beats[-1]

    def start_worker(self, number: int, *, app: str = WORKER_APP) -> subprocess.Popen[bytes]:
        """One worker of one process. It does its start-up meanwhile."""
        return self._celery(
            f"worker{number}.log", app, "worker", "-l", "INFO", "-c", "1", "-n", f"w{number}@{self.name}",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip

    def end(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
        """Send a beat or a worker a signal that ends it, and wait until it is gone."""
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        process.wait(timeout=60)

    def wait_ready(self, *numbers: int) -> None:
        """Wait until workers take messages."""
        logs = [self.folder / f"worker{number}.log" for number in numbers]
        self.wait_for(lambda: all(" ready." in log.read_text() for log in logs), seconds=60, what="workers are ready")

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:  # the number of one that has ended may be somebody else's by now
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGCONT)
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self.client is not None:
            self.client.kill()
            self.client.wait()
            for pipe in (self.client.stdin, self.client.stdout):
                if pipe is not None:
                    pipe.close()
        self._forget_queues()
        services.drop_database(self.name)

    # --- Asking ------------------------------------------------------------------------------------------------------

    def ask(self, name: str, /, **arguments: Any) -> Any:
        """Call a function of the client process."""
        assert self.client is not None and self.client.stdin is not None and self.client.stdout is not None
        self.client.stdin.write(json.dumps([name, arguments]) + "\n")
        self.client.stdin.flush()
        answer = json.loads(self.client.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["answer"]

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

        def closed() -> dict[str, Any] | None:
            run: dict[str, Any] = self.ask("show", run_id=run_id)
            return run if run["status"] not in OPEN else None

        found: dict[str, Any] = self.wait_for(closed, seconds=seconds, what=f"run {run_id} closed")
        return found

    def wait_entries(self, run_id: str, kind: str, /, *, seconds: float = 30, **data: Any) -> list[dict[str, Any]]:
        """The history's entries of a kind with these data, once there is one."""

        def found() -> list[dict[str, Any]]:
            entries: list[dict[str, Any]] = self.ask("history", run_id=run_id)
            return [entry for entry in entries if entry["kind"] == kind and data.items() <= entry["data"].items()]

        entries: list[dict[str, Any]] = self.wait_for(found, seconds=seconds, what=f"{kind} {data} in {run_id}")
        return entries

    # --- Faults ------------------------------------------------------------------------------------------------------

    def arm(self, point: str, act: str) -> None:
        """Arm one fault; whoever passes the point first takes it. Who took one there before is forgotten."""
        for path in self.faults.glob(f"{point}.taken-*"):
            path.unlink()
        fresh = self.folder / "arming"
        fresh.write_text(act)
        fresh.rename(self.faults / point)

    def taken(self, point: str) -> list[int]:
        """The processes that met an armed fault."""
        return [int(path.name.rsplit("-", 1)[1]) for path in self.faults.glob(f"{point}.taken-*")]

    def gate(self, label: str) -> str:
        """The path of a gate at which activities wait (`flows.pass_gate`)."""
        return str(self.folder / f"gate-{label}")

    def wait_entered(self, gate: str, *, number: int = 1, seconds: float = 30) -> list[int]:
        """The processes in which an activity waits at the gate, once there are so many."""

        def entered() -> list[int]:
            paths = list(Path(gate).parent.glob(f"{Path(gate).name}.entered-*"))
            return [int(path.name.rsplit("-", 1)[1]) for path in paths] if len(paths) >= number else []

        found: list[int] = self.wait_for(entered, seconds=seconds, what=f"{number} activities wait at {gate}")
        return found

    @staticmethod
    def open(gate: str) -> None:
        """Let pass whoever waits at the gate, now and later."""
        Path(gate).touch()

    def logs(self) -> str:
        """The end of every log, for a failing test's message."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in self.folder.glob("*.log"))
