"""Children, chains and sagas on real workers that are killed: each starts once, is told once, is undone once.

Seen to fail: with the sweep's `tell_untold` taken out, a parent whose child's worker died before it told waits for
ever; with the delivery's effect outside its transaction, a killed delivery starts no saga.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers


def start(system: System, workflow: str, **inputs: Any) -> tuple[str, str]:
    label = uuid.uuid4().hex[:12]
    return label, system.ask("start", workflow=workflow, key=label, label=label, **inputs)


def whole(system: System, run_id: str) -> None:
    for one in [run_id, *[child["id"] for child in system.ask("children", run_id=run_id)]]:
        assert system.ask("verify", run_id=one) == []


def test_twenty_children_side_by_side_three_of_which_fail(system: System) -> None:
    label, run_id = start(system, "families.Parent", number=20, failing=[2, 7, 19])

    run = system.wait_closed(run_id, seconds=90)

    assert (run["status"], run["error"]["code"]) == ("compensated", "refused")
    assert [child["status"] for child in system.ask("children", run_id=run_id)] == ["compensated"] * 20
    for made in [f"{label}-parent", *[f"{label}-{index}" for index in range(20)]]:
        assert (system.ask("effect_count", label=made), system.ask("effect_count", label=f"undo {made}")) == (1, 1)
    whole(system, run_id)


def test_a_timer_and_a_signal_of_a_child_reach_the_child_once(system: System) -> None:
    label, run_id = start(system, "families.Parent", number=1, failing=[], listens=True)
    (child,) = system.wait_for(lambda: system.ask("children", run_id=run_id), what="the child is there")

    system.ask("signal", run_id=child["id"], name="say", args=["hello"])
    run = system.wait_closed(run_id)

    assert run["result"] == [f"{label}-0,hello"]
    kinds = [entry["kind"] for entry in system.ask("history", run_id=child["id"])]
    assert (kinds.count("SignalReceived"), kinds.count("TimerFired")) == (1, 1)


POINTS = (
    "child.inserted@families.Child",
    "commit.before@families.make",
    "commit.after@families.make",
    "telling.before@families.Child",
    "telling.after@families.Child",
)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_around_a_child_costs_seconds_and_nothing_else(own_system: System, point: str) -> None:
    own_system.arm(point, "kill")

    label, run_id = start(own_system, "families.Parent", number=3, failing=[])
    run = own_system.wait_closed(run_id, seconds=60)

    assert own_system.taken(point), "the fault was not met"
    assert run["result"] == [f"{label}-{index}" for index in range(3)]
    assert len(own_system.ask("children", run_id=run_id)) == 3
    assert [own_system.ask("effect_count", label=f"{label}-{index}") for index in range(3)] == [1, 1, 1]
    whole(own_system, run_id)


@pytest.mark.parametrize("point", ["undo.asked@families.Child", "telling.before@families.Child"])
def test_a_worker_killed_around_the_undo_of_a_child_undoes_it_once(own_system: System, point: str) -> None:
    label, run_id = start(own_system, "families.Parent", number=2, failing=[])
    assert own_system.wait_closed(run_id)["status"] == "completed"
    own_system.arm(point, "kill")

    own_system.ask("act", name="compensate", run_id=run_id)
    own_system.wait_for(lambda: own_system.ask("show", run_id=run_id)["status"] == "compensated", seconds=60)

    assert own_system.taken(point), "the fault was not met"
    assert [own_system.ask("effect_count", label=f"undo {label}-{index}") for index in range(2)] == [1, 1]
    whole(own_system, run_id)


def test_a_cancel_reaches_children_on_other_workers(system: System) -> None:
    label, run_id = start(system, "families.Parent", number=4, failing=[], listens=True)
    system.wait_for(lambda: len(system.ask("children", run_id=run_id)) == 4, what="the children are there")

    system.ask("act", name="cancel", run_id=run_id)
    run = system.wait_closed(run_id)

    assert run["status"] == "cancelled"
    assert {child["status"] for child in system.ask("children", run_id=run_id)} == {"cancelled"}
    made = [system.ask("effect_count", label=f"{label}-{index}") for index in range(4)]
    assert [system.ask("effect_count", label=f"undo {label}-{index}") for index in range(4)] == made
    whole(system, run_id)


# --- Chains ----------------------------------------------------------------------------------------------------------


def test_signals_to_a_chain_that_goes_on_are_met_once_each(system: System) -> None:
    label, run_id = start(system, "families.Chain", links=12)
    for _ in range(20):
        system.ask("signal", run_id=run_id, name="say")
    links = system.wait_for(lambda: system.ask("closed_chain", run_id=run_id), seconds=60, what="the chain ends")

    met = [entry for link in links for entry in system.ask("history", run_id=link) if entry["kind"] == "SignalReceived"]
    assert len(met) == 20
    assert [system.ask("effect_count", label=f"{label}-{index}") for index in range(13)] == [1] * 13


@pytest.mark.parametrize("point", ["link.begun@families.Chain", "commit.before@families.make"])
def test_a_worker_killed_between_links_loses_and_doubles_nothing(own_system: System, point: str) -> None:
    own_system.arm(point, "kill")

    label, run_id = start(own_system, "families.Chain", links=3, fails=True)
    links = own_system.wait_for(lambda: own_system.ask("closed_chain", run_id=run_id), seconds=60, what="it ends")

    assert own_system.taken(point), "the fault was not met"
    assert len(links) == 4 and own_system.ask("show", run_id=links[-1])["status"] == "compensated"
    for index in range(4):
        assert own_system.ask("effect_count", label=f"{label}-{index}") == 1
        assert own_system.ask("effect_count", label=f"undo {label}-{index}") == 1
    for link in links:
        assert own_system.ask("verify", run_id=link) == []


# --- Sagas -----------------------------------------------------------------------------------------------------------


def test_a_saga_starts_once_when_its_event_is_delivered_five_times_by_two_workers(system: System) -> None:
    name = uuid.uuid4().hex[:12]

    system.ask("publish_founding", name=name, size=0, hints=5)
    (run_id,) = system.wait_for(lambda: system.ask("runs_of_key", key=f"family:{name}"), what="the saga is there")
    system.wait_closed(run_id)

    assert system.ask("runs_of_key", key=f"family:{name}") == [run_id]
    assert system.ask("effect_count", label=f"{name}-founded") == 1


def test_an_event_of_a_rolled_back_transaction_starts_nothing(system: System) -> None:
    name, after = uuid.uuid4().hex[:12], uuid.uuid4().hex[:12]

    system.ask("publish_founding", name=name, size=0, hints=5, rolled_back=True)
    system.ask("publish_founding", name=after, size=0, hints=1)
    system.wait_for(lambda: system.ask("runs_of_key", key=f"family:{after}"), what="a later saga is there")

    assert system.ask("runs_of_key", key=f"family:{name}") == []


def test_an_event_whose_hint_was_lost_is_delivered(system: System) -> None:
    name = uuid.uuid4().hex[:12]

    system.ask("publish_founding", name=name, size=0, hints=0)

    assert system.wait_for(lambda: system.ask("runs_of_key", key=f"family:{name}"), what="the saga is there")


@pytest.mark.parametrize("point", ["event.taken@families.Saga", "event.delivered@families.Saga"])
def test_a_worker_killed_between_event_and_start_loses_nothing(own_system: System, point: str) -> None:
    name = uuid.uuid4().hex[:12]
    own_system.arm(point, "kill")

    own_system.ask("publish_founding", name=name, size=2, hints=2)
    for member in ("ada", "bo"):
        own_system.ask("publish_birth", name=name, member=member)
    (run_id,) = own_system.wait_for(lambda: own_system.ask("runs_of_key", key=f"family:{name}"), what="it is there")
    run = own_system.wait_closed(run_id, seconds=60)

    assert own_system.taken(point), "the fault was not met"
    assert run["result"] == ["ada", "bo"]
    assert own_system.ask("effect_count", label=f"{name}-founded") == 1
    whole(own_system, run_id)


def test_events_of_one_key_come_in_order_though_two_workers_deliver(system: System) -> None:
    name = uuid.uuid4().hex[:12]
    members = [f"m{number}" for number in range(30)]

    system.ask("publish_founding", name=name, size=len(members), hints=1)
    for member in members:
        system.ask("publish_birth", name=name, member=member)
    (run_id,) = system.wait_for(lambda: system.ask("runs_of_key", key=f"family:{name}"), what="it is there")

    assert system.wait_closed(run_id, seconds=60)["result"] == members
