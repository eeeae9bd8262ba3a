"""The embedded default: web server, Celery worker and beat as threads of one process.

Each part is started once and stopped once, from the main thread, which alone hears signals. A part whose thread has
ended by itself is dead, and with it the process has no business to go on.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any, Protocol

from celery import beat
from celery.worker import WorkController
from celery.worker import state as worker_state
from waitress import wasyncore
from waitress.server import create_server

from workflows.runtime import dispatch

log = logging.getLogger("finaegis.embedded")

#: Threads of the web server and of the worker.
WEB_THREADS = 8
WORKER_THREADS = 4
#: How long the web server lets requests in hand finish.
_LAST_REQUESTS = 3.0


class Part(Protocol):
    """Something that runs in a thread of its own."""

    thread: threading.Thread

    def start(self) -> None:
        """Begin; returns at once."""

    def ask_to_stop(self) -> None:
        """Tell it to end after what is in hand; returns at once or nearly so."""


class Worker:
    """A Celery worker with a pool of threads. It drives runs; the broker may be in memory."""

    def __init__(self, app: Any) -> None:
        # WorkController, not app.Worker: that one installs signal handlers, which only the main thread may.
        dispatch.subscribe(app)
        self._controller = WorkController(
            app=app,
            pool="threads",
            concurrency=WORKER_THREADS,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self.thread = _thread("worker", self._controller.start)

    def start(self) -> None:
        worker_state.should_stop = None
        self.thread.start()

    def ask_to_stop(self) -> None:
        worker_state.should_stop = 0  # type: ignore[assignment]  # the stubs know only its first value


class Beat:
    """Celery beat with the scheduler that the app names; its entries are rows of the database."""

    def __init__(self, app: Any) -> None:
        self._service = beat.Service(app, scheduler_cls=app.conf.beat_scheduler)
        self.thread = _thread("beat", self._service.start)

    def start(self) -> None:
        self.thread.start()

    def ask_to_stop(self) -> None:
        self._service.stop(wait=False)


class Web:
    """The WSGI application on a socket that already listens."""

    def __init__(self, application: Any, listening: socket.socket) -> None:
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            application, map=self._sockets, sockets=[listening], threads=WEB_THREADS, ident="", log_socket_errors=False
        )
        self.thread = _thread("web", self._server.run)

    def start(self) -> None:
        self.thread.start()

    def ask_to_stop(self) -> None:
        self._server.task_dispatcher.shutdown(timeout=_LAST_REQUESTS)
        # In the server's own thread; also connections that clients keep alive, else its loop would go on.
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._sockets, ignore_all=True))


def _thread(name: str, target: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            target()
        except Exception:
            log.exception("the %s thread failed", name)

    return threading.Thread(target=run, name=f"finaegis-{name}", daemon=True)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError when the address is taken, before anything else is begun."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening
