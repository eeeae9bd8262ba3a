"""Time, chance, side effects, entries and logs: the same on replay as they were live."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest

from tests.core.flows import BODIES, ProbeWorkflow, probe, step, undo_step
from tests.core.memory import MemoryRun
from workflows import NonDeterminismError
from workflows.core.commands import AddCompensation, RecordSideEffect, Track
from workflows.core.errors import PayloadError
from workflows.core.machine import Finished

SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_seen_yet() -> None:
    SEEN.clear()


def live_and_replayed(run: MemoryRun) -> tuple[list[Any], list[Any]]:
    """What the code saw live, and what it sees when its whole history is replayed."""
    live = list(SEEN)
    SEEN.clear()
    run.replayed()
    return live, list(SEEN)


async def draw(workflow: ProbeWorkflow) -> None:
    """Draws before and after a step."""
    for label in ("before", "after"):
        SEEN.append(workflow.now())
        SEEN.append(workflow.uuid4())
        SEEN.append(workflow.random().random())
        SEEN.append(workflow.random().randint(1, 10**9))
        await workflow.activity(step, label=label)


def test_now_uuid4_and_random_are_equal_on_replay() -> None:
    run = probe(draw)
    run.start()
    run.complete(1)

    live, replayed = live_and_replayed(run)

    assert live == replayed
    assert len(set(map(str, live))) == len(live) == 8
    assert isinstance(live[1], uuid.UUID)
    assert live[1].version == 4


def test_chance_is_the_runs_own() -> None:
    probe(draw, seed="one").start()
    one = list(SEEN)
    SEEN.clear()
    probe(draw, seed="two").start()

    assert one[1:] != SEEN[1:]


# --- Side effects ----------------------------------------------------------------------------------------------------


async def effect(workflow: ProbeWorkflow) -> Any:
    """One side effect and one step."""
    value = await workflow.side_effect(lambda: SEEN.append("ran") or {"rate": 1.5})  # type: ignore[func-returns-value]
    await workflow.activity(step, label="a")
    return value


def test_a_side_effect_runs_once_and_replay_gives_what_was_recorded() -> None:
    run = probe(effect)
    recorded, _ = run.start()
    assert isinstance(recorded, RecordSideEffect)
    assert (recorded.result, recorded.error) == ({"rate": 1.5}, None)

    machine = run.replayed()

    assert SEEN == ["ran"]
    assert machine.next_seq == run.machine.next_seq
    run.complete(2)
    assert run.machine.finished == Finished(result={"rate": 1.5})


def test_a_side_effect_that_raised_raises_the_same_on_replay_and_does_not_run_again() -> None:
    async def failing(workflow: ProbeWorkflow) -> None:
        def refuse() -> None:
            SEEN.append("ran")
            raise LookupError("no rate today")

        try:
            await workflow.side_effect(refuse)
        except Exception as met:
            SEEN.append((str(met), getattr(met, "type", None)))
        await workflow.activity(step, label="a")

    run = probe(failing)
    run.start()
    live, replayed = live_and_replayed(run)

    assert live == ["ran", ("no rate today", "LookupError")]
    assert replayed == [("no rate today", "LookupError")]


def test_what_a_side_effect_gives_must_be_storable() -> None:
    async def odd(workflow: ProbeWorkflow) -> None:
        await workflow.side_effect(object)

    run = probe(odd)
    (recorded,) = run.start()

    assert isinstance(recorded, RecordSideEffect)
    assert recorded.error is not None
    assert recorded.error["code"] == PayloadError.code


def test_a_side_effect_may_not_call_an_activity() -> None:
    async def sly(workflow: ProbeWorkflow) -> None:
        await workflow.side_effect(lambda: step(label="a"))

    with pytest.raises(NonDeterminismError):
        probe(sly).start()


# --- Entries, undos by hand, info, log -------------------------------------------------------------------------------


def test_an_entry_and_an_undo_by_hand_are_recorded_in_the_activation_that_asks_for_them() -> None:
    async def noting(workflow: ProbeWorkflow) -> None:
        workflow.track("priced", {"amount": 3})
        workflow.add_compensation(undo_step, label="a")
        await workflow.activity(step, label="a")

    run = probe(noting)

    track, undo, asked = run.start()
    assert track == Track("priced", {"amount": 3})
    assert undo == AddCompensation(1, "flows.undo_step", {"label": "a"})
    assert asked.seq == 2  # type: ignore[union-attr]
    run.replayed()


@pytest.mark.parametrize(
    "bad", [lambda w: w.track("odd", object()), lambda w: w.add_compensation(undo_step, label=object())]
)
def test_an_entry_or_undo_that_cannot_be_stored_is_refused_at_the_call(bad: Any) -> None:
    async def noting(workflow: ProbeWorkflow) -> str:
        try:
            bad(workflow)
        except PayloadError:
            return "refused"
        return "accepted"

    run = probe(noting)

    assert run.start() == []
    assert run.machine.finished == Finished(result="refused")


def test_info_tells_the_run_its_key_version_and_attempt() -> None:
    async def asking(workflow: ProbeWorkflow) -> str:
        info = workflow.info
        return f"{info.run_id} {info.workflow} {info.version} {info.key} {info.attempt}"

    run = probe(asking)
    run.start()

    assert run.machine.finished == Finished(result=f"{run.info.run_id} tests.Probe 1 None 1")


def test_the_log_is_silent_on_replay_and_names_the_run(caplog: pytest.LogCaptureFixture) -> None:
    async def talking(workflow: ProbeWorkflow) -> None:
        workflow.log.info("begins")
        await workflow.activity(step, label="a")
        workflow.log.info("goes on")
        await workflow.activity(step, label="b")

    run = probe(talking)
    with caplog.at_level(logging.INFO, logger="workflow.tests.Probe"):
        run.start()
        run.complete(1)
        run.replayed()

    assert [record.message for record in caplog.records] == [f"[{run.info.run_id}] {w}" for w in ("begins", "goes on")]


def test_after_replay_the_log_speaks_again(caplog: pytest.LogCaptureFixture) -> None:
    async def talking(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="a")
        workflow.log.info("goes on")

    run = probe(talking)
    run.start()
    machine = run.replayed()

    with caplog.at_level(logging.INFO, logger="workflow.tests.Probe"):
        machine.deliver(run.record_completion(1), at=run.events[-1].at)

    assert len(caplog.records) == 1


# --- A coroutine that is given up ------------------------------------------------------------------------------------


async def tidy(workflow: ProbeWorkflow) -> None:
    """Asks for all kinds of things while it closes."""
    try:
        await workflow.activity(step, label="a")
    finally:
        SEEN.append("closing")
        workflow.track("closing")
        workflow.add_compensation(undo_step, label="closing")
        workflow.log.warning("closing")
        await workflow.side_effect(lambda: SEEN.append("a side effect ran"))
        await workflow.activity(step, label="closing")
        SEEN.append("went on")


def test_a_coroutine_that_is_given_up_asks_for_nothing_and_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    run = probe(tidy)
    run.start()
    asked = len(run.events)

    run.machine.dispose()

    assert SEEN[0] == "closing"
    assert "a side effect ran" not in SEEN
    assert "went on" not in SEEN
    assert caplog.records == []
    assert list(run.machine.steps) == [1]
    assert len(run.events) == asked


def test_giving_up_raises_nothing_whatever_the_code_does() -> None:
    async def stubborn(workflow: ProbeWorkflow) -> None:
        while True:
            try:
                await workflow.activity(step, label="a")
            except BaseException as met:
                SEEN.append(type(met).__name__)
                if len(SEEN) > 3:
                    raise ValueError("enough") from met

    run = probe(stubborn)
    run.start()

    run.machine.dispose()

    assert SEEN[0] == "GeneratorExit"
    assert run.machine.disarmed


def test_giving_up_closes_every_branch() -> None:
    async def branches(workflow: ProbeWorkflow) -> None:
        async def follow(label: str) -> None:
            try:
                await workflow.activity(step, label=label)
            finally:
                SEEN.append(label)

        await workflow.gather(follow("a"), follow("b"))

    run = probe(branches)
    run.start()
    run.machine.dispose()

    assert sorted(SEEN) == ["a", "b"]


def test_code_that_was_changed_back_replays_again() -> None:
    run = probe(draw)
    run.start()

    async def changed(workflow: ProbeWorkflow) -> None: ...

    BODIES["draw"] = changed
    with pytest.raises(NonDeterminismError):
        run.replayed()
    BODIES["draw"] = draw

    assert len(run.replayed().open_steps) == 1
