"""Figures of runs: each closing counted once, from rows, by whoever collects, and without a statement of any run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from tests.workflows.cast import CastWorkflow
from tests.workflows.faulting import die, take_over
from workflows import NonRetryable, Retry, Sensitive, Workflow, activity, operations, queries
from workflows.metrics import BUCKETS, Figures, TypeFigures, WorkflowMetricsCollector, collector, documents, tally
from workflows.metrics.documents import RowDocuments
from workflows.models import Figure, Run
from workflows.runtime import advance
from workflows.testing import WorkflowEnvironment

START = datetime(2026, 7, 1, tzinfo=UTC)
SECRET = "078-05-1120-planted"
#: Whether `metrics.doubtful` works.
WORKS = {"now": False}


class Down(Exception):
    """The other side does not answer."""

    code = "metrics_down"


@activity(name="metrics.doubtful", retry=Retry(max_attempts=2, initial=1.0))
def doubtful() -> str:
    """Works or does not."""
    if not WORKS["now"]:
        raise Down("the gateway answered 503")
    return "done"


@activity(name="metrics.tell")
def tell(*, secret: Sensitive[str]) -> None:
    """Says what nobody may hear."""
    raise NonRetryable(f"{secret.reveal()} is not welcome", code="metrics_unwelcome")


class NapWorkflow(Workflow[None]):
    """Sleep, and be done."""

    name = "metrics.Nap"

    async def execute(self, seconds: int = 5) -> None:
        await self.sleep(timedelta(seconds=seconds))


class DoubtfulWorkflow(Workflow[str]):
    """One step that may fail for good."""

    name = "metrics.Doubtful"
    on_failure = "fail"

    async def execute(self) -> str:
        return await self.activity(doubtful)


class TellingWorkflow(Workflow[None]):
    """Fail with something secret in the error."""

    name = "metrics.Telling"

    async def execute(self, secret: Sensitive[str]) -> None:
        await self.activity(tell, secret=secret)


@pytest.fixture(autouse=True)
def _fails_at_first() -> None:
    WORKS["now"] = False


@pytest.fixture
def env(workflow_env: WorkflowEnvironment) -> WorkflowEnvironment:
    return workflow_env


def counted() -> Figures:
    """The figures with all that closed until now."""
    metrics = WorkflowMetricsCollector()
    metrics.collect()
    return metrics.read()


def of(workflow: str) -> TypeFigures:
    return counted().types[workflow]


def nap(env: WorkflowEnvironment, *seconds: int) -> None:
    for length in seconds:
        env.start(NapWorkflow, length)
        env.skip(timedelta(seconds=length))


def fail(env: WorkflowEnvironment) -> Run:
    run = env.start(DoubtfulWorkflow)
    env.skip(timedelta(minutes=1))
    return Run.objects.get(pk=run.id)


# --- What is counted -------------------------------------------------------------------------------------------------


def test_a_completed_run_is_counted_with_how_long_it_took(env: WorkflowEnvironment) -> None:
    nap(env, 5, 70)

    figures = of("metrics.Nap")

    assert figures.closed == {"completed": 2}
    assert figures.durations == (5.0, 70.0)
    assert figures.seconds == 75.0
    assert figures.buckets[BUCKETS.index(5)] == figures.buckets[BUCKETS.index(300)] == 1
    assert sum(figures.buckets) == 2


def test_each_closing_is_counted_once_however_often_and_by_whomever(env: WorkflowEnvironment) -> None:
    nap(env, 5)
    first, second = WorkflowMetricsCollector(), WorkflowMetricsCollector(RowDocuments())

    assert all(metrics.collect() for metrics in (first, second, first, second))
    assert first.read().types["metrics.Nap"].closed == {"completed": 1}
    nap(env, 5)
    assert second.collect() and first.collect()
    assert first.read() == second.read()
    assert first.read().types["metrics.Nap"].closed == {"completed": 2}


def test_a_run_that_is_open_or_held_counts_as_started_alone(env: WorkflowEnvironment) -> None:
    env.start(NapWorkflow)
    operations.pause_run(env.start(NapWorkflow).id, reason="lunch")
    env.skip(timedelta(0))

    assert of("metrics.Nap") == TypeFigures(started=2)


def test_runs_count_by_how_they_ended_and_only_completed_ones_by_how_long(env: WorkflowEnvironment) -> None:
    fail(env)
    operations.cancel_run(env.start(NapWorkflow).id, reason="entered twice")
    env.start(CastWorkflow, ["make:a", "refuse:b"])
    env.skip(timedelta(minutes=5))

    types = counted().types

    assert {name: figures.closed for name, figures in types.items()} == {
        "metrics.Doubtful": {"failed": 1},
        "metrics.Nap": {"cancelled": 1},
        "tests.Cast": {"compensated": 1},
    }
    assert all(figures.durations == () for figures in types.values())


def test_a_retried_run_counts_as_failed_and_then_as_completed(env: WorkflowEnvironment) -> None:
    run = fail(env)
    assert of("metrics.Doubtful").attempts == 2
    WORKS["now"] = True
    operations.retry_run(run.id, reason="the gateway is back")
    env.skip(timedelta(minutes=1))

    figures = of("metrics.Doubtful")

    assert figures.closed == {"failed": 1, "completed": 1}
    assert figures.attempts == 3


def test_a_closing_that_commits_a_moment_late_is_counted(env: WorkflowEnvironment) -> None:
    nap(env, 5, 5)
    early, late = Run.objects.order_by("closed_at")
    Run.objects.filter(pk=early.pk).update(closed_at=None)  # its transaction has not committed yet
    assert of("metrics.Nap").closed == {"completed": 1}

    Run.objects.filter(pk=early.pk).update(closed_at=early.closed_at)

    assert early.closed_at is not None and late.closed_at is not None and early.closed_at < late.closed_at
    assert of("metrics.Nap").closed == {"completed": 2}


def test_what_was_counted_long_ago_is_not_remembered_run_by_run(env: WorkflowEnvironment) -> None:
    nap(env, 5, 5, 5)
    counted()
    nap(env, 300, 5)
    counted()

    position = json.loads(Figure.objects.get(pk=tally.POSITION).document)

    assert (len(position["closed"]["seen"]), len(position["started"]["seen"])) == (2, 1)
    assert of("metrics.Nap").closed == {"completed": 5}


def test_more_than_one_change_counts_them_all(env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    nap(env, 1, 1, 1, 1, 1)
    monkeypatch.setattr(collector, "BATCH", 2)

    assert of("metrics.Nap").closed == {"completed": 5}
    assert of("metrics.Nap").started == 5


def test_figures_that_are_lost_are_counted_anew_from_the_rows(env: WorkflowEnvironment) -> None:
    nap(env, 5, 70)
    fail(env)
    before = counted()

    Figure.objects.all().delete()

    assert counted() == before


# --- Errors and attempts ---------------------------------------------------------------------------------------------


def test_errors_tell_what_and_when_and_never_a_secret(env: WorkflowEnvironment) -> None:
    run = fail(env)
    env.start(TellingWorkflow, SECRET)
    env.skip(timedelta(minutes=1))

    down, unwelcome = counted().errors

    assert (down.at, down.workflow, down.run_id) == (run.closed_at, "metrics.Doubtful", run.id)
    assert "the gateway answered 503" in down.message
    assert "is not welcome" in unwelcome.message
    assert SECRET not in "".join(Figure.objects.values_list("document", flat=True))


def test_the_last_thousand_errors_and_durations_are_kept() -> None:
    ends: tally.Document = {}
    errors: tally.Document = {}
    for number in range(1005):
        at = START + timedelta(seconds=number)
        error = {"type": "Down", "code": "down", "message": f"no. {number} " + "x" * 1000}
        tally.add_closing(ends, tally.Closing(uuid4(), "w", "completed", at, at + timedelta(seconds=number), None, 1))
        tally.add_error(errors, tally.Closing(uuid4(), "w", "failed", at, at, error, 1))

    found = tally.figures_of({"type:w": ends, tally.ERRORS: errors})

    assert (len(found.errors), found.errors[-1].message[:9]) == (1000, "no. 1004 ")
    assert max(len(error.message) for error in found.errors) == 500
    assert (len(found.types["w"].durations), found.types["w"].durations[-1]) == (1000, 1004.0)
    assert sum(found.types["w"].buckets) == 1005


def test_a_duration_stands_in_the_first_bucket_that_it_does_not_exceed() -> None:
    at = START
    for seconds, place in ((0.05, 0), (0.051, 1), (10_000_000, len(BUCKETS))):
        document: tally.Document = {}
        tally.add_closing(
            document, tally.Closing(uuid4(), "w", "completed", at, at + timedelta(seconds=seconds), None, 1)
        )

        assert document["buckets"].index(1) == place


def test_failed_attempts_count_by_activity_while_their_run_is_still_open(env: WorkflowEnvironment) -> None:
    env.start(DoubtfulWorkflow)
    env.skip(timedelta(0))

    assert counted().failed_attempts == {("metrics.doubtful", "failed"): 1}
    assert counted().failed_attempts == {("metrics.doubtful", "failed"): 1}


def test_a_take_over_counts_and_its_lost_attempt_too(env: WorkflowEnvironment) -> None:
    run = env.start(CastWorkflow, ["write:a"])
    die(env, run.id, "attempt.before@cast.write")

    assert take_over(env) == [run.id]

    figures = counted()
    assert figures.types[run.workflow].taken_over == 1
    assert figures.failed_attempts == {("cast.write", "lost"): 1}
    assert figures.types[run.workflow].closed == {"completed": 1}


def test_a_run_that_nobody_took_over_counts_none(env: WorkflowEnvironment) -> None:
    nap(env, 5)

    assert of("metrics.Nap").taken_over == 0


# --- What it costs ---------------------------------------------------------------------------------------------------


def test_driving_a_run_sends_no_statement_for_figures(env: WorkflowEnvironment) -> None:
    run = env.start(CastWorkflow, ["write:a", "book:b"])

    with CaptureQueriesContext(connection) as sent:
        advance.advance(run.id)

    assert queries.get_run(run.id).status == "completed"
    assert [query["sql"] for query in sent if "workflows_figure" in query["sql"]] == []


def test_collecting_costs_the_same_however_much_closed(env: WorkflowEnvironment) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as sent:
            WorkflowMetricsCollector().collect()
        return len(sent)

    nap(env, 5)
    cost()
    nap(env, 5)
    few = cost()
    nap(env, *[5] * 20)
    many = cost()

    assert many == few <= 18
    assert cost() <= 4  # nothing new


def test_a_database_that_fails_is_logged_and_raises_nothing(
    env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: RowDocuments, decide: documents.Decide) -> bool:
        raise DatabaseError("no room")

    nap(env, 5)
    monkeypatch.setattr(RowDocuments, "update", broken)

    assert not WorkflowMetricsCollector().collect()
    WorkflowMetricsCollector().taken_over("metrics.Nap")
    assert "figures could not be counted" in caplog.text
    assert "a take-over of metrics.Nap could not be counted" in caplog.text
    monkeypatch.undo()
    assert of("metrics.Nap").closed == {"completed": 1}
