"""The only place that asks the system for the time. Due and arrival times use it; tests put a virtual source in.

Lease arithmetic does not use it: leases run on the database's own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


class _Source:
    read: Callable[[], datetime] = staticmethod(_system)


def now() -> datetime:
    """The present instant, UTC."""
    return _Source.read()


@contextmanager
def source(read: Callable[[], datetime]) -> Iterator[None]:
    """Take the time from `read` instead, for the length of the block (tests)."""
    before = _Source.read
    _Source.read = staticmethod(read)
    try:
        yield
    finally:
        _Source.read = staticmethod(before)
