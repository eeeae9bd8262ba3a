"""Figures over REST and for Prometheus."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from tests.api.cast import AdditionWorkflow, RefusedWorkflow
from tests.api.conftest import assert_problem
from tests.workflows.redises import free_port
from workflows import Retry, Workflow, activity, operations
from workflows.metrics import documents
from workflows.runtime import advance

pytestmark = pytest.mark.django_db


@activity(name="restmetrics.print", queue="printing")
def print_out(*, n: int) -> int:
    return n


@activity(name="restmetrics.stumble", retry=Retry(max_attempts=3, initial=60.0))
def stumble() -> None:
    raise RuntimeError("not yet")


class PrintingWorkflow(Workflow[int]):
    """One step on a queue of its own."""

    name = "restmetrics.Printing"

    async def execute(self, n: int) -> int:
        return await self.activity(print_out, n=n)


class NapWorkflow(Workflow[None]):
    """Sleep for seconds."""

    name = "restmetrics.Nap"

    async def execute(self, seconds: int) -> None:
        await self.sleep(timedelta(seconds=seconds))


class StumblingWorkflow(Workflow[None]):
    """One step that fails and waits."""

    name = "restmetrics.Stumbling"
    on_failure = "fail"

    async def execute(self) -> None:
        await self.activity(stumble)


def figures(client):
    return client.get("/api/v1/metrics/").json()


def of(client, workflow):
    return next(item for item in figures(client)["workflows"] if item["workflow"] == workflow)


def families(**headers):
    """What Prometheus reads: name and labels -> value."""
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


# --- REST ------------------------------------------------------------------------------------------------------------


def test_figures_of_a_workflow_are_there_at_once(viewer, workflow_env):
    for n in range(3):
        operations.start_run(AdditionWorkflow, n)
    workflow_env.skip(timedelta(0))
    operations.start_run(AdditionWorkflow, 4, delay=timedelta(hours=1))

    told = of(viewer, "rest.Addition")

    assert (told["started"], told["completed"], told["active"]) == (4, 3, 1)
    assert told["closed"] == {"completed": 3}
    assert told["attempts"] == 3
    assert told["durations"] == {"latest": [0.0] * 3, "p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert figures(viewer)["is_counted"] is True


def test_durations_are_told_with_their_quantiles(viewer, workflow_env):
    for seconds in (100, 1, 10):
        operations.start_run(NapWorkflow, seconds)
    workflow_env.skip(timedelta(minutes=3))

    durations = of(viewer, "restmetrics.Nap")["durations"]

    assert durations == {"latest": [1.0, 10.0, 100.0], "p50": 10.0, "p95": 100.0, "p99": 100.0}


def test_a_held_run_is_active_and_a_failed_one_tells_its_error_newest_first(viewer, workflow_env):
    operations.start_run(RefusedWorkflow, 1)
    operations.start_run(StumblingWorkflow)
    workflow_env.skip(timedelta(hours=1))

    told = figures(viewer)

    assert of(viewer, "rest.Refused")["active"] == 1
    (error,) = told["errors"]
    assert error["workflow"] == "restmetrics.Stumbling"
    assert error["code"] and "not yet" in error["message"]
    assert {(item["activity"], item["how"]): item["number"] for item in told["failed_attempts"]} == {
        ("rest.refuse", "failed"): 1,
        ("restmetrics.stumble", "failed"): 3,
    }


def test_figures_are_for_who_may_view_runs(client_with, anonymous):
    assert_problem(client_with("ledger.view_account").get("/api/v1/metrics/"), 403, "permission_denied")
    assert_problem(anonymous.get("/api/v1/metrics/"), 401, "not_authenticated")


def test_without_its_redis_it_tells_how_the_runs_stand_and_says_so(viewer, workflow_env):
    operations.start_run(AdditionWorkflow, 1)
    operations.start_run(StumblingWorkflow)
    workflow_env.skip(timedelta(hours=1))
    documents._redis.cache_clear()

    with override_settings(WORKFLOWS={**settings.WORKFLOWS, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}):
        told = figures(viewer)

    assert told["is_counted"] is False
    assert {item["workflow"]: item["closed"] for item in told["workflows"]} == {
        "rest.Addition": {"completed": 1},
        "restmetrics.Stumbling": {"failed": 1},
    }
    assert len(told["errors"]) == 1


def test_figures_cost_the_same_however_many_runs_there_are(viewer, workflow_env, django_assert_max_num_queries):
    for n in range(20):
        operations.start_run(AdditionWorkflow, n)
    workflow_env.skip(timedelta(0))
    figures(viewer)

    with django_assert_max_num_queries(8):
        figures(viewer)


# --- Prometheus ------------------------------------------------------------------------------------------------------


def test_counters_and_the_histogram_are_those_of_the_figures(workflow_env):
    operations.start_run(AdditionWorkflow, 1)
    operations.start_run(NapWorkflow, 100)
    operations.start_run(StumblingWorkflow)
    workflow_env.skip(timedelta(hours=1))

    told = families()

    assert told["finaegis_runs_started_total", "restmetrics.Nap"] == 1
    assert told["finaegis_runs_closed_total", "completed", "restmetrics.Nap"] == 1
    assert told["finaegis_runs_closed_total", "failed", "restmetrics.Stumbling"] == 1
    assert told["finaegis_attempts_total", "restmetrics.Stumbling"] == 3
    assert told["finaegis_failed_attempts_total", "failed", "restmetrics.stumble"] == 3
    assert told["finaegis_take_overs_total", "restmetrics.Nap"] == 0
    assert told["finaegis_run_duration_seconds_bucket", "60.0", "restmetrics.Nap"] == 0
    assert told["finaegis_run_duration_seconds_bucket", "300.0", "restmetrics.Nap"] == 1
    assert told["finaegis_run_duration_seconds_bucket", "+Inf", "restmetrics.Nap"] == 1
    assert told["finaegis_run_duration_seconds_sum", "restmetrics.Nap"] == 100
    assert told["finaegis_figures_up",] == 1


def test_gauges_tell_what_waits_now(workflow_env):
    operations.start_run(NapWorkflow, 60)
    operations.start_run(StumblingWorkflow)
    workflow_env.skip(timedelta(0))
    operations.start_run(AdditionWorkflow, 1)
    workflow_env.now += timedelta(seconds=90)

    told = families()

    assert told["finaegis_timer_lag_seconds",] == 30
    assert told["finaegis_oldest_due_run_seconds",] == 90
    assert told["finaegis_due_runs",] >= 1
    assert told["finaegis_retrying_steps",] == 1
    assert told["finaegis_runs_in_doubt",] == 0


def test_a_timer_of_a_held_run_is_no_lag(workflow_env):
    run = operations.start_run(NapWorkflow, 60)
    workflow_env.skip(timedelta(0))
    operations.pause_run(run.id, reason="lunch")
    workflow_env.skip(timedelta(0))
    workflow_env.now += timedelta(hours=1)

    assert families()["finaegis_timer_lag_seconds",] == 0


def test_what_no_worker_has_begun_is_told_by_its_queue(workflow_env):
    run = operations.start_run(PrintingWorkflow, 1)
    advance_only(run)
    workflow_env.now += timedelta(seconds=30)

    told = families()

    assert told["finaegis_queue_depth", "printing"] == 1
    assert told["finaegis_queue_oldest_seconds", "printing"] == 30


def advance_only(run):
    """Drive the run until its step is sent out; no worker takes it."""
    advance.advance(run.id)


def test_while_redis_is_away_gauges_are_told_and_no_counter(workflow_env):
    operations.start_run(AdditionWorkflow, 1)
    workflow_env.skip(timedelta(0))
    documents._redis.cache_clear()

    with override_settings(WORKFLOWS={**settings.WORKFLOWS, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}):
        told = families()

    assert told["finaegis_figures_up",] == 0
    assert told["finaegis_runs", "completed", "rest.Addition"] == 1
    assert not any(name.endswith(("_total", "_bucket")) for name, *_ in told)


def test_with_a_token_set_it_asks_for_it(db):
    with override_settings(METRICS_TOKEN="hush-4711"):
        refused = [Client().get("/metrics", headers=headers) for headers in (
            {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic hush-4711"}, {"Authorization": "hush-4711"},
        )]  # fmt: skip
        told = families(Authorization="Bearer hush-4711")

    assert [(answer.status_code, answer["WWW-Authenticate"]) for answer in refused] == [(401, "Bearer")] * 4
    assert all(b"finaegis" not in answer.content for answer in refused)
    assert told["finaegis_figures_up",] == 1
