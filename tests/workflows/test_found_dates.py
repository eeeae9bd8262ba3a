"""Dates at the edge of the calendar: one that is none in UTC is refused, and no row is left that nobody can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.workflows.cast import NOW
from tests.workflows.improvised import HOUR, ImprovisedWorkflow, begin, state
from workflows import operations, queries
from workflows.core.errors import InvalidInput
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

LAST, FIRST = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
#: Dates of their zones that are the years 10000 and 0 in UTC.
BEYOND = {
    "after the last year": datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    "before the first year": datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
}
beyond = pytest.mark.parametrize("moment", BEYOND.values(), ids=list(BEYOND))


async def sleeping(workflow: ImprovisedWorkflow) -> None:
    await workflow.sleep(HOUR)


@beyond
def test_code_that_sleeps_until_a_moment_that_is_no_date_in_utc_fails(
    workflow_env: WorkflowEnvironment, moment: datetime
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep_until(moment)

    run = begin(workflow_env, body)

    assert state(run.id) == "failed"
    error = queries.get_run(run.id).error
    assert error is not None
    assert "no date in UTC" in error["message"]
    assert queries.list_steps(run.id) == []


def test_a_run_may_sleep_until_the_last_moment_there_is_and_be_cancelled(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep_until(LAST)

    run = begin(workflow_env, body)
    workflow_env.restart()
    assert [step.due_at for step in queries.list_steps(run.id)] == [LAST]

    operations.cancel_run(run.id, reason="too long")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"


def test_a_sleep_until_the_first_moment_there_was_is_over_at_once(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep_until(FIRST)

    run = begin(workflow_env, body)

    assert state(run.id) == "completed"


@beyond
def test_a_timer_is_not_moved_to_a_moment_that_is_no_date_in_utc(
    workflow_env: WorkflowEnvironment, moment: datetime
) -> None:
    run = begin(workflow_env, sleeping)

    with pytest.raises(InvalidInput):
        operations.move_timer(run.id, 1, due_at=moment, reason="wrong zone")

    assert [timer.due_at for timer in queries.list_timers()] == [workflow_env.now + HOUR]


def test_a_timer_moved_to_the_last_moment_there_is_can_be_read_and_moved_back(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begin(workflow_env, sleeping)
    operations.move_timer(run.id, 1, due_at=LAST, reason="never")
    workflow_env.skip(HOUR)
    assert [timer.due_at for timer in queries.list_timers()] == [LAST]

    operations.move_timer(run.id, 1, due_at=FIRST, reason="long ago")
    workflow_env.skip(NOW)

    assert state(run.id) == "completed"
