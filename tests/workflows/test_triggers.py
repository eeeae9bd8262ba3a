"""SEMANTICS E25: the database itself refuses moves that are not in the table, and edits of what is append-only."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from tests.workflows.cast import CastWorkflow
from workflows import operations, triggers
from workflows.core.status import RUN_MOVES, STEP_MOVES, UNSTARTED_KINDS, HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import AuditEntry, HistoryEvent, Run, Step

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def is_refused(write: Callable[[], object]) -> bool:
    """Whether the database refuses a write; what it does not refuse is taken back."""
    try:
        with transaction.atomic():
            write()
            raise InterruptedError
    except DatabaseError:
        return True
    except InterruptedError:
        return False


def run_in(status: RunStatus) -> Run:
    reason = HoldReason.PAUSED if status == RunStatus.HELD else ""
    return Run.objects.create(
        workflow="tests.Cast", version=1, status=status, hold_reason=reason, input="{}", input_digest="", seed="",
        actor="system", created_at=NOW,
    )  # fmt: skip


def step_in(status: StepStatus, kind: StepKind) -> Step:
    return Step.objects.create(
        run_id=uuid.uuid4(), seq=1, kind=kind, name="tests.step", status=status, key="k", args="{}", scheduled_at=NOW
    )


def move_run(run: Run, status: RunStatus) -> Callable[[], object]:
    reason = HoldReason.PAUSED if status == RunStatus.HELD else ""
    return lambda: Run.objects.filter(pk=run.pk).update(status=status, hold_reason=reason)


def move_step(step: Step, status: StepStatus) -> Callable[[], object]:
    return lambda: Step.objects.filter(run_id=step.run_id, seq=1).update(status=status)


# --- Moves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", sorted(RunStatus))
def test_a_run_moves_in_the_database_exactly_as_the_table_of_moves_says(old: RunStatus) -> None:
    run = run_in(old)

    refused = {new for new in RunStatus if is_refused(move_run(run, new))}

    assert refused == set(RunStatus) - RUN_MOVES[old] - {old}


@pytest.mark.parametrize("old", sorted(StepStatus))
@pytest.mark.parametrize("kind", [StepKind.ACTIVITY, StepKind.COMPENSATION, StepKind.CHILD])
def test_a_step_that_runs_moves_exactly_as_the_table_of_moves_says(old: StepStatus, kind: StepKind) -> None:
    step = step_in(old, kind)

    refused = {new for new in StepStatus if is_refused(move_step(step, new))}

    allowed = STEP_MOVES[old] - ({StepStatus.COMPLETED} if old == StepStatus.SCHEDULED else set())
    assert refused == set(StepStatus) - allowed - {old}


@pytest.mark.parametrize("kind", sorted(UNSTARTED_KINDS))
def test_a_step_that_never_runs_may_be_completed_from_scheduled(kind: StepKind) -> None:
    step = step_in(StepStatus.SCHEDULED, kind)

    assert not is_refused(move_step(step, StepStatus.COMPLETED))


def test_other_columns_of_a_closed_run_may_change() -> None:
    run = run_in(RunStatus.COMPENSATED)

    assert not is_refused(lambda: Run.objects.filter(pk=run.pk).update(crashes=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "unheard_of"},
        {"status": "held"},
        {"hold_reason": "paused"},
        {"status": "held", "hold_reason": "unheard_of"},
    ],
)
def test_a_state_that_does_not_exist_is_refused(wrong: dict[str, Any]) -> None:
    run = run_in(RunStatus.PENDING)

    assert is_refused(lambda: Run.objects.filter(pk=run.pk).update(**wrong))


# --- Append-only -----------------------------------------------------------------------------------------------------


@pytest.fixture
def started() -> uuid.UUID:
    """A run with one event and one audit row."""
    return operations.start_run(CastWorkflow, ["write:a"]).id


@pytest.mark.parametrize("model", [HistoryEvent, AuditEntry])
def test_what_is_append_only_can_be_neither_edited_nor_removed(started: uuid.UUID, model: Any) -> None:
    rows = model.objects.filter(run_id=started)

    assert is_refused(lambda: rows.update(data="{}") if model is HistoryEvent else rows.update(reason="edited"))
    assert is_refused(rows.delete)
    assert rows.count() == 1


@pytest.mark.parametrize("model", [HistoryEvent, AuditEntry])
def test_under_the_maintenance_mark_it_can_be_removed_and_after_it_no_more(started: uuid.UUID, model: Any) -> None:
    rows = model.objects.filter(run_id=started)

    with maintenance():
        assert not is_refused(rows.delete)

    assert is_refused(rows.delete)


def maintenance() -> Any:
    """The mark that pruning sets."""
    return _Maintenance()


class _Maintenance:
    def __enter__(self) -> None:
        self._write("SET LOCAL finaegis.maintenance = 'on'", "INSERT INTO workflows_maintenance (mark) VALUES (1)")

    def __exit__(self, *raised: object) -> None:
        self._write("SET LOCAL finaegis.maintenance = 'off'", "DELETE FROM workflows_maintenance")

    def _write(self, postgres: str, sqlite: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(postgres if connection.vendor == "postgresql" else sqlite)


# --- Where triggers get lost -----------------------------------------------------------------------------------------


@pytest.fixture
def _put_back() -> Iterator[None]:
    yield
    triggers.install(connection)


@pytest.mark.usefixtures("_put_back")
def test_a_migrate_puts_every_trigger_back(started: uuid.UUID) -> None:
    """On SQLite the rebuild of a table drops its triggers without a word."""
    triggers.uninstall(connection)
    rows = HistoryEvent.objects.filter(run_id=started)
    run = run_in(RunStatus.COMPENSATED)
    assert not is_refused(rows.delete)
    assert not is_refused(move_run(run, RunStatus.RUNNING))

    call_command("migrate", "workflows", verbosity=0)

    assert is_refused(rows.delete)
    assert is_refused(move_run(run, RunStatus.RUNNING))


@pytest.mark.usefixtures("_put_back")
def test_installing_twice_changes_nothing(started: uuid.UUID) -> None:
    triggers.install(connection)
    triggers.install(connection)

    assert is_refused(HistoryEvent.objects.filter(run_id=started).delete)


@pytest.mark.django_db(transaction=True)
def test_a_flush_of_the_test_database_passes_and_leaves_the_triggers_in_place() -> None:
    """Without the plugin every test with real transactions would fail on SQLite."""
    operations.start_run(CastWorkflow, ["write:a"])

    call_command("flush", verbosity=0, interactive=False)

    assert not HistoryEvent.objects.exists()
    started = operations.start_run(CastWorkflow, ["write:a"]).id
    assert is_refused(HistoryEvent.objects.filter(run_id=started).delete)
