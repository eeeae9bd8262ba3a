"""SEMANTICS D22: one run per key for ever; what a start writes, and what it refuses before anything is written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused, CastWorkflow
from tests.workflows.views import entries, kinds, sound
from workflows import Sensitive, Workflow, activity, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import InvalidInput, KeyConflict, StartRefused, UnknownWorkflow
from workflows.models import AuditEntry, HistoryEvent, Run
from workflows.testing import WorkflowEnvironment

SCRIPT = ["write:a"]


@activity(name="starting.check_amount")
def check_amount(*, amount: Decimal) -> None:
    effects.write(f"checked {amount}")
    if amount > 100:
        raise CastRefused(f"{amount} is too much")


@activity(name="starting.break_down")
def break_down(*, note: str) -> None:
    if note == "broken":
        raise OSError("the register is away")


class CheckedWorkflow(Workflow[str]):
    """Checks before it starts, and as a step."""

    start_checks = (check_amount, break_down)

    async def execute(self, amount: Decimal, note: str = "", secret: Sensitive[str] = Sensitive("none")) -> str:
        await self.activity(check_amount, amount=amount)
        return note


class OldWorkflow(Workflow[str]):
    """The first version."""

    name = "starting.Versioned"

    async def execute(self) -> str:
        return "old"


class NewWorkflow(Workflow[str]):
    """The second version."""

    name = "starting.Versioned"
    version = 2

    async def execute(self) -> str:
        return "new"


def nothing_written() -> bool:
    return not (Run.objects.exists() or HistoryEvent.objects.exists() or AuditEntry.objects.exists())


# --- What a start writes ---------------------------------------------------------------------------------------------


def test_a_start_writes_the_run_its_first_event_and_an_audit_row(workflow_env: WorkflowEnvironment) -> None:
    run = operations.start_run(CheckedWorkflow, Decimal("1.50"), key="k", actor="ada", reason="a customer asked")

    assert run.created
    assert (run.workflow, run.version, run.key, run.status, run.actor) == ("tests.Checked", 1, "k", "pending", "ada")
    assert run.input == {"amount": "1.50", "note": "", "secret": "•••"}
    assert (run.created_at, run.wake_at, run.attempt) == (workflow_env.now, workflow_env.now, 1)
    (started,) = entries(run.id, "RunStarted")
    assert (started["actor"], started["reason"], started["key"]) == ("ada", "a customer asked", "k")
    (audit,) = queries.list_audit(run_id=run.id)
    assert (audit.act, audit.actor, audit.reason) == ("start", "ada", "a customer asked")
    sound(run.id)


def test_a_workflow_is_started_by_class_or_by_name(workflow_env: WorkflowEnvironment) -> None:
    assert operations.start_run("tests.Cast", SCRIPT).workflow == CastWorkflow.name
    assert operations.start_run(CastWorkflow, script=SCRIPT).workflow == CastWorkflow.name


def test_a_name_means_its_newest_version_and_a_class_its_own(workflow_env: WorkflowEnvironment) -> None:
    assert operations.start_run("starting.Versioned").version == 2
    assert operations.start_run(OldWorkflow).version == 1
    assert operations.start_run("starting.Versioned", version=1).version == 1
    assert workflow_env.run("starting.Versioned", version=1) == "old"


def test_a_delayed_start_runs_when_it_is_due_and_not_before(workflow_env: WorkflowEnvironment) -> None:
    run = operations.start_run(CastWorkflow, SCRIPT, delay=timedelta(hours=1))

    workflow_env.skip(timedelta(minutes=59))
    assert effects.labels() == []
    workflow_env.skip(timedelta(minutes=1))

    assert queries.get_run(run.id).status == "completed"


# --- Keys ------------------------------------------------------------------------------------------------------------


def test_d22_the_same_key_and_input_give_the_run_that_exists(workflow_env: WorkflowEnvironment) -> None:
    first = operations.start_run(CheckedWorkflow, Decimal("1"), key="k")
    workflow_env.finish(first.id)

    second = operations.start_run(CheckedWorkflow, amount=Decimal("1"), note="", key="k", actor="another")

    assert (second.id, second.created, second.status) == (first.id, False, "completed")
    assert Run.objects.count() == 1
    assert len(queries.list_audit()) == 1
    assert kinds(first.id).count("RunStarted") == 1


@pytest.mark.parametrize("other", [{"amount": Decimal("2")}, {"amount": Decimal("1"), "secret": "another"}])
def test_d22_the_same_key_with_another_input_is_a_conflict(
    workflow_env: WorkflowEnvironment, other: dict[str, Any]
) -> None:
    """Also when they differ in a secret only: its stored forms are never equal, so its digest decides."""
    first = operations.start_run(CheckedWorkflow, Decimal("1"), key="k")

    with pytest.raises(KeyConflict) as conflict:
        operations.start_run(CheckedWorkflow, key="k", **other)

    assert (conflict.value.code, conflict.value.key, conflict.value.run_id) == ("key_conflict", "k", first.id)
    assert Run.objects.count() == 1


def test_d22_equal_inputs_with_a_secret_are_equal(workflow_env: WorkflowEnvironment) -> None:
    first = operations.start_run(CheckedWorkflow, Decimal("1"), secret="s", key="k")

    assert operations.start_run(CheckedWorkflow, Decimal("1"), secret=Sensitive("s"), key="k").id == first.id


def test_d22_a_key_belongs_to_one_workflow_name(workflow_env: WorkflowEnvironment) -> None:
    one = operations.start_run(CastWorkflow, SCRIPT, key="k")
    other = operations.start_run(OldWorkflow, key="k")
    newer = operations.start_run(NewWorkflow, key="k")

    assert one.id != other.id
    assert newer.id == other.id


def test_d22_without_a_key_each_start_is_a_run_of_its_own(workflow_env: WorkflowEnvironment) -> None:
    assert operations.start_run(CastWorkflow, SCRIPT).id != operations.start_run(CastWorkflow, SCRIPT).id


@pytest.mark.parametrize("key", ["", "x" * 256, 5, "a\x00b", "\ud800"])
def test_a_key_that_is_no_storable_text_is_refused(db: None, key: Any) -> None:
    with pytest.raises(InvalidInput):
        operations.start_run(CastWorkflow, SCRIPT, key=key)
    assert nothing_written()


@pytest.mark.django_db(transaction=True)
def test_d22_starts_of_one_key_at_the_same_time_make_one_run() -> None:
    """Insert-or-read: the loser of the race waits for the winner and reads its row."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite admits one writer at a time; set DATABASE_URL to a Postgres")
    together = threading.Barrier(4)
    made: list[WorkflowRun] = []

    def start() -> None:
        together.wait()
        made.append(operations.start_run(CastWorkflow, SCRIPT, key="raced"))
        connection.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 4
    assert len({run.id for run in made}) == 1
    assert [run.created for run in made].count(True) == 1
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_d22_a_start_that_is_rolled_back_never_happened(workflow_env: WorkflowEnvironment) -> None:
    def start_and_fail() -> None:
        with transaction.atomic():
            operations.start_run(CastWorkflow, SCRIPT, key="k")
            raise RuntimeError("the caller changed its mind")

    with pytest.raises(RuntimeError):
        start_and_fail()
    workflow_env.skip(NOW)

    assert nothing_written()
    assert effects.labels() == []
    assert operations.start_run(CastWorkflow, ["write:b"], key="k").created


