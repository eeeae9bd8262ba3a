"""Activities and acts that the tests of `test_found_*.py` share: each of those tests keeps one bug from coming back."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import Disturbed
from workflows import Retry, activity, activity_info, operations
from workflows.core.errors import UpdatePending

#: Tokens of the open attempts of `make_later_undone_late`, by label.
TOKENS: dict[str, str] = {}


@activity(name="found.undo_late", retry=Retry(max_attempts=5, initial=600.0, jitter=0))
def undo_late(*, label: str) -> None:
    """An undo that waits for its next attempt, ten minutes and more, until the effect `repaired` stands."""
    if not effects.count("repaired"):
        raise Disturbed("cannot be undone yet")
    effects.write(f"undo {label}")


@activity(name="found.make_undone_late", undo=undo_late)
def make_undone_late(*, label: str) -> str:
    effects.write(label)
    return f"made {label}"


@activity(name="found.make_later_undone_late", undo=undo_late, timeout=timedelta(days=3))
def make_later_undone_late(*, label: str) -> str:
    """Begins, and ends when the test completes its token."""
    TOKENS[label] = activity_info().complete_later()
    return ""


def leave_update(run_id: uuid.UUID, name: str, *args: str, key: str) -> None:
    """An update that is stored, and whose caller has gone before the run looked at it."""
    with pytest.raises(UpdatePending):
        operations.update_run(run_id, name, *args, id=key, timeout=timedelta(0))
