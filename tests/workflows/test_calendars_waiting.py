"""A run that sleeps until a business day: the date is recorded once, whatever becomes of the calendar meanwhile."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tests.workflows.cast import NOW
from tests.workflows.views import sound
from workflows import Workflow, queries
from workflows.calendars import next_business_day
from workflows.contracts import StepView
from workflows.core.status import StepKind
from workflows.models import Calendar
from workflows.testing import WorkflowEnvironment

#: A Thursday after the cut-off of New York before a weekend and a holiday: it counts as Friday.
PROCESSED = datetime(2026, 1, 16, 0, 30, tzinfo=UTC)
#: Friday the 16th, then Tuesday the 20th to Thursday the 22nd.
DUE = datetime(2026, 1, 22, 14, tzinfo=UTC)


class SettlingWorkflow(Workflow[datetime]):
    """Settles on the third open day after the processing day."""

    async def execute(self) -> datetime:
        await self.sleep_until(next_business_day(calendar="USD", days=3, after=self.now()))
        return self.now()


def timer_of(steps: list[StepView]) -> StepView:
    (timer,) = [step for step in steps if step.kind == StepKind.TIMER]
    return timer


def test_a_run_goes_on_at_the_opening_of_the_third_open_day_and_not_before(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.now = PROCESSED
    run = workflow_env.start(SettlingWorkflow)

    workflow_env.skip(DUE - PROCESSED - timedelta(microseconds=1))
    before = queries.get_run(run.id)
    timer = timer_of(queries.list_steps(run.id))
    workflow_env.skip(timedelta(microseconds=1))

    assert before.status == "waiting"
    assert timer.due_at == DUE
    assert timer.arguments == {"calendar": "USD", "days": 3, "after": PROCESSED.isoformat()}
    assert queries.get_run(run.id).result == DUE
    sound(run.id)


def test_a_holiday_entered_meanwhile_moves_no_timer_and_breaks_no_replay(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.now = PROCESSED
    run = workflow_env.start(SettlingWorkflow)
    workflow_env.skip(NOW)

    Calendar.objects.get(code="USD").holidays.create(date=date(2026, 1, 22), name="Day of mourning")
    workflow_env.restart()

    assert workflow_env.finish(run.id) == DUE
    sound(run.id)
