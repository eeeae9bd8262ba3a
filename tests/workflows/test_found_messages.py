"""Messages that were lost, told a secret or got a wrong answer once: none of it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows.cast import NOW, CastRefused, refuse
from tests.workflows.found_cast import leave_update, make_undone_late
from tests.workflows.improvised import ImprovisedWorkflow, begin, improvise, state
from tests.workflows.sent_out_acts import drive
from workflows import Sensitive, Workflow, operations, queries, query, signal, update
from workflows.core.errors import NotAllowedInState, QueryFailed, UpdateFailed, UpdateRejected
from workflows.models import InboxItem
from workflows.operations import waiting
from workflows.runtime import advance
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

SSN = "078-05-1120"


class SecretiveWorkflow(Workflow[None]):
    """Is told a secret, and tells it in the text of an error."""

    name = "found.Secretive"

    async def execute(self) -> None:
        await self.wait_for(lambda: False)

    @signal
    def hear(self, ssn: Sensitive[str]) -> None:
        """A signal that fails."""
        raise ValueError(f"bad {ssn.reveal()}")

    @update
    def change(self, ssn: Sensitive[str]) -> None:
        """An update that fails."""
        raise ValueError(f"bad {ssn.reveal()}")

    @update
    def check(self, ssn: Sensitive[str]) -> None:
        """An update that its validator rejects."""

    @check.validator
    def _check_check(self, ssn: Sensitive[str]) -> None:
        raise ValueError(f"bad {ssn.reveal()}")

    @query
    def look(self, ssn: Sensitive[str]) -> None:
        """A query that fails."""
        raise ValueError(f"bad {ssn.reveal()}")


class FlaggedWorkflow(Workflow[None]):
    """Answers once the flag is raised."""

    name = "found.Flagged"

    def __init__(self) -> None:
        self.flag = False

    async def execute(self) -> None:
        await self.wait_for(lambda: False)

    @update
    async def ask(self, question: str) -> str:
        """An update that waits for the flag."""
        await self.wait_for(lambda: self.flag)
        return f"answer to {question}"

    @update
    def answer_and_raise(self) -> str:
        """An update that raises the flag."""
        self.flag = True
        return "raised"

    @signal
    def raise_flag(self) -> None:
        """A signal that raises the flag."""
        self.flag = True


async def listening(workflow: ImprovisedWorkflow) -> list[str]:
    """Waits for the word `stop`; gives what it heard."""
    await workflow.wait_for(lambda: "stop" in workflow.heard)
    return list(workflow.heard)


async def failing_after_a_step(workflow: ImprovisedWorkflow) -> None:
    await workflow.activity(make_undone_late, label="a")
    await workflow.activity(refuse, label="b")


# --- A machine whose clock is behind ---------------------------------------------------------------------------------


@contextmanager
def clock_behind(env: WorkflowEnvironment) -> Iterator[None]:
    """What is done here is stored as if it came before the run began."""
    now = env.now
    env.now = now - timedelta(milliseconds=50)
    yield
    env.now = now


def test_a_signal_from_a_machine_whose_clock_is_behind_is_delivered_after_the_start(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(ImprovisedWorkflow, improvise(listening))
    with clock_behind(workflow_env):
        operations.signal_run(run.id, "say", "early")
        operations.signal_run(run.id, "say", "stop")

    assert workflow_env.finish(run.id) == ["early", "stop"]


def test_an_update_from_a_machine_whose_clock_is_behind_is_answered(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(ImprovisedWorkflow, improvise(listening))
    with clock_behind(workflow_env):
        leave_update(run.id, "add", "early", key="u")

    assert operations.update_run(run.id, "add", "early", id="u") == 1


def test_a_cancel_from_a_machine_whose_clock_is_behind_is_not_lost(workflow_env: WorkflowEnvironment) -> None:
    """It comes while a driver has just claimed the run, and so waits for that driver."""
    run = workflow_env.start(ImprovisedWorkflow, improvise(listening))
    claimed = advance.claim_run(run.id)
    assert claimed is not None
    with clock_behind(workflow_env):
        operations.cancel_run(run.id, reason="enough")

    advance.drive(*claimed)
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"


# --- No secret of a message in an error (DESIGN promise 10) ----------------------------------------------------------


@pytest.fixture
def secretive(workflow_env: WorkflowEnvironment) -> Any:
    run = workflow_env.start(SecretiveWorkflow)
    workflow_env.skip(NOW)
    return run


def test_an_update_that_fails_tells_no_secret_of_its_arguments(secretive: Any) -> None:
    with pytest.raises(UpdateFailed) as failed:
        operations.update_run(secretive.id, "change", SSN)

    assert SSN not in str(failed.value)
    assert SSN not in "\n".join(queries.export_history(secretive.id))


def test_an_update_that_is_rejected_tells_no_secret_of_its_arguments(secretive: Any) -> None:
    with pytest.raises(UpdateRejected) as rejected:
        operations.update_run(secretive.id, "check", SSN)

    assert SSN not in str(rejected.value)
    assert not any(SSN in str(answer) for answer in InboxItem.objects.values_list("answer", flat=True))


def test_a_query_that_fails_tells_no_secret_of_its_arguments(secretive: Any) -> None:
    with pytest.raises(QueryFailed) as failed:
        operations.query_run(secretive.id, "look", SSN)

    assert SSN not in str(failed.value)


def test_a_signal_that_fails_its_run_leaves_no_secret_in_the_runs_error(
    workflow_env: WorkflowEnvironment, secretive: Any
) -> None:
    operations.signal_run(secretive.id, "hear", SSN)
    workflow_env.skip(NOW)

    assert state(secretive.id) == "failed"
    assert SSN not in str(queries.get_run(secretive.id).error)
    assert SSN not in "\n".join(queries.export_history(secretive.id))


# --- Answers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def flagged(workflow_env: WorkflowEnvironment) -> Any:
    run = workflow_env.start(FlaggedWorkflow)
    workflow_env.skip(NOW)
    return run


def test_the_answer_of_an_update_is_kept_though_it_comes_in_the_commit_that_takes_it(flagged: Any) -> None:
    leave_update(flagged.id, "ask", "q", key="u")
    operations.signal_run(flagged.id, "raise_flag")
    drive(flagged.id)

    assert operations.update_run(flagged.id, "ask", "q", id="u") == "answer to q"
    assert not InboxItem.objects.filter(run_id=flagged.id, taken_at=None).exists()


def test_both_updates_that_one_activation_answers_have_their_own_answers(flagged: Any) -> None:
    leave_update(flagged.id, "ask", "q", key="asked")
    leave_update(flagged.id, "answer_and_raise", key="raised")
    drive(flagged.id)

    assert operations.update_run(flagged.id, "ask", "q", id="asked") == "answer to q"
    assert operations.update_run(flagged.id, "answer_and_raise", id="raised") == "raised"
    assert not InboxItem.objects.filter(run_id=flagged.id, taken_at=None).exists()


def test_both_callers_of_one_rejected_update_are_told_that_it_was_rejected(workflow_env: WorkflowEnvironment) -> None:
    """The second calls while the first waits, and reads the answer first."""
    run = begin(workflow_env, listening)
    codes: list[str] = []

    def call() -> None:
        with pytest.raises(UpdateRejected) as rejected:
            operations.update_run(run.id, "add", "", id="u")
        codes.append(rejected.value.code)

    def call_too(seconds: float) -> None:
        with waiting.paused_by(lambda seconds: drive(run.id)):
            call()

    with waiting.paused_by(call_too):
        call()

    assert codes == [CastRefused.code, CastRefused.code]
    assert operations.update_run(run.id, "add", "a word", id="u") == 1


# --- Nobody to hear it -----------------------------------------------------------------------------------------------


def test_a_run_paused_in_its_last_plan_takes_no_signal_that_nobody_would_deliver(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begin(workflow_env, failing_after_a_step)
    operations.pause_run(run.id, reason="look")
    assert state(run.id) == "held (paused)"

    with pytest.raises(NotAllowedInState):
        operations.signal_run(run.id, "say", "too late")

    assert not InboxItem.objects.filter(run_id=run.id).exists()
