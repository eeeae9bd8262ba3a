"""The test kit: virtual time, mocks, expected compensation, for people who write workflows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused, CastWorkflow, Disturbed, disturb, undo_write, write
from workflows import Retry, Workflow, WorkflowFailed, activity, clock, operations, queries
from workflows.core.definitions import registry
from workflows.core.errors import WaitTimeout
from workflows.testing import WorkflowEnvironment


def test_run_gives_the_result_and_lets_virtual_time_pass(workflow_env: WorkflowEnvironment) -> None:
    before = workflow_env.now

    assert workflow_env.run(CastWorkflow, ["disturb:a"]) == ["did a"]

    assert workflow_env.now - before >= timedelta(seconds=30)


def test_run_raises_how_the_run_ended_with_its_cause(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.run(CastWorkflow, ["refuse:a"])

    assert failed.value.status == "failed"
    assert "no to a" in str(failed.value.__cause__)


def test_start_writes_the_run_and_executes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])

    assert run.status == "pending"
    assert effects.labels() == []


def test_skip_runs_what_falls_due_on_the_way_in_order(workflow_env: WorkflowEnvironment) -> None:
    for hours, label in ((3, "c"), (1, "a"), (2, "b")):
        operations.start_run(CastWorkflow, [f"write:{label}"], delay=timedelta(hours=hours))

    workflow_env.skip(timedelta(hours=2))

    assert [call["label"] for call in workflow_env.calls(write)] == ["a", "b"]
    assert workflow_env.now == datetime(2026, 1, 5, 14, 0, tzinfo=UTC)


def test_skip_of_nothing_runs_all_that_is_due_now(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])

    workflow_env.skip(timedelta(0))

    assert queries.get_run(run.id).status == "completed"


def test_time_is_virtual_inside_and_real_again_outside(workflow_env: WorkflowEnvironment) -> None:
    assert clock.now() == workflow_env.now
    with WorkflowEnvironment(now=datetime(2030, 1, 1, tzinfo=UTC)).open():
        assert clock.now().year == 2030
    assert clock.now() == workflow_env.now


def test_a_mock_gives_its_outcomes_in_order_and_the_last_for_ever(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.mock(write).returns("one").returns("two")

    assert workflow_env.run(CastWorkflow, ["write:a"] * 4) == ["one", "two", "two", "two"]
    assert effects.labels() == []


def test_a_mock_that_raises_fails_the_attempt(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.mock(write).raises(CastRefused("not today"))

    with pytest.raises(WorkflowFailed, match="not today"):
        workflow_env.run(CastWorkflow, ["write:a"])


def test_a_mock_with_arguments_stands_in_for_those_only(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.mock(write).with_args(label="a").returns("mocked")

    assert workflow_env.run(CastWorkflow, ["write:a", "write:b"]) == ["mocked", "wrote b"]


def test_calls_tells_the_arguments_of_each_call_mocked_or_not(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.mock(write).with_args(label="a").returns("mocked")

    workflow_env.run(CastWorkflow, ["write:a", "disturb:x", "write:b"])

    assert workflow_env.calls(write) == [{"label": "a"}, {"label": "b"}]
    assert workflow_env.calls(disturb) == [{"label": "x"}] * 3


@pytest.mark.django_db
def test_mocks_end_with_their_environment() -> None:
    original = write.function
    with WorkflowEnvironment().open() as env:
        env.mock(write).returns("mocked")
        assert env.run(CastWorkflow, ["write:a"]) == ["mocked"]

    assert write.function is original
    with WorkflowEnvironment().open() as env:
        assert env.run(CastWorkflow, ["write:a"]) == ["wrote a"]


@pytest.mark.django_db
def test_an_expected_compensation_that_did_not_run_fails_the_test() -> None:
    def expect_in_vain() -> None:
        with WorkflowEnvironment().open() as env:
            env.expect_compensation(undo_write)
            env.run(CastWorkflow, ["make:a"])

    with pytest.raises(AssertionError, match=r"cast\.undo_write"):
        expect_in_vain()


def test_an_expected_compensation_that_ran_is_met(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.expect_compensation(undo_write)

    with pytest.raises(WorkflowFailed):
        workflow_env.run(CastWorkflow, ["make:a", "refuse:b"])


@pytest.mark.django_db
def test_a_failure_inside_the_environment_is_not_hidden_by_an_expectation() -> None:
    def fail_before_the_end() -> None:
        with WorkflowEnvironment().open() as env:
            env.expect_compensation(undo_write)
            raise LookupError("the test itself failed")

    with pytest.raises(LookupError):
        fail_before_the_end()


def test_a_restart_drops_what_is_only_in_memory(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a", "disturb:b", "write:c"])
    workflow_env.skip(NOW)
    workflow_env.restart()

    assert workflow_env.finish(run.id) == ["wrote a", "did b", "wrote c"]
    assert effects.count("a") == 1


def test_skip_and_finish_return_when_a_due_run_cannot_be_driven(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code is not there, so nobody claims it; the kit must not wait for ever."""
    stuck = workflow_env.start(CastWorkflow, ["write:a"])
    monkeypatch.setitem(registry.workflows, "tests.Cast", {})
    workflow_env.restart()

    workflow_env.skip(timedelta(hours=1))

    assert queries.get_run(stuck.id).status == "pending"
    with pytest.raises(WorkflowFailed):
        workflow_env.finish(stuck.id)


# --- Mocks -----------------------------------------------------------------------------------------------------------


