"""SEMANTICS E24: an edited, removed or reordered event shows, and so does a row that its history does not tell."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from tests.workflows.cast import NOW, CastHoldsWorkflow, CastWorkflow
from workflows import operations, queries, triggers
from workflows.contracts import WorkflowRun
from workflows.core.errors import NotFound
from workflows.models import HistoryEvent, Run, Step
from workflows.store import seals
from workflows.testing import WorkflowEnvironment


@contextmanager
def tampering() -> Iterator[None]:
    """What somebody with full access to the database can do: take the triggers away."""
    triggers.uninstall(connection)
    try:
        yield
    finally:
        triggers.install(connection)


@pytest.fixture
def run(workflow_env: WorkflowEnvironment) -> WorkflowRun:
    """A run that was compensated, with a failed attempt on its way."""
    run = workflow_env.start(CastWorkflow, ["make:a", "disturb:b", "refuse:c"])
    workflow_env.skip(timedelta(minutes=5))
    assert queries.get_run(run.id).status == "compensated"
    return queries.get_run(run.id)


def problems(run_id: uuid.UUID) -> list[tuple[int | None, str]]:
    return [(finding.position, finding.problem) for finding in queries.verify_run(run_id)]


def event(run_id: uuid.UUID, position: int) -> Any:
    return HistoryEvent.objects.filter(run_id=run_id, position=position)


def test_an_untouched_run_is_clean_at_each_point_of_its_life(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastHoldsWorkflow, ["make:a", "disturb:b", "refuse:c"])
    assert problems(run.id) == []
    workflow_env.skip(NOW)
    assert problems(run.id) == []
    workflow_env.skip(timedelta(minutes=5))
    assert problems(run.id) == []
    operations.cancel_run(run.id, reason="give it up")
    assert problems(run.id) == []
    workflow_env.skip(NOW)
    assert problems(run.id) == []


# --- The chain -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        {"data": "{}"},
        {"kind": "StepCompleted"},
        {"at": "2020-01-01T00:00:00Z"},
        {"hash": b"x" * 32},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_an_edited_event_shows_at_its_position(run: WorkflowRun, edit: dict[str, Any]) -> None:
    with tampering():
        event(run.id, 4).update(**edit)

    assert problems(run.id) == [(4, "the event was edited, moved or put in")]


def test_an_edited_payload_shows_however_small_the_edit(run: WorkflowRun) -> None:
    data = event(run.id, 3).values_list("data", flat=True).get()
    with tampering():
        event(run.id, 3).update(data=data.replace('"a"', '"b"'))

    assert problems(run.id)[0][0] == 3


def test_a_removed_event_shows(run: WorkflowRun) -> None:
    with tampering():
        event(run.id, 5).delete()

    assert problems(run.id) == [(5, "event 5 is missing")]


def test_a_cut_tail_shows(run: WorkflowRun) -> None:
    with tampering():
        last = HistoryEvent.objects.filter(run_id=run.id).count()
        event(run.id, last).delete()

    assert problems(run.id) == [(last - 1, "the history does not end where the run says it does")]


def test_reordered_events_show(run: WorkflowRun) -> None:
    """They are moved with everything they have, hashes too."""
    with tampering(), connection.cursor() as cursor:
        key = run.id if connection.vendor == "postgresql" else run.id.hex
        for old, new in ((4, 1004), (5, 4), (1004, 5)):
            cursor.execute(
                "UPDATE workflows_history SET position = %s WHERE run_id = %s AND position = %s", [new, key, old]
            )

    assert problems(run.id)[0] == (4, "the event was edited, moved or put in")


def test_an_event_of_another_run_does_not_fit(workflow_env: WorkflowEnvironment, run: WorkflowRun) -> None:
    other = workflow_env.start(CastWorkflow, ["make:a"])
    workflow_env.skip(NOW)
    foreign = event(other.id, 3).values("kind", "at", "data", "hash").get()
    with tampering():
        event(run.id, 3).update(**foreign)

    assert problems(run.id)[0][0] == 3


def test_an_event_put_in_at_the_end_shows(run: WorkflowRun) -> None:
    last = HistoryEvent.objects.filter(run_id=run.id).count()
    HistoryEvent.objects.create(
        run_id=run.id, position=last + 1, kind="RunCompleted", at=run.created_at, data="{}", hash=b"y" * 32
    )

    assert problems(run.id) == [(last + 1, "the event was edited, moved or put in")]


def test_a_chain_cannot_be_rebuilt_without_the_key(run: WorkflowRun, settings: Settings) -> None:
    """The key stands outside the database: under another one the whole chain is foreign."""
    settings.WORKFLOWS = {**settings.WORKFLOWS, "HISTORY_KEY": "another key"}

    assert problems(run.id) == [(1, "the event was edited, moved or put in")]


def test_shredding_the_key_of_sensitive_fields_leaves_the_chain_clean(run: WorkflowRun, settings: Settings) -> None:
    """Hashes cover what is stored, not what it means."""
    settings.WORKFLOWS = {**settings.WORKFLOWS, "ENCRYPTION_KEYS": ["a new key"]}

    assert problems(run.id) == []


# --- Rows against events ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ({"status": "completed"}, "the run's row says completed, its history compensated"),
        ({"result": '"edited"'}, "the run's result is not the one its history tells"),
        ({"error": None}, "the run's error is not the one its history tells"),
        ({"input": '{"script":[]}'}, "the run's name, key or input is not the one it was started with"),
        ({"workflow": "tests.CastHolds"}, "the run's name, key or input is not the one it was started with"),
        ({"version": 2}, "the run's name, key or input is not the one it was started with"),
        ({"key": "k"}, "the run's name, key or input is not the one it was started with"),
        ({"head_seq": 3}, "the history does not end where the run says it does"),
        ({"head_hash": b"z" * 32}, "the history does not end where the run says it does"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_an_edited_run_shows(run: WorkflowRun, edit: dict[str, Any], problem: str) -> None:
    with tampering():
        Run.objects.filter(pk=run.id).update(**edit)

    assert [told for _, told in problems(run.id)] == [problem]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ({"status": "cancelled"}, "step 1 is cancelled, its history says completed"),
        ({"result": '"edited"'}, "step 1"),
        ({"args": '{"label":"edited"}'}, "step 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_an_edited_step_shows(run: WorkflowRun, edit: dict[str, Any], problem: str) -> None:
    with tampering():
        Step.objects.filter(run_id=run.id, seq=1).update(**edit)

    (told,) = [told for _, told in problems(run.id)]
    assert problem in told


def test_a_removed_step_shows(run: WorkflowRun) -> None:
    with tampering():
        Step.objects.filter(run_id=run.id, seq=2).delete()

    assert [told for _, told in problems(run.id)] == ["step 2 is missing, its history says completed"]


def test_a_hold_that_nobody_recorded_shows(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb:a"])
    workflow_env.skip(NOW)
    with tampering():
        Run.objects.filter(pk=run.id).update(status="held", hold_reason="paused")

    assert problems(run.id) != []


def test_all_runs_are_verified_and_each_finding_names_its_run(
    workflow_env: WorkflowEnvironment, run: WorkflowRun
) -> None:
    clean = workflow_env.start(CastWorkflow, ["write:a"])
    with tampering():
        event(run.id, 2).delete()
    seen: list[int] = []

    findings = list(queries.verify_all(lambda: seen.append(1)))

    assert {finding.run_id for finding in findings} == {run.id}
    assert clean.id not in {finding.run_id for finding in findings}
    assert len(seen) == 2


def test_an_unknown_run_cannot_be_verified(db: None) -> None:
    with pytest.raises(NotFound):
        queries.verify_run(uuid.uuid4())


# --- Sealed heads ----------------------------------------------------------------------------------------------------


@pytest.fixture
def seal_file(tmp_path: Path, settings: Settings) -> Path:
    path = tmp_path / "seals"
    settings.WORKFLOWS = {**settings.WORKFLOWS, "SEAL_FILE": str(path)}
    return path


def cut(run_id: uuid.UUID, position: int) -> None:
    """Cut the history after `position` and make the run's row fit, as somebody careful would."""
    with tampering():
        HistoryEvent.objects.filter(run_id=run_id, position__gt=position).delete()
        head = bytes(event(run_id, position).values_list("hash", flat=True).get())
        Run.objects.filter(pk=run_id).update(head_seq=position, head_hash=head)


