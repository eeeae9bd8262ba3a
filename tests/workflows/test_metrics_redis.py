"""Figures in Redis: the same as in the table; one that is away, silent, frozen or flushed costs a run nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from tests.workflows.cast import CastWorkflow
from tests.workflows.faulting import die, take_over
from tests.workflows.redises import BlackHole, OwnRedis, free_port
from tests.workflows.test_metrics import DoubtfulWorkflow, NapWorkflow
from workflows import queries
from workflows.metrics import FiguresAway, WorkflowMetricsCollector, documents
from workflows.metrics.documents import RedisDocuments, RowDocuments
from workflows.models import Figure
from workflows.testing import WorkflowEnvironment


@pytest.fixture(scope="module")
def _process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    server = OwnRedis(Path(tmp_path_factory.mktemp("redis")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(_process: OwnRedis) -> Iterator[OwnRedis]:
    _process.flush()
    yield _process
    _process.thaw() if _process._process is not None else _process.start()


@pytest.fixture(autouse=True)
def _rested() -> Iterator[None]:
    documents._redis.cache_clear()
    yield
    documents._redis.cache_clear()


@pytest.fixture
def env(workflow_env: WorkflowEnvironment) -> WorkflowEnvironment:
    return workflow_env


def using(url: str) -> override_settings:
    return override_settings(WORKFLOWS={**settings.WORKFLOWS, "REDIS_URL": url})


def nap(env: WorkflowEnvironment, number: int = 1) -> None:
    for _ in range(number):
        run = env.start(NapWorkflow)
        env.skip(timedelta(seconds=5))
        assert queries.get_run(run.id).status == "completed"


def test_redis_and_the_table_keep_the_same_figures(env: WorkflowEnvironment, server: OwnRedis) -> None:
    nap(env, 3)
    env.start(DoubtfulWorkflow)
    env.skip(timedelta(minutes=1))
    in_redis = WorkflowMetricsCollector(RedisDocuments(server.url, "test"))
    in_table = WorkflowMetricsCollector(RowDocuments())

    assert in_redis.collect() and in_table.collect() and in_redis.collect()

    assert in_redis.read() == in_table.read()
    assert in_redis.read().types["metrics.Nap"].closed == {"completed": 3}


def test_with_redis_the_table_stays_empty(env: WorkflowEnvironment, server: OwnRedis) -> None:
    with using(server.url):
        nap(env)
        metrics = queries.read_metrics()

    assert metrics.is_counted
    assert [(item.workflow, item.completed) for item in metrics.types] == [("metrics.Nap", 1)]
    assert not Figure.objects.exists()


def test_systems_that_share_a_redis_keep_apart_by_their_prefix(env: WorkflowEnvironment, server: OwnRedis) -> None:
    nap(env)
    one = WorkflowMetricsCollector(RedisDocuments(server.url, "one"))
    other = WorkflowMetricsCollector(RedisDocuments(server.url, "other"))
    one.collect()

    assert other.read().types == {}


def test_two_that_collect_at_once_count_a_closing_once(env: WorkflowEnvironment, server: OwnRedis) -> None:
    """The second one collects while the first is about to write: the first one's change is refused."""
    nap(env)
    slow, fast = RedisDocuments(server.url, "test"), RedisDocuments(server.url, "test")
    outcomes = []

    def decide(read: documents.Read) -> dict[str, documents.Document]:
        position = read("position")
        outcomes.append(WorkflowMetricsCollector(fast).collect())
        return {"position": position, "type:metrics.Nap": {"closed": {"completed": 77}}}

    outcomes.append(slow.update(decide))

    assert outcomes == [True, False]
    assert WorkflowMetricsCollector(slow).read().types["metrics.Nap"].closed == {"completed": 1}


def test_a_flushed_redis_is_filled_anew_from_the_rows(env: WorkflowEnvironment, server: OwnRedis) -> None:
    with using(server.url):
        nap(env, 2)
        before = queries.read_metrics()
        server.flush()

        assert queries.read_metrics() == before


def test_what_closes_while_redis_is_stopped_is_counted_once_it_is_back(
    env: WorkflowEnvironment, server: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    with using(server.url):
        nap(env)
        assert queries.read_metrics().is_counted
        server.stop()

        nap(env, 3)
        away = queries.read_metrics()
        server.start()
        documents._redis.cache_clear()  # its rest is over
        back = queries.read_metrics()

    assert not away.is_counted
    assert (away.types[0].completed, away.types[0].figures.durations) == (4, (5.0,) * 4)  # as the rows tell it
    assert "Redis does not answer" in caplog.text
    assert back.is_counted
    assert back.types[0].completed == 4


def test_a_port_where_nobody_listens_harms_no_run(env: WorkflowEnvironment) -> None:
    with using(f"redis://127.0.0.1:{free_port()}/0"):
        nap(env, 3)

        assert not WorkflowMetricsCollector().collect()
        assert queries.read_metrics().types[0].completed == 3


def test_a_silent_redis_is_met_by_no_run_and_once_by_all_who_collect(env: WorkflowEnvironment) -> None:
    """Each wait would be a time-out: after the first one Redis rests."""
    hole = BlackHole()
    try:
        with using(hole.url):
            nap(env, 5)
            assert len(hole.taken) == 0

            for _ in range(5):
                assert not WorkflowMetricsCollector().collect()
                assert not queries.read_metrics().is_counted
            run = env.start(CastWorkflow, ["write:a"])
            die(env, run.id, "attempt.before@cast.write")
            assert take_over(env) == [run.id]
    finally:
        hole.close()

    assert len(hole.taken) == 1
    assert queries.get_run(run.id).status == "completed"


def test_a_frozen_redis_is_left_alone_and_asked_again_later(
    env: WorkflowEnvironment, server: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(documents.time, "monotonic", lambda: now[0])
    figures = RedisDocuments(server.url, "test")
    nap(env)
    server.freeze()
    with pytest.raises(FiguresAway):
        figures.read_all()
    server.thaw()

    with pytest.raises(FiguresAway):  # it answers again, and rests
        figures.read_all()
    now[0] += documents.REST + 1

    assert figures.read_all() == {}
    assert WorkflowMetricsCollector(figures).collect()


def test_a_take_over_is_counted_in_redis(env: WorkflowEnvironment, server: OwnRedis) -> None:
    with using(server.url):
        run = env.start(CastWorkflow, ["write:a"])
        die(env, run.id, "attempt.before@cast.write")
        take_over(env)

        (item,) = queries.read_metrics().types

    assert (item.figures.taken_over, item.completed) == (1, 1)
