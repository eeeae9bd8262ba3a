"""Recorded errors as exceptions again, and where in a run's history code raised one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from workflows.core.errors import ActivityFailed, ChildFailed, RemoteError, StepError


def remote_error(data: dict[str, Any]) -> RemoteError:
    """A recorded error as an exception, with its causes."""
    error = RemoteError(data["message"], type=data["type"], code=data["code"])
    if data.get("cause"):
        error.__cause__ = remote_error(data["cause"])
    return error


def activity_failed(name: str, data: dict[str, Any]) -> ActivityFailed:
    """What workflow code meets when a step ended without a result."""
    cause = data["error"]
    error = ActivityFailed(
        cause["message"], activity=name, type=cause["type"], code=cause["code"], attempts=data.get("attempts", 1)
    )
    error.seq = data["seq"]
    error.__cause__ = remote_error(cause)
    return error


def child_failed(name: str, data: dict[str, Any]) -> ChildFailed:
    """What workflow code meets when a child ended without a result."""
    cause = data["error"]
    error = ChildFailed(
        cause["message"], workflow=name, type=cause["type"], code=cause["code"], attempts=data.get("attempts", 1)
    )
    error.seq = data["seq"]
    error.__cause__ = remote_error(cause)
    return error


def failed_step(error: BaseException | None) -> int | None:
    """The step whose failure an error is, or was raised from; None when the code itself failed."""
    return next((link.seq for link in _chain(error) if isinstance(link, StepError) and link.seq is not None), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def note_where(error: BaseException, run_id: uuid.UUID, fact: int) -> None:
    """Keep on which fact of a run code first raised an error: a retry decides that one again (SEMANTICS D20)."""
    if raised_at(error, run_id) is None:
        with suppress(AttributeError):  # an error with slots
            error.raised_at = (run_id, fact)  # type: ignore[attr-defined]


def raised_at(error: BaseException, run_id: uuid.UUID) -> int | None:
    """The position of the fact on which code of this run raised the error; None where that is not known."""
    owner, position = getattr(error, "raised_at", (None, None))
    return position if owner == run_id else None
