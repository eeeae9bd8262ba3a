"""SEMANTICS D20: a retry with edited input, and the new generation of the step's key that it gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastHoldsWorkflow, Disturbed, undo_write, write
from tests.workflows.faulting import break_off, take_over
from tests.workflows.views import entries, kinds, sound, undone
from workflows import NonRetryable, Retry, Workflow, activity, activity_info, conf, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import InvalidInput, RetryRefused
from workflows.testing import WorkflowEnvironment


@activity(name="edited_input.pay", undo=undo_write, retry=Retry(max_attempts=1))
def pay(*, label: str, amount: int) -> str:
    """Refuses amounts over 100."""
    effects.write(f"{label} {amount} {activity_info().idempotency_key}")
    if amount > 100:
        raise NonRetryable(f"{amount} is too much")
    return f"paid {amount}"


class PayWorkflow(Workflow[str]):
    """Writes, then pays; waits for an operator on failure."""

    on_failure = "hold"

    async def execute(self, amount: int) -> str:
        await self.activity(write, label="before")
        return await self.activity(pay, label="pay", amount=amount)


def held(env: WorkflowEnvironment, workflow: type[Workflow[Any]], *args: object) -> WorkflowRun:
    """A run that is held as failure."""
    run = env.start(workflow, *args)
    env.skip(NOW)
    shown = queries.get_run(run.id)
    assert shown.hold_reason == "failure"
    return shown


def keys_used() -> list[str]:
    return [label.split()[2] for label in sorted(effects.labels()) if label.startswith("pay ")]


def test_d20_edited_input_merges_over_the_arguments_and_gets_a_new_generation_of_the_key(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = held(workflow_env, PayWorkflow, 500)

    operations.retry_run(run.id, reason="less", input={"amount": 50})
    sound(run.id)
    assert workflow_env.finish(run.id) == "paid 50"

    step = queries.list_steps(run.id)[1]
    assert step.arguments == {"label": "pay", "amount": 50}
    first, second = f"{run.id}:2", f"{run.id}:2:g2"
    assert sorted(keys_used()) == sorted([first, second])
    assert step.key == second
    (told,) = entries(run.id, "RetryRequested")
    assert told["args"] == {"label": "pay", "amount": 50}
    sound(run.id)


def test_d20_each_edit_gets_a_generation_of_its_own_and_a_plain_retry_none(workflow_env: WorkflowEnvironment) -> None:
    run = held(workflow_env, PayWorkflow, 500)
    for edit in ({"amount": 400}, {"amount": 300}, None):
        operations.retry_run(run.id, reason="less", input=edit)
        workflow_env.skip(NOW)

    assert sorted(set(keys_used())) == [f"{run.id}:2", f"{run.id}:2:g2", f"{run.id}:2:g3"]
    assert queries.list_steps(run.id)[1].arguments["amount"] == 300


def test_d20_an_edited_step_is_undone_by_its_edited_arguments_and_new_key(workflow_env: WorkflowEnvironment) -> None:
    run = held(workflow_env, PayWorkflow, 500)
    operations.retry_run(run.id, reason="less", input={"amount": 50, "label": "edited"})
    workflow_env.finish(run.id)

    operations.compensate_run(run.id, reason="take it back")
    workflow_env.skip(NOW)

    assert undone(run.id) == ["edited"]
    assert effects.count(f"undone key {run.id}:2:g2") == 1
    sound(run.id)


@pytest.mark.parametrize("edit", [{"amount": "much"}, {"unknown": 1}, {"amount": None}])
def test_d20_an_edit_that_does_not_fit_is_refused_and_writes_nothing(
    workflow_env: WorkflowEnvironment, edit: dict[str, object]
) -> None:
    run = held(workflow_env, PayWorkflow, 500)
    before = kinds(run.id)

    with pytest.raises(InvalidInput):
        operations.retry_run(run.id, reason="less", input=edit)

    assert kinds(run.id) == before
    assert queries.get_run(run.id).hold_reason == "failure"


def test_d20_code_that_raised_has_no_step_whose_input_could_be_edited(workflow_env: WorkflowEnvironment) -> None:
    run = held(workflow_env, CastHoldsWorkflow, ["write:a", "raise:on purpose"])

    with pytest.raises(RetryRefused):
        operations.retry_run(run.id, reason="less", input={"label": "b"})


def test_d20_an_edit_after_a_time_out_is_refused_since_the_outcome_is_not_known(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(PayWorkflow, 50)
    break_off(run.id, "attempt.inside@edited_input.pay")
    workflow_env.now += conf.engine().activity_timeout + timedelta(seconds=1)
    workflow_env.restart()
    take_over(workflow_env)
    assert queries.get_run(run.id).hold_reason == "failure"

    with pytest.raises(RetryRefused, match="not known"):
        operations.retry_run(run.id, reason="less", input={"amount": 40})

    operations.retry_run(run.id, reason="as it was")
    assert workflow_env.finish(run.id) == "paid 50"
    assert len(set(keys_used())) == 1
    sound(run.id)


def test_an_error_of_a_disturbed_step_is_not_done_and_may_be_edited(workflow_env: WorkflowEnvironment) -> None:
    """An exception that a repeatable activity raised counts as not done."""
    workflow_env.mock(pay).raises(Disturbed("away")).returns("paid")
    run = held(workflow_env, PayWorkflow, 50)

    operations.retry_run(run.id, reason="less", input={"amount": 40})

    assert workflow_env.finish(run.id) == "paid"
    assert workflow_env.calls(pay)[-1]["amount"] == 40
