"""Signals: stored before they are acknowledged, delivered in order, never lost, refused with a type."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, make, refuse
from tests.workflows.improvised import (
    HOUR,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    make_later,
    settle,
    state,
)
from tests.workflows.views import entries
from workflows import Workflow, activity, activity_info, operations, queries, signal
from workflows.core.definitions import registry
from workflows.core.errors import (
    CodeMissing,
    InvalidInput,
    NotAllowedInState,
    NotFound,
    PermissionRefused,
    UnknownMessage,
)
from workflows.models import AuditEntry, InboxItem
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@activity(name="signals.tell_own_run")
def tell_own_run(*, word: str) -> None:
    """A signal for the run, in the instant that this step of it runs."""
    run_id = activity_info().run_id
    assert run_id is not None
    operations.signal_run(run_id, "say", word)


async def listening(workflow: ImprovisedWorkflow) -> list[str]:
    """Waits for the word `stop`; gives what it heard."""
    await workflow.wait_for(lambda: "stop" in workflow.heard)
    return list(workflow.heard)


def say(run_id: Any, *words: str) -> None:
    for word in words:
        operations.signal_run(run_id, "say", word)


# --- Delivered -------------------------------------------------------------------------------------------------------


def test_signals_are_delivered_in_the_order_they_came(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    say(run.id, "one", "two", "three", "stop")

    assert workflow_env.finish(run.id) == ["one", "two", "three", "stop"]


def test_a_signal_before_the_first_task_is_heard(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(ImprovisedWorkflow, improvise(listening))
    say(run.id, "one", "stop")

    assert workflow_env.finish(run.id) == ["one", "stop"]


def test_arguments_come_by_place_or_name_with_their_defaults_and_types(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    operations.signal_run(run.id, "say", "a", 2)
    operations.signal_run(run.id, "say", word="b", times="2")
    say(run.id, "stop")

    assert workflow_env.finish(run.id) == ["a", "a", "b", "b", "stop"]


class TypedWorkflow(Workflow[str]):
    """Is given values of several types."""

    name = "signals.Typed"

    def __init__(self) -> None:
        self.given: list[Any] = []

    async def execute(self) -> str:
        await self.wait_for(lambda: self.given)
        amount, at, to, days, note = self.given
        return f"{amount} {at.isoformat()} {to} {days[0].days} {note}"

    @signal
    def give(self, amount: Decimal, at: datetime, to: UUID, days: list[timedelta], note: str | None = None) -> None:
        """Keep them all."""
        self.given = [amount, at, to, days, note]


def test_arguments_of_any_declared_type_arrive_as_they_were_given(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(TypedWorkflow)
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    operations.signal_run(run.id, "give", Decimal("10.00"), moment, UUID(int=7), [timedelta(days=1)])
    workflow_env.restart()

    assert workflow_env.finish(run.id) == f"10.00 {moment.isoformat()} {UUID(int=7)} 1 None"


def test_the_history_tells_who_said_what_when(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    came = workflow_env.now = workflow_env.now + HOUR
    operations.signal_run(run.id, "say", "stop", actor="ada", reason="as agreed", key="k")
    workflow_env.now += HOUR
    workflow_env.skip(NOW)

    (told,) = entries(run.id, "SignalReceived")
    assert told == {
        "name": "say", "args": {"word": "stop", "times": 1}, "actor": "ada", "reason": "as agreed", "key": "k",
        "arrived_at": came.isoformat(),
    }  # fmt: skip
    audited = AuditEntry.objects.get(act="signal")
    assert (audited.actor, audited.reason, audited.run_id) == ("ada", "as agreed", run.id)


def test_a_signal_while_a_step_runs_is_delivered_after_it(workflow_env: WorkflowEnvironment) -> None:
    """The driver lets nothing go that came in the instant of its commit (C14)."""

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(tell_own_run, word="meanwhile")
        return list(workflow.heard)

    run = begin(workflow_env, body)

    assert queries.get_run(run.id).result == []
    assert len(entries(run.id, "SignalReceived")) == 1


def test_a_signal_in_the_instant_the_run_would_let_go_wakes_it(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(tell_own_run, word="stop")
        return await listening(workflow)

    run = begin(workflow_env, body)

    assert queries.get_run(run.id).result == ["stop"]


# --- Once per key ----------------------------------------------------------------------------------------------------


def test_a_key_signals_a_run_once(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    for word in ("one", "one", "another"):
        operations.signal_run(run.id, "say", word, key="k")
    workflow_env.skip(NOW)
    operations.signal_run(run.id, "say", "much later", key="k")
    operations.signal_run(run.id, "say", "stop", key="other")

    assert workflow_env.finish(run.id) == ["one", "stop"]


def test_a_key_is_each_runs_own(workflow_env: WorkflowEnvironment) -> None:
    runs = [begin(workflow_env, listening) for _ in range(2)]
    for run in runs:
        operations.signal_run(run.id, "say", "stop", key="k")

    assert [workflow_env.finish(run.id) for run in runs] == [["stop"]] * 2


def test_a_known_key_does_nothing_though_the_run_is_closed(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    operations.signal_run(run.id, "say", "stop", key="k")
    workflow_env.finish(run.id)

    assert operations.signal_run(run.id, "say", "stop", key="k").status == "completed"
    assert len(entries(run.id, "SignalReceived")) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, 7, "nul\x00"])
def test_a_key_that_cannot_be_kept_is_refused(workflow_env: WorkflowEnvironment, key: Any) -> None:
    run = begin(workflow_env, listening)

    with pytest.raises(InvalidInput):
        operations.signal_run(run.id, "say", "one", key=key)


# --- Handlers --------------------------------------------------------------------------------------------------------


def test_a_handler_that_awaits_runs_beside_the_code(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    operations.signal_run(run.id, "have_made", "a")
    operations.signal_run(run.id, "have_made", "b")
    workflow_env.skip(NOW)
    settle("b")
    workflow_env.skip(NOW)
    settle("a")
    workflow_env.skip(NOW)
    say(run.id, "stop")

    assert workflow_env.finish(run.id) == ["did b", "did a", "stop"]


@pytest.mark.parametrize(("name", "code"), [("break_off", "error"), ("break_off_later", "error")])
def test_a_handler_that_fails_fails_the_run_and_its_plan_runs(
    workflow_env: WorkflowEnvironment, name: str, code: str
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")
        await listening(workflow)

    run = begin(workflow_env, body)
    operations.signal_run(run.id, name, "x")
    workflow_env.skip(NOW)
    if name == "break_off_later":
        settle("x")
        workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert after.status == "compensated"
    assert after.error is not None
    assert (after.error["type"], after.error["code"]) == ("ValueError", code)
    assert effects.count("undo a") == 1


def test_a_failed_handler_waits_for_what_has_started(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make_later, label="a")

    run = begin(workflow_env, body)
    operations.signal_run(run.id, "break_off", "x")
    workflow_env.skip(NOW)
    assert state(run.id) == "waiting"
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert effects.count("undo a") == 1


# --- Too late --------------------------------------------------------------------------------------------------------


def test_a_signal_after_the_code_has_ended_is_recorded_and_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        workflow.start(later, label="a")
        await workflow.activity(later, label="b")
        return "done"

    run = begin(workflow_env, body)
    settle("b")
    workflow_env.skip(NOW)
    operations.signal_run(run.id, "break_off", "too late")
    workflow_env.skip(NOW)
    settle("a")

    assert workflow_env.finish(run.id) == "done"
    assert len(entries(run.id, "SignalReceived")) == 1


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled", "compensated"])
def test_a_closed_run_refuses_signals_and_its_history_is_unchanged(workflow_env: WorkflowEnvironment, end: str) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        if end == "compensated":
            await workflow.activity(make, label="a")
        if end in ("failed", "compensated"):
            await workflow.activity(refuse, label="b")
        if end == "cancelled":
            await workflow.sleep(HOUR)

    run = begin(workflow_env, body)
    if end == "cancelled":
        operations.cancel_run(run.id, reason="no need")
        workflow_env.skip(NOW)
    assert state(run.id) == end
    before = queries.get_history(run.id)

    with pytest.raises(NotAllowedInState) as refusal:
        operations.signal_run(run.id, "say", "late")

    assert (refusal.value.act, refusal.value.state) == ("signal", end)
    assert queries.get_history(run.id) == before
    assert not InboxItem.objects.filter(run_id=run.id).exists()


def test_a_run_held_by_its_failure_refuses_signals(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(refuse, label="a")

    run = begin(workflow_env, body, HeldWorkflow)

    with pytest.raises(NotAllowedInState, match="its code has ended"):
        operations.signal_run(run.id, "say", "late")


# --- Refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["unknown", "words", "add", "execute", "", "say\x00"])
def test_an_unknown_signal_is_refused_and_names_the_known_ones(workflow_env: WorkflowEnvironment, name: str) -> None:
    run = begin(workflow_env, listening)
    before = queries.get_history(run.id)

    with pytest.raises(UnknownMessage) as refusal:
        operations.signal_run(run.id, name, "one")

    assert refusal.value.code == "unknown_signal"
    assert "have_made, say" in str(refusal.value)
    assert queries.get_history(run.id) == before
    assert not InboxItem.objects.filter(run_id=run.id).exists()


@pytest.mark.parametrize(("args", "kwargs"), [
    ((), {}), (("a", 2, 3), {}), ((), {"words": "a"}), ((["a"],), {}), (("a", "many"), {}), (("a",), {"word": "b"}),
    (("nul\x00",), {}), (("\ud800",), {}), ((object(),), {}),
])  # fmt: skip
def test_a_signal_of_the_wrong_shape_is_refused_and_nothing_is_stored(
    workflow_env: WorkflowEnvironment, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    run = begin(workflow_env, listening)
    before = queries.get_history(run.id)

    with pytest.raises(InvalidInput):
        operations.signal_run(run.id, "say", *args, **kwargs)

    assert queries.get_history(run.id) == before
    assert not InboxItem.objects.filter(run_id=run.id).exists()
    assert not AuditEntry.objects.filter(act="signal").exists()


def test_a_signal_to_nobody_is_refused(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    with pytest.raises(NotFound):
        operations.signal_run(type(run.id)(int=1), "say", "one")


def test_a_signal_needs_its_permission(workflow_env: WorkflowEnvironment, django_user_model: Any) -> None:
    run = begin(workflow_env, listening)

    with pytest.raises(PermissionRefused, match="signal_run"):
        operations.signal_run(run.id, "say", "one", actor=django_user_model.objects.create_user("nobody"))


def test_a_signal_to_a_run_whose_code_is_not_here_is_refused(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(workflow_env, listening)
    with monkeypatch.context() as gone:
        gone.setitem(registry.workflows, ImprovisedWorkflow.name, {})
        with pytest.raises(CodeMissing):
            operations.signal_run(run.id, "say", "one")
