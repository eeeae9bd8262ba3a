"""DESIGN 3: states of runs and steps, and the one table of allowed moves."""

from __future__ import annotations

import pytest

from workflows.core.status import (
    CLOSED,
    DRIVABLE,
    OPEN,
    RUN_MOVES,
    STEP_MOVES,
    UNSTARTED_KINDS,
    HoldReason,
    RunStatus,
    StepKind,
    StepStatus,
    allowed_acts,
    can_move,
)

CLOSED_NAMES = "completed failed compensated cancelled terminated timed_out continued"

#: The table as it is promised to operators and to those who write queries, state by state.
RUN_TABLE = {
    "pending": "running held cancelled terminated timed_out",
    "running": f"pending waiting held compensating {CLOSED_NAMES}",
    "waiting": "running held terminated",
    "compensating": "running held compensated cancelled timed_out terminated",
    "held": "pending compensating cancelled terminated",
    "failed": "pending compensating",
    "completed": "compensating",
    "cancelled": "compensating",
    "timed_out": "compensating",
    "terminated": "compensating",
    "compensated": "",
    "continued": "",
}
STEP_TABLE = {
    "scheduled": "running completed cancelled",
    "running": "scheduled completed failed timed_out cancelled",
    "failed": "scheduled completed",
    "timed_out": "scheduled completed",
    "cancelled": "scheduled",
    "completed": "",
}


def test_every_state_of_a_run_is_named() -> None:
    assert {str(status) for status in RunStatus} == set(RUN_TABLE)
    assert {str(status) for status in CLOSED} == set(CLOSED_NAMES.split())
    assert frozenset(RunStatus) == OPEN | CLOSED
    assert {str(status) for status in DRIVABLE} == {"pending", "running", "waiting", "compensating"}


@pytest.mark.parametrize("old", sorted(RunStatus))
@pytest.mark.parametrize("new", sorted(RunStatus))
def test_a_run_moves_as_the_table_says(old: RunStatus, new: RunStatus) -> None:
    promised = new in RUN_TABLE[old].split()

    assert (new in RUN_MOVES[old]) is promised
    assert can_move(old, new) is (promised or old == new)


@pytest.mark.parametrize("old", sorted(StepStatus))
@pytest.mark.parametrize("new", sorted(StepStatus))
def test_a_step_moves_as_the_table_says(old: StepStatus, new: StepStatus) -> None:
    assert (new in STEP_MOVES[old]) is (new in STEP_TABLE[old].split())


def test_only_steps_that_never_run_go_from_scheduled_to_completed() -> None:
    assert {str(kind) for kind in UNSTARTED_KINDS} == {"timer", "wait", "marker", "side_effect"}
    assert {str(kind) for kind in set(StepKind) - UNSTARTED_KINDS} == {"activity", "child", "compensation"}


@pytest.mark.parametrize("status", sorted(RunStatus))
def test_every_state_says_which_acts_may_fit_it(status: RunStatus) -> None:
    reasons = list(HoldReason) if status == RunStatus.HELD else [""]

    for reason in reasons:
        acts = allowed_acts(status, reason)
        assert acts == sorted(set(acts))
        assert "rerun" in acts


@pytest.mark.parametrize(
    ("reason", "acts"),
    [
        ("failure", "cancel compensate rerun retry"),
        ("compensation_failed", "compensate rerun"),
        ("in_doubt", "rerun resolve"),
        ("nondeterminism", "rerun resume"),
        ("code_missing", "rerun resume"),
        ("worker_lost", "cancel rerun resume"),
        ("paused", "cancel rerun resume"),
    ],
)
def test_what_releases_a_hold_depends_on_its_reason(reason: str, acts: str) -> None:
    assert allowed_acts("held", reason) == acts.split()
