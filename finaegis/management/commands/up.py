"""`manage.py up`: console, REST, worker and beat in one process, with demo data: the embedded default.

SQLite and a broker in memory unless the environment names others. For development; production runs its processes
apart (docs/operations.md).
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import warnings
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection
from django.utils.module_loading import import_string

from finaegis.management import demo
from finaegis.management.embedded import Beat, Part, Web, Worker, listen
from workflows.operations.waiting import wait_until_closed
from workflows.runtime import process, recovery

log = logging.getLogger("finaegis.up")

#: How long the demo runs may take: longer than it takes to take them over from a process that was killed.
_DEMO_PATIENCE = timedelta(seconds=60)
_GLANCE = timedelta(seconds=0.5)
#: How long the parts may take to end, together; the whole stop stays below 20 s.
_STOP_PATIENCE = 12.0


class Command(BaseCommand):
    """Serve everything until SIGTERM or SIGINT, then end with exit code 0 within 20 seconds."""

    help = "Migrate, load demo data, and serve console, API, worker and beat in one process."
    requires_system_checks = []  # the database may not be there yet; migrate runs the checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port to serve at (default 8000)")
        parser.add_argument(
            "--demo", choices=("full", "small"), default="full", help="small: users, accounts and the first runs alone"
        )
        parser.add_argument("--host", default="127.0.0.1", help="address to serve at (default 127.0.0.1)")

    def handle(self, *args: Any, **options: Any) -> None:
        demo.refuse_outside_development()
        host, port = options["host"], options["port"]
        try:
            listening = listen(host, port)
        except (OSError, OverflowError) as error:
            raise CommandError(f"cannot serve at {host}:{port}: {error}; choose another with PORT=") from error
        self._configure_log(options["verbosity"])
        self._say_what_is_used()
        stopping = _stop_on_signals()
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            raise CommandError(f"the database cannot be used: {str(error).strip()}") from error
        if not settings.BROKER_URL:
            recovery.wake_at_once()  # hints of the process before went down with its memory
        application = get_wsgi_application()
        if not os.environ.get("PUBLIC_URL"):
            # Links in mails lead to where this process serves.
            port = listening.getsockname()[1]
            settings.WALLET = settings.WALLET | {"PUBLIC_URL": f"http://{_as_url_host(host)}:{port}"}
        app = import_string(settings.WORKFLOWS["CELERY_APP"])
        telling: threading.Thread | None = None
        parts: list[Part] = [Worker(app), Beat(app), Web(application, listening)]
        for part in parts:
            part.start()
        try:
            self._seed(stopping)
            if not stopping.is_set():
                welcome = (
                    f"FinAegis is up: http://{_as_url_host(host)}:{listening.getsockname()[1]}/admin/"
                    f"  logins: {' '.join(demo.LOGINS)}, password {demo.PASSWORD}"
                )
                self._say(welcome)
                if options["demo"] == "full":
                    telling = threading.Thread(target=self._tell, args=(stopping, welcome), name="demo", daemon=True)
                    telling.start()
            lost = _wait(parts, stopping)
        finally:
            connection.close()
            if telling is not None:
                telling.join(_STOP_PATIENCE / 4)
            ended = _stop(parts)
        self._leave(ended=ended, lost=lost)

    def _configure_log(self, verbosity: int) -> None:
        level = logging.WARNING if verbosity < 2 else logging.INFO
        logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        # It misses a host name even where the broker is in memory and has none.
        logging.getLogger("kombu.connection").setLevel(logging.ERROR)
        # Files are served from where the apps keep them; nothing needs to have been collected.
        warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _say_what_is_used(self) -> None:
        database, broker = settings.DATABASES["default"], settings.BROKER_URL
        if os.environ.get("DATABASE_URL"):
            place = f"{database.get('HOST') or 'local'}/{database['NAME']}"
            self._say(f"database: {place} ({connection.vendor}), from DATABASE_URL")
        else:
            self._say(f"database: {database['NAME']} (sqlite)")
        self._say(f"broker: {_without_password(broker)}, from BROKER_URL" if broker else "broker: in memory")

    def _seed(self, stopping: threading.Event) -> None:
        """Write the demo data and let the worker bring its runs to their end."""
        seeded = demo.seed()
        deadline = time.monotonic() + _DEMO_PATIENCE.total_seconds()
        for run_id in seeded.settling:
            if not _wait_for(run_id, deadline, stopping):
                log.warning("demo run %s has not ended yet", run_id)

    def _tell(self, stopping: threading.Event, welcome: str) -> None:
        """Tell the demo's stories while the server serves; what was told before is there already.

        The welcome comes again at the end: the mails of the story have pushed the first one out of sight.
        """
        try:
            demo.tell(demo.Watching(stopping.is_set))
        except demo.Stopped:
            pass  # the next start goes on where this one ended
        except Exception:
            log.exception("the demo data is not complete; `manage.py seed_demo` writes what is missing")
        else:
            self._say("demo data: applications, order flow, withdrawals, treasury and reports are there")
            self._say(welcome)
        finally:
            connection.close()

    def _leave(self, *, ended: bool, lost: bool) -> None:
        self._say("FinAegis has stopped")
        code = 1 if lost else 0
        if not ended:
            # A step that does not end would keep the interpreter waiting for its thread; its run goes on elsewhere.
            log.warning("a step did not end in time; its run will be taken over")
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        if lost:
            raise CommandError("a part of the server ended by itself; see the log")


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _wait_for(run_id: UUID, deadline: float, stopping: threading.Event) -> bool:
    while not stopping.is_set() and time.monotonic() < deadline:
        if wait_until_closed(run_id, _GLANCE).closed_at is not None:
            return True
    return stopping.is_set()


def _wait(parts: list[Part], stopping: threading.Event) -> bool:
    """Return once a signal came (False) or a part has died (True)."""
    while not stopping.wait(1.0):
        if not all(part.thread.is_alive() for part in parts):
            return True
    return False


def _stop(parts: list[Part]) -> bool:
    """End every part; False when one did not end in time. Runs in hand are let go after their step."""
    process.leave()
    deadline = time.monotonic() + _STOP_PATIENCE
    for part in parts:
        part.ask_to_stop()
    for part in parts:
        part.thread.join(max(0.0, deadline - time.monotonic()))
    process.stop()
    connection.close()
    return not any(part.thread.is_alive() for part in parts)


def _without_password(url: str) -> str:
    scheme, found, rest = url.partition("://")
    return f"{scheme}{found}{rest.rpartition('@')[2]}"


def _as_url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
