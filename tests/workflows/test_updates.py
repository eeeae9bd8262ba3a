"""Updates: answered once per id, refused before they leave a trace, never acknowledged before they are stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries
from workflows import operations, queries, update
from workflows.core.errors import (
    InvalidInput,
    NotAllowedInState,
    NotFound,
    PermissionRefused,
    UnknownMessage,
    UpdateFailed,
    UpdatePending,
    UpdateRejected,
)
from workflows.models import AuditEntry, InboxItem
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

SHORT = timedelta(seconds=5)


async def listening(workflow: ImprovisedWorkflow) -> list[str]:
    """Waits for the word `stop`; gives what it heard."""
    await workflow.wait_for(lambda: "stop" in workflow.heard)
    return list(workflow.heard)


@pytest.fixture
def run(workflow_env: WorkflowEnvironment) -> Any:
    return begin(workflow_env, listening)


# --- Answered --------------------------------------------------------------------------------------------------------


def test_an_update_gives_what_its_method_returns_and_the_run_knows(workflow_env: WorkflowEnvironment, run: Any) -> None:
    assert operations.update_run(run.id, "add", "one") == 1
    assert operations.update_run(run.id, "add", word="two") == 2

    assert operations.query_run(run.id, "words") == ["one", "two"]
    assert [data["result"] for data in entries(run.id, "UpdateCompleted")] == [1, 2]


def test_the_history_tells_who_asked_for_what(run: Any) -> None:
    operations.update_run(run.id, "add", "one", id="u", actor="ada", reason="as agreed")

    (told,) = entries(run.id, "UpdateReceived")
    assert (told["id"], told["name"], told["args"]) == ("u", "add", {"word": "one"})
    assert (told["actor"], told["reason"]) == ("ada", "as agreed")
    audited = AuditEntry.objects.get(act="update")
    assert (audited.actor, audited.reason, audited.run_id) == ("ada", "as agreed", run.id)


def test_an_update_before_the_first_task_is_answered_when_the_run_begins(workflow_env: WorkflowEnvironment) -> None:
    pending = workflow_env.start(ImprovisedWorkflow, improvise(listening))

    assert operations.update_run(pending.id, "add", "one") == 1


def test_an_update_that_awaits_is_answered_when_its_method_ends(workflow_env: WorkflowEnvironment, run: Any) -> None:
    with pytest.raises(UpdatePending) as pending:
        operations.update_run(run.id, "add_later", "a", id="u", timeout=SHORT)
    assert pending.value.id == "u"
    settle("a")

    assert operations.update_run(run.id, "add_later", "a", id="u") == "did a"
    assert effects.labels() == ["began a"]


def test_an_update_that_ends_a_wait_lets_the_run_go_on(workflow_env: WorkflowEnvironment, run: Any) -> None:
    assert operations.update_run(run.id, "add", "stop") == 1

    assert queries.get_run(run.id).result == ["stop"]


def test_waiting_for_an_answer_takes_virtual_time_and_no_more_than_asked_for(
    workflow_env: WorkflowEnvironment, run: Any
) -> None:
    before = workflow_env.now

    with pytest.raises(UpdatePending):
        operations.update_run(run.id, "add_later", "a", timeout=HOUR)

    assert workflow_env.now == before + HOUR


# --- Errors ----------------------------------------------------------------------------------------------------------


def test_an_error_in_the_method_is_the_answer_and_the_run_goes_on(workflow_env: WorkflowEnvironment, run: Any) -> None:
    with pytest.raises(UpdateFailed, match="nobody says that") as failed:
        operations.update_run(run.id, "add", "unspeakable", id="u")

    assert (failed.value.code, failed.value.id) == ("cast_refused", "u")
    assert str(failed.value.__cause__) == "nobody says that"
    assert state(run.id) == "waiting"
    assert operations.update_run(run.id, "add", "stop") == 1


def test_a_failed_step_in_the_method_is_the_answer(workflow_env: WorkflowEnvironment, run: Any) -> None:
    with pytest.raises(UpdatePending):
        operations.update_run(run.id, "add_later", "a", id="u", timeout=SHORT)
    refuse_later("a")

    with pytest.raises(UpdateFailed, match="no to a") as failed:
        operations.update_run(run.id, "add_later", "a", id="u")
    assert failed.value.code == "cast_refused"
    assert state(run.id) == "waiting"


def test_an_answer_of_the_wrong_type_is_an_error_of_the_update(run: Any) -> None:
    with pytest.raises(UpdateFailed) as failed:
        operations.update_run(run.id, "count_wrong")

    assert failed.value.code == "invalid_input"


def test_a_run_that_closes_settles_the_step_of_an_update_and_answers_it(
    workflow_env: WorkflowEnvironment, run: Any
) -> None:
    with pytest.raises(UpdatePending):
        operations.update_run(run.id, "add_later", "a", id="u", timeout=SHORT)
    operations.signal_run(run.id, "say", "stop")
    workflow_env.skip(NOW)
    assert state(run.id) == "waiting"
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "completed"
    assert operations.update_run(run.id, "add_later", "a", id="u") == "did a"


def test_a_run_that_closes_answers_an_update_that_waits_with_its_cancel(workflow_env: WorkflowEnvironment) -> None:
    class AskingWorkflow(ImprovisedWorkflow):
        name = "updates.Asking"

        @update
        async def ask(self, who: str) -> bool:
            """Answered by a signal, which never comes."""
            return await self.wait_for(lambda: who in self.heard)

    begun = begin(workflow_env, listening, AskingWorkflow)
    with pytest.raises(UpdatePending):
        operations.update_run(begun.id, "ask", "ada", id="u", timeout=SHORT)
    operations.signal_run(begun.id, "say", "stop")

    assert workflow_env.finish(begun.id) == ["stop"]
    with pytest.raises(UpdateFailed) as failed:
        operations.update_run(begun.id, "ask", "ada", id="u")
    assert failed.value.code == "cancelled"


def test_a_run_that_fails_without_answering_says_that_it_is_closed(workflow_env: WorkflowEnvironment, run: Any) -> None:
    with pytest.raises(UpdatePending):
        operations.update_run(run.id, "add_later", "a", id="u", timeout=SHORT)
    operations.signal_run(run.id, "break_off", "no")
    workflow_env.skip(NOW)
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "failed"
    with pytest.raises(UpdateFailed) as failed:
        operations.update_run(run.id, "add_later", "a", id="u")
    assert failed.value.code == "run_closed"


# --- Rejected --------------------------------------------------------------------------------------------------------


def test_a_rejected_update_leaves_no_trace_in_the_run(workflow_env: WorkflowEnvironment, run: Any) -> None:
    before = queries.get_history(run.id)

    for _ in range(2):
        with pytest.raises(UpdateRejected, match="an empty word") as rejected:
            operations.update_run(run.id, "add", "", id="u")

    assert rejected.value.code == "cast_refused"
    assert queries.get_history(run.id) == before
    assert operations.query_run(run.id, "words") == []


def test_a_validator_sees_the_state(workflow_env: WorkflowEnvironment, run: Any) -> None:
    for number in range(3):
        operations.update_run(run.id, "add", f"{number}")

    with pytest.raises(UpdateRejected, match="enough words"):
        operations.update_run(run.id, "add", "one too many")


def test_an_id_that_was_rejected_may_be_used_again(workflow_env: WorkflowEnvironment, run: Any) -> None:
    with pytest.raises(UpdateRejected):
        operations.update_run(run.id, "add", "", id="u")

    assert operations.update_run(run.id, "add", "one", id="u") == 1


# --- Once per id -----------------------------------------------------------------------------------------------------


def test_a_known_id_gives_its_stored_answer_whatever_is_sent(workflow_env: WorkflowEnvironment, run: Any) -> None:
    for word in ("one", "two", ""):
        assert operations.update_run(run.id, "add", word, id="u") == 1

    assert operations.query_run(run.id, "words") == ["one"]


def test_a_known_id_gives_its_stored_error(workflow_env: WorkflowEnvironment, run: Any) -> None:
    for word in ("unspeakable", "fine"):
        with pytest.raises(UpdateFailed, match="nobody says that"):
            operations.update_run(run.id, "add", word, id="u")


def test_a_known_id_is_answered_after_the_run_closed(workflow_env: WorkflowEnvironment, run: Any) -> None:
    operations.update_run(run.id, "add", "stop", id="u")
    workflow_env.restart()
    assert state(run.id) == "completed"

    assert operations.update_run(run.id, "add", "stop", id="u") == 1


def test_an_answer_survives_a_restart(workflow_env: WorkflowEnvironment, run: Any) -> None:
    with pytest.raises(UpdatePending):
        operations.update_run(run.id, "add_later", "a", id="u", timeout=SHORT)
    workflow_env.restart()
    settle("a")
    workflow_env.skip(NOW)
    workflow_env.restart()

    assert operations.update_run(run.id, "add_later", "a", id="u") == "did a"


def test_updates_without_an_id_are_each_their_own(workflow_env: WorkflowEnvironment, run: Any) -> None:
    assert [operations.update_run(run.id, "add", "same") for _ in range(2)] == [1, 2]


# --- Refused ---------------------------------------------------------------------------------------------------------


def test_a_held_run_has_nobody_to_answer(workflow_env: WorkflowEnvironment, run: Any) -> None:
    operations.pause_run(run.id, reason="look at it")

    with pytest.raises(NotAllowedInState, match="a held run has none"):
        operations.update_run(run.id, "add", "one")
    assert not InboxItem.objects.filter(run_id=run.id).exists()


def test_an_update_left_before_a_pause_is_answered_after_it(workflow_env: WorkflowEnvironment, run: Any) -> None:
    with pytest.raises(UpdatePending):
        operations.update_run(run.id, "add_later", "a", id="u", timeout=SHORT)
    operations.pause_run(run.id, reason="look at it")
    settle("a")
    workflow_env.skip(NOW)
    with pytest.raises(UpdatePending):
        operations.update_run(run.id, "add_later", "a", id="u", timeout=SHORT)
    operations.resume_run(run.id, reason="seen")

    assert operations.update_run(run.id, "add_later", "a", id="u") == "did a"


def test_a_closed_run_refuses_updates_and_its_history_is_unchanged(workflow_env: WorkflowEnvironment, run: Any) -> None:
    operations.update_run(run.id, "add", "stop")
    before = queries.get_history(run.id)

    with pytest.raises(NotAllowedInState):
        operations.update_run(run.id, "add", "late")

    assert queries.get_history(run.id) == before
    assert InboxItem.objects.filter(run_id=run.id).count() == 1


def test_an_update_after_the_code_has_ended_is_rejected(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        workflow.start(later, label="a")
        await workflow.activity(later, label="b")
        return "done"

    begun = begin(workflow_env, body)
    settle("b")
    workflow_env.skip(NOW)

    with pytest.raises(UpdateRejected) as rejected:
        operations.update_run(begun.id, "add", "late")

    assert rejected.value.code == "not_allowed_in_state"
    assert entries(begun.id, "UpdateReceived") == []
    settle("a")
    workflow_env.skip(NOW)


def test_a_run_held_by_its_failure_refuses_updates(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(refuse, label="a")

    begun = begin(workflow_env, body, HeldWorkflow)

    with pytest.raises(NotAllowedInState):
        operations.update_run(begun.id, "add", "late")


@pytest.mark.parametrize("name", ["unknown", "say", "words", "_check_add", ""])
def test_an_unknown_update_is_refused_and_names_the_known_ones(run: Any, name: str) -> None:
    with pytest.raises(UnknownMessage, match="add, add_later, count_wrong") as refusal:
        operations.update_run(run.id, name, "one")

    assert refusal.value.code == "unknown_update"
    assert not InboxItem.objects.filter(run_id=run.id).exists()


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), (("a", "b"), {}), ((["a"],), {}), ((), {"wrod": "a"})])
def test_an_update_of_the_wrong_shape_is_refused(run: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        operations.update_run(run.id, "add", *args, **kwargs)

    assert not InboxItem.objects.filter(run_id=run.id).exists()


def test_an_update_to_nobody_is_refused(run: Any) -> None:
    with pytest.raises(NotFound):
        operations.update_run(type(run.id)(int=1), "add", "one")


def test_an_update_needs_its_permission(run: Any, django_user_model: Any) -> None:
    with pytest.raises(PermissionRefused, match="update_run"):
        operations.update_run(run.id, "add", "one", actor=django_user_model.objects.create_user("nobody"))


def test_an_update_may_take_steps_whose_effects_are_undone_with_the_run(workflow_env: WorkflowEnvironment) -> None:
    class BookingWorkflow(ImprovisedWorkflow):
        name = "updates.Booking"

    async def body(workflow: ImprovisedWorkflow) -> None:
        await listening(workflow)
        await workflow.activity(make, label="b")
        await workflow.activity(refuse, label="c")

    begun = begin(workflow_env, body, BookingWorkflow)
    assert operations.update_run(begun.id, "add", "stop") == 1
    workflow_env.skip(NOW)

    assert state(begun.id) == "compensated"
