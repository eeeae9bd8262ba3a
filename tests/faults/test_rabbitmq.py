"""RabbitMQ as the broker, results in Redis, two workers: each way of waiting once, a killed worker, a doubled crowd."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests.faults.mixed_flows import KINDS
from tests.faults.services import RABBITMQ, require_rabbitmq
from tests.faults.system import LEASE, System

pytestmark = pytest.mark.workers

MEMBERS = 20
#: Seconds on top of twice the lease for starting a process anew on a loaded machine.
SLACK = 8.0


@pytest.fixture(scope="module")
def rabbit(make_system: Callable[..., System]) -> System:
    require_rabbitmq()
    system = make_system("rabbit", broker=RABBITMQ)
    system.start(workers=2)
    return system


def test_a_run_waits_in_each_way_and_ends(rabbit: System) -> None:
    """Steps in place, a chord, a timer, a signal, an update, a step that is completed later, a queue of its own."""
    label = f"everything-{uuid.uuid4()}"
    run_id = rabbit.ask("start", workflow="scenario.Everything", key=label, label=label, members=MEMBERS)
    rabbit.wait_entries(run_id, "TimerFired")

    rabbit.ask("signal", run_id=run_id, name="tell", args=["signalled"])
    rabbit.wait_entries(run_id, "SignalReceived")
    answer = rabbit.ask("update", run_id=run_id, name="decide", args=["yes"])
    rabbit.wait_for(lambda: rabbit.ask("complete", label=label, result="from outside"), what="a token was given")
    run = rabbit.wait_closed(run_id)

    assert answer == "decided: yes"
    assert (run["status"], run["result"]) == ("completed", f"{MEMBERS}/signalled/yes/from outside")
    booked = ["first", *(f"m{number}" for number in range(MEMBERS)), "last"]
    counts = rabbit.ask("effect_counts", label=f"{label}:%")
    assert {effect: number for effect, number in counts.items() if ":token:" not in effect} == {
        f"{label}:{part}": 1 for part in booked
    }
    assert rabbit.ask("verify", run_id=run_id) == []


@pytest.mark.parametrize(
    ("point", "step"),
    [("attempt.inside", "scenario.tell_out"), ("commit.before", "scenario.book")],
)
def test_a_killed_worker_costs_seconds(rabbit: System, point: str, step: str) -> None:
    """In an attempt that was sent out, and in a transactional step in place."""
    label = f"killed-{uuid.uuid4()}"
    rabbit.arm(f"{point}@{step}", "kill")

    run_id = rabbit.ask("start", workflow="scenario.SentOut", key=label, label=label)
    run = rabbit.wait_closed(run_id)

    assert rabbit.taken(f"{point}@{step}"), "the fault was not met"
    assert (run["status"], run["result"]) == ("completed", "in place")
    (lost,) = rabbit.wait_entries(run_id, "AttemptFailed")
    first, second = rabbit.wait_entries(run_id, "StepStarted", seq=lost["data"]["seq"])
    assert lost["data"]["error"]["code"] == "worker_lost"
    assert second["at"] - first["at"] < 2 * LEASE + SLACK
    assert rabbit.ask("effect_count", label=f"{label}:out") == 1
    assert rabbit.ask("effect_count", label=f"{label}:in place") == 1
    assert rabbit.ask("verify", run_id=run_id) == []


def test_many_runs_of_all_kinds_end(rabbit: System) -> None:
    crowd, count = f"crowd{uuid.uuid4().hex}", 2 * len(KINDS)
    rabbit.ask("crowd_begin", crowd=crowd, count=count)

    def all_closed() -> bool:
        progress = rabbit.ask("crowd_progress", crowd=crowd)
        assert progress["troubles"] == []
        return bool(progress["closed"] == count)

    rabbit.wait_for(all_closed, seconds=120, what="all runs closed")
    outcomes = rabbit.ask("crowd_outcomes", crowd=crowd)
    assert all(outcome["findings"] == [] for outcome in outcomes.values())
    assert {outcome["status"] for outcome in outcomes.values()} == {"completed", "compensated", "cancelled"}
