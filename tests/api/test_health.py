"""Health and metrics: what a load balancer and Prometheus see."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.migrations.executor import MigrationExecutor
from django.test import Client, override_settings

from finaegis import views
from tests.api.cast import AdditionWorkflow, NapWorkflow
from workflows import operations
from workflows.runtime import recovery

pytestmark = pytest.mark.django_db


@pytest.fixture
def probe():
    return Client()


def test_a_process_that_answers_is_alive(probe):
    response = probe.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_alive_does_not_ask_the_database(probe, django_assert_num_queries):
    with django_assert_num_queries(0):
        probe.get("/health/live")


def test_ready_names_what_it_checked(probe):
    response = probe.get("/health/ready")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"database": "ok", "migrations": "ok"}}


def test_without_its_database_it_is_not_ready(probe, monkeypatch):
    def fail():
        raise OperationalError("no route to 10.0.0.7")

    monkeypatch.setattr(views, "_database", fail)

    response = probe.get("/health/ready")

    assert (response.status_code, response.json()["checks"]["database"]) == (503, "failed")
    assert "10.0.0.7" not in response.content.decode()


def test_with_a_migration_to_come_it_is_not_ready(probe, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])

    response = probe.get("/health/ready")

    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "failed")


@override_settings(BROKER_URL="redis://127.0.0.1:1/0", REDIS_URL="redis://127.0.0.1:1/0")
def test_without_its_broker_and_redis_it_is_degraded_but_works(probe):
    response = probe.get("/health/ready")

    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"] == {
        "database": "ok", "migrations": "ok", "broker": "failed", "redis": "failed",
    }  # fmt: skip


def test_metrics_count_runs_by_type_and_state(probe, workflow_env):
    operations.start_run(AdditionWorkflow, 1)
    workflow_env.skip(timedelta(0))
    operations.start_run(NapWorkflow)

    text = probe.get("/metrics").content.decode()

    assert 'finaegis_runs{state="completed",workflow="rest.Addition"} 1.0' in text
    assert 'finaegis_runs{state="pending",workflow="rest.Nap"} 1.0' in text


def test_metrics_tell_how_long_the_oldest_due_run_waits(probe, workflow_env):
    operations.start_run(AdditionWorkflow, 1)
    operations.start_run(AdditionWorkflow, 1, delay=timedelta(hours=1))
    workflow_env.now += timedelta(seconds=90)

    assert "finaegis_oldest_due_run_seconds 90.0" in probe.get("/metrics").content.decode()


def test_metrics_tell_of_runs_that_no_worker_takes(probe, workflow_env):
    operations.start_run(AdditionWorkflow, 1)

    seen = []
    for _ in range(2):
        recovery.wake_due()
        seen.append("finaegis_unclaimed_runs 1.0" in probe.get("/metrics").content.decode())
        workflow_env.now += timedelta(seconds=11)

    assert seen == [False, True]


def test_metrics_count_anew_only_after_a_multiple_of_what_counting_took(probe, monkeypatch):
    taken = iter([0.0, 0.5, 10.4, 10.6, 10.7])
    counted = []
    monkeypatch.setattr(views.time, "monotonic", lambda: next(taken))
    monkeypatch.setattr(views.queries, "count_by_type_and_state", lambda: counted.append(1) or [])

    for _ in range(3):
        views.counts.read()

    assert len(counted) == 2


def test_metrics_without_a_database_are_503(probe, monkeypatch):
    def fail():
        raise OperationalError("away")

    monkeypatch.setattr(views.queries, "count_by_type_and_state", fail)

    assert probe.get("/metrics").status_code == 503


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_a_probe_only_reads(probe, path):
    assert probe.post(path).status_code == 405


def test_the_root_leads_to_the_console(probe):
    response = probe.get("/")

    assert (response.status_code, response["Location"]) == (302, "/admin/")
