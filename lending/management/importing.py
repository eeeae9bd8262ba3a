"""Importing applications: starting one run for each row, and following the runs until none moves by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lending import operations
from lending.contracts import ApplicationForm, ApplicationStatus
from lending.queries.standings import standings_of
from workflows import queries as runs
from workflows.operations import Actor, waiting

#: Seconds between two looks at the rows.
_GLANCE = 0.5
#: Run states in which nothing happens any more without a person.
_AT_REST = frozenset({"held", "completed", "failed", "compensated", "cancelled", "terminated", "timed_out"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication:
    """A row's application and the key its run has for ever."""

    row: int
    key: str
    form: ApplicationForm


@dataclass(slots=True)
class Starts:
    """What starting came to: the run of each row that has one, how many are new, and why others have none."""

    run_ids: dict[int, UUID] = field(default_factory=dict)
    new: int = 0
    refused: dict[int, str] = field(default_factory=dict)


def start_all(
    applications: Sequence[NewApplication], *, actor: Actor, reason: str, advance: Callable[[], None]
) -> Starts:
    """Submit every application, each in its own transaction; `advance` is called after each.

    A row whose key is known has its run already. A refused row is told with the refusal's code and the others go on.
    """
    starts = Starts()
    for item in applications:
        try:
            application = operations.submit_application(item.form, key=item.key, actor=actor, reason=reason)
        except Exception as error:
            # Refusals of the engine and of lending share no public class; a stable text as `code` makes one.
            code = getattr(error, "code", None)
            if not isinstance(code, str):
                raise
            starts.refused[item.row] = f"{code}: {error}"
        else:
            starts.run_ids[item.row] = application.run_id
            starts.new += application.created
        advance()
    return starts


def follow(run_ids: Sequence[UUID], *, patience: float, settled: Callable[[int], None]) -> list[UUID]:
    """Wait until every run has ended, is held, or waits for an officer; the runs that have not when nothing moves.

    It only reads rows, so it does not matter which processes drive the runs. `settled` is told how many are done;
    `patience` is in seconds, from the last time that one more was.
    """
    left = list(run_ids)
    moved_at = time.monotonic()
    while True:
        still_open = _open(left)
        if len(still_open) < len(left):
            moved_at = time.monotonic()
        left = still_open
        settled(len(run_ids) - len(left))
        if not left or time.monotonic() - moved_at > patience:
            return left
        waiting.pause(_GLANCE)


def _open(run_ids: Sequence[UUID]) -> list[UUID]:
    standings = standings_of(run_ids)
    return [run_id for run_id in run_ids if not _at_rest(run_id, standings[run_id].status)]


def _at_rest(run_id: UUID, status: ApplicationStatus) -> bool:
    return status is ApplicationStatus.IN_REVIEW or runs.get_status(run_id) in _AT_REST
