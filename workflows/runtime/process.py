"""This process as a driver: its liveness row, renewed from a thread and connection of its own (SEMANTICS C16).

A process that was silent longer than a lease comes back under a new identity, and every lease it held counts as lost:
that is checked locally (monotonic time) before each call outside.
"""

from __future__ import annotations

import logging
import mmap
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field

from django.db import connection

from workflows import clock, conf
from workflows.core.definitions import registry
from workflows.core.errors import EngineError
from workflows.models import Process
from workflows.store import unlock
from workflows.store.database_time import database_after, database_now

log = logging.getLogger("workflows.process")


class LostLease(EngineError):
    """This process no longer drives the run; another may. Nothing more is written."""

    code = "lease_lost"


@dataclass(slots=True)
class Identity:
    """One liveness row. `renewed` is local monotonic time of the last renewal that the database confirmed."""

    id: uuid.UUID
    pid: int
    capabilities: list[str]
    renewed: float
    lapsed: bool = False
    #: Whether a thread renews it; without one (commands, tests) it never lapses by itself.
    renewing: bool = True

    def check(self) -> None:
        """Raise LostLease unless this identity is certainly still believed alive."""
        if self.lapsed or (self.renewing and time.monotonic() - self.renewed > conf.engine().lease.total_seconds()):
            self.lapsed = True
            raise LostLease


@dataclass
class _State:
    identity: Identity | None = None
    thread: threading.Thread | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    abandoned: list[tuple[uuid.UUID, uuid.UUID, int]] = field(default_factory=list)
    #: Set when this process is shutting down: nothing new is claimed, runs are let go after the step in hand.
    leaving: bool = False


_state = _State()
#: One byte that forked processes share with the one they came from: only that one hears of a worker's shutdown.
_everybody_leaves = mmap.mmap(-1, 1)


def current() -> Identity:
    """This process's identity; the first call writes its row and starts the renewing thread."""
    with _state.lock:
        known = _state.identity
        if known is None or known.pid != os.getpid():
            _after_fork()
            known = _state.identity = _register(renewing=True)
            _state.thread = threading.Thread(target=_renew_forever, name="workflows-liveness", daemon=True)
            _state.thread.start()
        elif known.lapsed:
            known = _state.identity = _register(renewing=known.renewing)
        return known


def inline() -> Identity:
    """An identity without a renewing thread, for the test kit: it lives as long as its row says, a day."""
    return _register(renewing=False)


def use(identity: Identity | None) -> Identity | None:
    """Put an identity in place of this process's own (test kit); gives the one before."""
    with _state.lock:
        before, _state.identity = _state.identity, identity
        return before


def _after_fork() -> None:
    """A forked child has the parent's state but none of its threads."""
    _state.stopping = threading.Event()
    _state.abandoned = []
    _state.leaving = False


def _register(*, renewing: bool) -> Identity:
    started = time.monotonic()
    capabilities = registry.capabilities()
    lease = conf.engine().lease
    row = Process.objects.create(
        id=uuid.uuid4(),
        host=socket.gethostname()[:255],
        pid=os.getpid(),
        capabilities="\n".join(capabilities),
        started_at=clock.now(),
        expires_at=database_after(lease if renewing else lease * 8640),
    )
    return Identity(row.id, os.getpid(), capabilities, started, renewing=renewing)


def _renew_forever() -> None:
    stopping = _state.stopping
    while not stopping.wait(conf.engine().lease.total_seconds() / 3):
        try:
            renew()
            _release_abandoned()
        except Exception as error:  # the database is away: try again, and lapse if it stays away
            log.warning("liveness was not renewed: %s", error)
            connection.close()
    connection.close()


def renew() -> None:
    """Renew this process's row; an identity that was silent for a lease is replaced by a new one."""
    known = _state.identity
    if known is None:
        return
    before = time.monotonic()
    lease = conf.engine().lease
    if before - known.renewed > lease.total_seconds():
        known.lapsed = True
    if not known.lapsed:
        alive = Process.objects.filter(pk=known.id, expires_at__gt=database_now())
        if alive.update(expires_at=database_after(lease)):
            known.renewed = before
            return
        known.lapsed = True
    log.warning("process %s was silent for a lease; it goes on under a new identity", known.id)
    with _state.lock:
        if _state.identity is known:
            _state.identity = _register(renewing=True)


def abandon(run_id: uuid.UUID, driver: uuid.UUID, fence: int) -> None:
    """Leave a run whose driver met an error it cannot handle; its lease is given up as soon as the database answers."""
    _state.abandoned.append((run_id, driver, fence))
    try:
        _release_abandoned()
    except Exception as error:  # it stays on the list; the renewing thread tries again
        log.warning("run %s could not be given up yet: %s", run_id, error)


def _release_abandoned() -> None:
    while _state.abandoned:
        run_id, driver, fence = _state.abandoned[0]
        unlock(run_id, driver=driver, fence=fence, wake_at=clock.now() + conf.engine().lease)
        _state.abandoned.pop(0)


def is_code_elsewhere(workflow: str, version: int) -> bool:
    """Whether another living process has the code of a workflow that this one lacks: two builds stand side by side."""
    capability = f"{workflow}@{version}"
    if capability in current().capabilities:
        return False
    alive = Process.objects.filter(expires_at__gt=database_now(), capabilities__contains=capability)
    return any(capability in known.splitlines() for known in alive.values_list("capabilities", flat=True))


def leave() -> None:
    """Start shutting down: claim nothing new, let runs go after the step in hand."""
    _state.leaving = True


def leave_all() -> None:
    """The same for this process and every one that was forked from it, or will be."""
    _everybody_leaves[0] = 1


def leaving() -> bool:
    """Whether this process is shutting down."""
    return _state.leaving or _everybody_leaves[0] == 1


def stop() -> None:
    """Stop renewing and let this process's row expire now."""
    _state.stopping.set()
    thread = _state.thread
    if thread is not None and thread is not threading.current_thread():
        thread.join(timeout=5)
    known = _state.identity
    if known is not None and known.pid == os.getpid():
        known.lapsed = True
        Process.objects.filter(pk=known.id).update(expires_at=database_now())
    _state.identity = None
    _state.thread = None
    _state.leaving = False
    _state.stopping = threading.Event()