def test_a_mock_stands_in_for_every_variant_of_an_activity(workflow_env: WorkflowEnvironment) -> None:
    patient = write.options(retry=Retry(max_attempts=9), queue="reports")

    class VaryingWorkflow(Workflow[list[str]]):
        name = "kit.Varying"

        async def execute(self) -> list[str]:
            return await self.gather(self.activity(patient, label="a"), self.activity(write, label="b"))

    workflow_env.mock(patient).with_args(label="a").returns("mocked")

    assert workflow_env.run(VaryingWorkflow) == ["mocked", "wrote b"]
    assert workflow_env.calls(patient) == workflow_env.calls(write) == [{"label": "a"}, {"label": "b"}]


def test_a_mock_of_an_argument_that_does_not_exist_is_refused(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(TypeError, match=r"cast\.write has no argument named lable, number"):
        workflow_env.mock(write).with_args(lable="a", number=1)


def test_the_arguments_of_a_call_are_checked_though_it_is_mocked(workflow_env: WorkflowEnvironment) -> None:
    class CarelessWorkflow(Workflow[None]):
        name = "kit.Careless"

        async def execute(self) -> None:
            await self.activity(write, label=["no", "text"])  # type: ignore[arg-type]

    workflow_env.mock(write).returns("mocked")

    with pytest.raises(WorkflowFailed, match="label"):
        workflow_env.run(CarelessWorkflow)
    assert workflow_env.calls(write) == []


def test_a_result_of_a_mock_is_checked_like_any_other(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.mock(write).returns({"not": "a text"})

    with pytest.raises(WorkflowFailed, match="result"):
        workflow_env.run(CastWorkflow, ["write:a"])


def test_the_mock_given_last_counts_first(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.mock(write).returns("any")
    workflow_env.mock(write).with_args(label="b").returns("special")

    assert workflow_env.run(CastWorkflow, ["write:a", "write:b"]) == ["any", "special"]


def test_a_mock_may_fail_first_and_work_then(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.mock(disturb).raises(Disturbed("once")).returns("then")

    assert workflow_env.run(CastWorkflow, ["disturb:a"]) == ["then"]


# --- Code that a test declares itself --------------------------------------------------------------------------------


def test_a_workflow_that_a_test_declares_is_driven(workflow_env: WorkflowEnvironment) -> None:
    class DeclaredWorkflow(Workflow[str]):
        name = "kit.Declared"

        async def execute(self) -> str:
            return await self.activity(write, label="a")

    assert workflow_env.run(DeclaredWorkflow) == "wrote a"


def test_an_activity_that_a_test_declares_can_be_mocked_and_its_calls_are_seen(
    workflow_env: WorkflowEnvironment,
) -> None:
    @activity(name="kit.declared")
    def declared(*, label: str) -> str:
        return f"declared {label}"

    class DeclaringWorkflow(Workflow[list[str]]):
        name = "kit.Declaring"

        async def execute(self) -> list[str]:
            return [await self.activity(declared, label=label) for label in "ab"]

    workflow_env.mock(declared).with_args(label="b").returns("mocked")

    assert workflow_env.run(DeclaringWorkflow) == ["declared a", "mocked"]
    assert workflow_env.calls(declared) == [{"label": "a"}, {"label": "b"}]


# --- Compensation ----------------------------------------------------------------------------------------------------


def test_an_expected_compensation_may_be_of_a_run_that_an_operation_started(
    workflow_env: WorkflowEnvironment,
) -> None:
    workflow_env.expect_compensation(undo_write)
    operations.start_run(CastWorkflow, ["make:a", "refuse:b"])

    workflow_env.skip(NOW)


@pytest.mark.django_db
def test_a_compensation_of_an_earlier_environment_does_not_count() -> None:
    with WorkflowEnvironment().open() as earlier, pytest.raises(WorkflowFailed):
        earlier.run(CastWorkflow, ["make:a", "refuse:b"])

    def expect_in_vain() -> None:
        with WorkflowEnvironment().open() as env:
            env.expect_compensation(undo_write)

    with pytest.raises(AssertionError, match="expected compensation did not complete"):
        expect_in_vain()


# --- Time ------------------------------------------------------------------------------------------------------------


def test_many_long_sleeps_cost_no_time(workflow_env: WorkflowEnvironment) -> None:
    class SleepyWorkflow(Workflow[int]):
        name = "kit.Sleepy"

        async def execute(self) -> int:
            for _ in range(10):
                await self.sleep(timedelta(days=3))
            return 30

    before = workflow_env.now

    assert workflow_env.run(SleepyWorkflow) == 30
    assert workflow_env.now == before + timedelta(days=30)


def test_waiting_in_vain_lets_as_much_virtual_time_pass_as_asked_for(workflow_env: WorkflowEnvironment) -> None:
    class PatientWorkflow(Workflow[None]):
        name = "kit.Patient"

        async def execute(self) -> None:
            await self.sleep(timedelta(days=1))

    run = operations.start_run(PatientWorkflow)
    before = workflow_env.now

    with pytest.raises(WaitTimeout):
        operations.wait_for_result(run.id, timeout=timedelta(hours=1))

    assert workflow_env.now == before + timedelta(hours=1)


def test_waiting_for_a_result_runs_what_is_due(workflow_env: WorkflowEnvironment) -> None:
    run = operations.start_run(CastWorkflow, ["disturb:a"])

    assert operations.wait_for_result(run.id, timeout=timedelta(minutes=1)) == ["did a"]
