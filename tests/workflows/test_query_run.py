"""Queries of a run: pure, from its history, open or closed; nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflows.cast import NOW, refuse
from tests.workflows.improvised import (
    HOUR,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    settle,
    state,
)
from workflows import NonDeterminismError, Workflow, operations, queries, query, store
from workflows.core.definitions import registry
from workflows.core.errors import CodeMissing, InvalidInput, NotFound, PermissionRefused, QueryFailed, UnknownMessage
from workflows.models import AuditEntry, HistoryEvent, InboxItem, Run
from workflows.runtime import suspended
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


class AnsweringWorkflow(Workflow[None]):
    """Answers in several shapes."""

    name = "query_run.Answering"

    async def execute(self) -> None:
        self.since = self.now()
        await self.sleep(HOUR)

    @query
    def wrong(self) -> int:
        """Not of its type."""
        return "many"  # type: ignore[return-value]

    @query
    def waited(self) -> str:
        """Knows the time of the last fact."""
        return str(self.now() - self.since)


async def listening(workflow: ImprovisedWorkflow) -> list[str]:
    await workflow.wait_for(lambda: "stop" in workflow.heard)
    return list(workflow.heard)


@pytest.fixture
def run(workflow_env: WorkflowEnvironment) -> Any:
    """A run that has heard one word."""
    begun = begin(workflow_env, listening)
    operations.signal_run(begun.id, "say", "one")
    workflow_env.skip(NOW)
    return begun


def rows() -> tuple[Any, ...]:
    """Everything a query might have written."""
    runs = list(Run.objects.order_by("id").values())
    return runs, HistoryEvent.objects.count(), InboxItem.objects.count(), AuditEntry.objects.count()


def test_a_query_answers_from_the_state_and_writes_nothing(run: Any) -> None:
    before = rows()

    assert operations.query_run(run.id, "words") == ["one"]
    assert operations.query_run(run.id, "count", "one") == 1
    assert operations.query_run(run.id, "count", word="two") == 0

    assert rows() == before


def test_a_query_sees_what_was_delivered_and_not_what_waits(workflow_env: WorkflowEnvironment, run: Any) -> None:
    operations.signal_run(run.id, "say", "two")
    assert operations.query_run(run.id, "words") == ["one"]
    workflow_env.skip(NOW)

    assert operations.query_run(run.id, "words") == ["one", "two"]


def test_a_query_that_changes_the_state_changes_a_copy(workflow_env: WorkflowEnvironment, run: Any) -> None:
    assert operations.query_run(run.id, "meddle", "write") == "write"

    assert operations.query_run(run.id, "words") == ["one"]
    operations.signal_run(run.id, "say", "stop")
    assert workflow_env.finish(run.id) == ["one", "stop"]


def test_a_query_leaves_the_run_that_is_kept_in_memory_alone(workflow_env: WorkflowEnvironment, run: Any) -> None:
    kept = suspended._kept[run.id].machine

    operations.query_run(run.id, "meddle", "write")

    assert suspended._kept[run.id].machine is kept
    assert kept._workflow.heard == ["one"]


@pytest.mark.parametrize("how", ["track", "start", "chance", "caught"])
def test_a_query_that_asks_for_something_is_refused(run: Any, how: str) -> None:
    before = rows()

    with pytest.raises(NonDeterminismError, match="query meddle may only read"):
        operations.query_run(run.id, "meddle", how)

    assert rows() == before
    assert state(run.id) == "waiting"


def test_a_query_of_a_closed_run_answers_from_its_last_state(workflow_env: WorkflowEnvironment, run: Any) -> None:
    operations.signal_run(run.id, "say", "stop")
    workflow_env.finish(run.id)

    assert operations.query_run(run.id, "words") == ["one", "stop"]


@pytest.mark.parametrize("end", ["failed", "cancelled", "held", "compensating"])
def test_a_query_answers_however_the_run_stands(workflow_env: WorkflowEnvironment, end: str) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        workflow.heard.append("begun")
        if end in ("failed", "held"):
            await workflow.activity(refuse, label="a")
        await workflow.sleep(HOUR)

    begun = begin(workflow_env, body, HeldWorkflow if end == "held" else ImprovisedWorkflow)
    if end == "cancelled":
        operations.cancel_run(begun.id, reason="no need")
        workflow_env.skip(NOW)

    assert operations.query_run(begun.id, "words") == ["begun"]


def test_a_query_while_a_step_runs(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        workflow.heard.append(await workflow.activity(later, label="a"))

    begun = begin(workflow_env, body)
    assert operations.query_run(begun.id, "words") == []
    settle("a")
    workflow_env.skip(NOW)

    assert operations.query_run(begun.id, "words") == ["did a"]


def test_a_query_before_the_run_began_has_no_state_to_tell(workflow_env: WorkflowEnvironment) -> None:
    pending = workflow_env.start(ImprovisedWorkflow, improvise(listening))

    with pytest.raises(QueryFailed) as refusal:
        operations.query_run(pending.id, "words")

    assert refusal.value.code == "not_begun"


def test_what_a_query_raises_is_told_with_its_code(run: Any) -> None:
    with pytest.raises(QueryFailed, match="that word is not counted") as refusal:
        operations.query_run(run.id, "count", "forbidden")

    assert refusal.value.code == "cast_refused"


def test_an_answer_of_the_wrong_type_is_refused(workflow_env: WorkflowEnvironment) -> None:
    begun = workflow_env.start(AnsweringWorkflow)
    workflow_env.skip(NOW)

    with pytest.raises(QueryFailed):
        operations.query_run(begun.id, "wrong")


def test_now_in_a_query_is_the_time_of_the_last_fact(workflow_env: WorkflowEnvironment) -> None:
    begun = workflow_env.start(AnsweringWorkflow)
    workflow_env.skip(HOUR / 2)
    assert operations.query_run(begun.id, "waited") == "0:00:00"
    workflow_env.skip(HOUR)

    assert operations.query_run(begun.id, "waited") == "1:00:00"


@pytest.mark.parametrize("name", ["unknown", "say", "add", "_check_add", ""])
def test_an_unknown_query_is_refused_and_names_the_known_ones(run: Any, name: str) -> None:
    with pytest.raises(UnknownMessage, match="count, meddle, words") as refusal:
        operations.query_run(run.id, name)

    assert refusal.value.code == "unknown_query"


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), (("a", "b"), {}), ((["a"],), {}), ((), {"wrod": "a"})])
def test_a_query_of_the_wrong_shape_is_refused(run: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        operations.query_run(run.id, "count", *args, **kwargs)


def test_a_query_of_nobody_is_refused(run: Any) -> None:
    with pytest.raises(NotFound):
        operations.query_run(type(run.id)(int=1), "words")


def test_a_query_needs_its_permission(run: Any, django_user_model: Any) -> None:
    with pytest.raises(PermissionRefused, match="query_run"):
        operations.query_run(run.id, "words", actor=django_user_model.objects.create_user("nobody"))


def test_a_query_of_a_run_whose_code_is_not_here_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as gone:
        gone.setitem(registry.workflows, ImprovisedWorkflow.name, {})
        with pytest.raises(CodeMissing):
            operations.query_run(run.id, "words")


def test_a_query_of_a_run_whose_code_no_longer_fits_says_so(workflow_env: WorkflowEnvironment, run: Any) -> None:
    async def other(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep(HOUR)

    other.__name__ = "listening"
    improvise(other)
    with pytest.raises(NonDeterminismError):
        operations.query_run(run.id, "words")
    improvise(listening)

    assert operations.query_run(run.id, "words") == ["one"]


def test_a_query_takes_no_lease_and_few_statements(run: Any) -> None:
    before = store.statements.sent

    operations.query_run(run.id, "words")

    assert store.statements.sent - before <= 2
    assert queries.get_run(run.id).status == "waiting"