def test_a_tail_cut_together_with_the_runs_row_shows_by_its_seal(
    workflow_env: WorkflowEnvironment, seal_file: Path, run: WorkflowRun
) -> None:
    assert seals.seal_heads() == 1
    cut(run.id, 3)

    assert "the history is not the one that was sealed" in [told for _, told in problems(run.id)]


def test_a_run_removed_altogether_shows_by_its_seal(seal_file: Path, run: WorkflowRun) -> None:
    seals.seal_heads()
    with tampering():
        HistoryEvent.objects.filter(run_id=run.id).delete()
        Step.objects.filter(run_id=run.id).delete()
        Run.objects.filter(pk=run.id).delete()

    assert [(found.run_id, found.problem) for found in queries.verify_all()] == [
        (run.id, "the run was sealed, but it is gone")
    ]


def test_an_edited_seal_is_not_genuine(seal_file: Path, run: WorkflowRun) -> None:
    seals.seal_heads()
    seal_file.write_text(seal_file.read_text().replace('"position":', '"position":1'))

    assert [found.problem for found in queries.verify_all()] == ["a line of the seal file is not genuine"]


def test_a_head_is_sealed_again_only_when_it_moved(
    workflow_env: WorkflowEnvironment, seal_file: Path, run: WorkflowRun
) -> None:
    open_run = workflow_env.start(CastWorkflow, ["write:a"])
    assert (seals.seal_heads(), seals.seal_heads()) == (2, 0)

    workflow_env.now += timedelta(seconds=1)
    workflow_env.skip(NOW)

    assert seals.seal_heads() == 1
    assert [seal.run_id for seal in seals.read_seals()].count(open_run.id) == 2
    assert list(queries.verify_all()) == []