@pytest.mark.django_db(transaction=True)
def test_d22_the_hint_goes_out_only_after_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    hints: list[Any] = []
    monkeypatch.setattr("workflows.runtime.dispatch.send_advance", lambda run_id, **more: hints.append(run_id))

    with transaction.atomic():
        run = operations.start_run(CastWorkflow, SCRIPT)
        assert hints == []

    assert hints == [run.id]


# --- Refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        lambda: operations.start_run(CheckedWorkflow),
        lambda: operations.start_run(CheckedWorkflow, "much"),
        lambda: operations.start_run(CheckedWorkflow, Decimal("NaN")),
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), unknown=1),
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), note="a\x00b"),
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), note="\ud800"),
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), note="x" * 300_000),
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), delay=5),  # type: ignore[arg-type]
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), delay=timedelta(days=-1)),
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), delay=timedelta(days=4000)),
        lambda: operations.start_run(CheckedWorkflow, Decimal("1"), reason="x" * 3000),
    ],
)
def test_a_start_that_does_not_fit_is_refused_before_anything_is_written(db: None, start: Callable[[], Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        start()

    assert refusal.value.code in ("invalid_input", "input_too_large")
    assert nothing_written()


@pytest.mark.parametrize(
    ("workflow", "version"),
    [("tests.Nowhere", None), ("starting.Versioned", 3), (OldWorkflow, 9), (object, None), ("\ud800", None)],
)
def test_an_unknown_workflow_or_version_is_refused(db: None, workflow: Any, version: int | None) -> None:
    with pytest.raises(UnknownWorkflow) as refusal:
        operations.start_run(workflow, version=version)

    assert refusal.value.code == "unknown_workflow"
    str(refusal.value).encode()
    assert nothing_written()


# --- Start checks ----------------------------------------------------------------------------------------------------


def test_a_start_check_that_says_no_refuses_with_its_code_and_nothing_is_written(db: None) -> None:
    with pytest.raises(StartRefused) as refusal:
        operations.start_run(CheckedWorkflow, Decimal("101"), key="k")

    assert refusal.value.code == "cast_refused"
    assert "too much" in str(refusal.value)
    assert nothing_written()


def test_a_start_check_gets_the_arguments_that_it_declares_and_the_run_asks_it_again_as_a_step(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CheckedWorkflow, Decimal("1"))
    assert effects.labels() == ["checked 1"]

    workflow_env.finish(run.id)

    assert effects.labels() == ["checked 1", "checked 1"]


def test_a_known_key_returns_its_run_before_any_check_is_asked(workflow_env: WorkflowEnvironment) -> None:
    first = operations.start_run(CheckedWorkflow, Decimal("1"), key="k")
    checked = effects.labels()

    assert operations.start_run(CheckedWorkflow, Decimal("1"), key="k").id == first.id
    assert effects.labels() == checked


def test_a_check_that_breaks_down_is_no_refusal_and_starts_nothing(db: None) -> None:
    with pytest.raises(OSError, match="register is away"):
        operations.start_run(CheckedWorkflow, Decimal("1"), note="broken")
    assert nothing_written()


def test_a_start_check_is_not_asked_on_replay(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CheckedWorkflow, Decimal("1"))
    workflow_env.restart()
    workflow_env.finish(run.id)

    assert effects.count("checked 1") == 2
