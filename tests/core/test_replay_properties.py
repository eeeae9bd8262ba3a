"""Random workflows, replayed from every prefix of their own history, take the same decisions.

A program is data: a list of steps, timers, waits, records, gathers and races of programs, and attempts. The world
answers each step in random order with a result or a failure, lets timers fire, sends signals and updates, and may
cancel the run or let its time be over. Every commit is a place where a worker may have died.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.bounds import bounded
from tests.core import memory
from tests.core.flows import ProbeRefusal, ProbeWorkflow, other_step, step, undo_step
from tests.core.memory import MemoryRun, standing
from workflows import ActivityFailed, Cancelled
from workflows.core.events import DECISIONS, DIRECT_FACTS, EventKind
from workflows.core.machine import Machine
from workflows.core.replay import replay
from workflows.core.status import StepKind

Program = list[Any]

BOUNDED = settings(
    max_examples=bounded(100, thorough=1000), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
HOUR = timedelta(hours=1)


class RandomWorkflow(ProbeWorkflow):
    """Plays a program."""

    name = "properties.Random"

    async def execute(self, program: Program) -> Any:  # type: ignore[override]
        return await self.play(program)

    async def play(self, program: Program) -> list[Any]:
        results: list[Any] = []
        for word, *rest in program:
            played = await self.play_one(word, rest)
            results.append([str(value) for value in played] if isinstance(played, list) else str(played))
        return results

    async def play_one(self, word: str, rest: list[Any]) -> Any:
        if word == "gather":
            branches, options = rest
            return await self.gather(*(self.play(branch) for branch in branches), **options)
        if word == "first_of":
            return await self.first_of(*(self.play(branch) for branch in rest[0]))
        if word == "try":
            return await self.attempt(rest[0])
        if word == "raise":
            raise ValueError("the code gives up")
        if word == "start":
            return self.start(step, label=rest[0]) and None
        if word == "undo":
            return self.add_compensation(undo_step, label=rest[0])
        if word == "draw":
            return self.track("drawn", [str(self.uuid4()), self.random().random(), self.now().isoformat()])
        if word == "patched":
            return self.patched(rest[0])
        awaited: dict[str, Any] = {
            "step": lambda: self.activity(step, label=rest[0]),
            "sleep": lambda: self.sleep(HOUR),
            "wait": lambda: self.wait_for(lambda: len(self.heard) >= rest[0], timeout=HOUR),
            "steps": lambda: self.gather(*(self.activity(step, label=label) for label in "xyz"), **rest[0]),
            "raced": lambda: self.first_of(self.activity(step, label="r"), self.activity(step, label="s")),
            "side_effect": lambda: self.side_effect(lambda: "recorded"),
        }
        return await awaited[word]()

    async def attempt(self, program: Program) -> list[Any]:
        """Catches what happens inside, a cancel too, and tidies up with a step."""
        try:
            return await self.play(program)
        except (ActivityFailed, Cancelled, ValueError, ProbeRefusal):
            return [await self.activity(other_step, label="tidy")]


OPTIONS = st.sampled_from(
    [{}, {}, {"return_failures": True}, {"tolerate": 1}, {"max_parallel": 1}, {"max_parallel": 2}]
)
LEAVES: list[Program] = [
    ["step", "a"], ["step", "b"], ["raced"], ["start", "s"], ["sleep"], ["wait", 1], ["wait", 3], ["side_effect"],
    ["undo", "u"], ["draw"], ["patched", "p"], ["raise"],
]  # fmt: skip


def programs() -> st.SearchStrategy[Program]:
    leaves: st.SearchStrategy[Any] = st.sampled_from(LEAVES) | OPTIONS.map(lambda options: ["steps", options])

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(inner, min_size=1, max_size=3)
        branches = st.lists(lists, min_size=1, max_size=3)
        gathers = st.tuples(branches, OPTIONS).map(lambda given: ["gather", *given])
        races = branches.map(lambda given: ["first_of", given])
        return gathers | races | lists.map(lambda program: ["try", program])

    return st.lists(st.recursive(leaves, grow, max_leaves=8), min_size=1, max_size=4)


#: Where a commit ended: how many events the history had.
Cuts = list[int]
WORLD = (
    "complete",
    "complete",
    "complete",
    "begin",
    "begin",
    "fail",
    "signal",
    "update",
    "handler",
    "cancel",
    "time_out",
)


def lived(program: Program, data: st.DataObject) -> tuple[MemoryRun, Cuts]:
    """A run of the program through a random world, to its end."""
    run = MemoryRun(RandomWorkflow, program=program)
    cuts = [0]
    run.start()
    cuts.append(len(run.events))
    while run.machine.finished is None:
        handles = {handle.command.seq: handle for handle in run.machine.open_steps if handle.command}
        assert handles, "the code waits for nothing: it would never end"
        seq = data.draw(st.sampled_from(sorted(handles)))
        act = data.draw(st.sampled_from(WORLD))
        if len(run.events) > 200:
            act = "complete"  # enough has happened: let it end
        happen(run, act, seq, number=len(cuts))
        cuts.append(len(run.events))
    return run, cuts


def happen(run: MemoryRun, act: str, seq: int, *, number: int) -> None:
    """One fact of the world. What does not fit its step is the end of that step's time, or its completion."""
    command = run.machine.steps[seq].command
    assert command is not None
    if act == "signal":
        run.signal("say", word=f"word {number}")
    elif act == "update":
        run.update("add", id=f"u{number}", word=f"word {number}")
    elif act == "handler" and number % 2:
        run.signal("do", label=f"h{number}")
    elif act == "handler":
        run.update("do_and_tell", id=f"u{number}", label=f"h{number}")
    elif act == "cancel" and not run.machine.ended:
        run.cancel()
    elif act == "time_out" and not run.machine.ended and number % 3 == 0:
        run.time_out()
    elif command.kind in (StepKind.TIMER, StepKind.WAIT):
        run.fire(seq)
    elif act == "begin":
        run.begin(seq)
    elif act == "fail":
        run.fail(seq, f"failure of {seq}")
    else:
        run.complete(seq, f"result of {seq}")


Decisions = list[tuple[str, dict[str, Any]]]


def live_on(run: MemoryRun, machine: Machine, cut: int) -> Decisions:
    """What a machine that stands at `cut` asks for, live, when the rest of the history reaches it."""
    asked: Decisions = []
    for event in run.events[cut:]:
        fact = None
        if event.kind == EventKind.STEP_STARTED:
            machine.note(event)
        elif event.kind == EventKind.FACT_DELIVERED:
            fact = run.events[event.data["of"] - 1]
        elif event.kind in DIRECT_FACTS:
            fact = event
        if fact is not None:
            asked += [command.event() for command in machine.deliver(fact, at=event.at)]
    return asked


def recorded(run: MemoryRun, cut: int) -> Decisions:
    """What the history says was asked for after `cut`."""
    return [(event.kind, event.data) for event in run.events[cut:] if event.kind in DECISIONS]


@BOUNDED
@given(programs(), st.data())
def test_every_prefix_takes_the_same_decisions_with_the_same_numbers(program: Program, data: st.DataObject) -> None:
    run, cuts = lived(program, data)

    for cut in cuts:
        machine = run.replayed(run.events[:cut])
        assert live_on(run, machine, cut) == recorded(run, cut)
        assert standing(machine) == standing(run.machine)


@BOUNDED
@given(programs(), st.data())
def test_every_step_is_asked_for_once_and_settles_once(program: Program, data: st.DataObject) -> None:
    run, _ = lived(program, data)

    asked = [event.data["seq"] for event in run.events if event.kind == EventKind.STEP_SCHEDULED]
    ends = (
        EventKind.STEP_COMPLETED,
        EventKind.STEP_FAILED,
        EventKind.STEP_CANCELLED,
        EventKind.TIMER_FIRED,
        EventKind.WAIT_SATISFIED,
    )
    settled = [event.data["seq"] for event in run.events if event.kind in ends]
    assert len(set(asked)) == len(asked)
    assert sorted(settled) == sorted(asked)


@BOUNDED
@given(programs(), st.data())
def test_a_step_that_has_begun_is_never_given_up(program: Program, data: st.DataObject) -> None:
    run, _ = lived(program, data)

    begun = {event.data["seq"] for event in run.events if event.kind == EventKind.STEP_STARTED}
    given_up = {event.data["seq"] for event in run.events if event.kind == EventKind.STEP_CANCELLED}
    assert not begun & given_up


@BOUNDED
@given(programs(), st.data())
def test_once_a_failure_has_left_the_code_nothing_new_is_asked_for(program: Program, data: st.DataObject) -> None:
    run, cuts = lived(program, data)

    for cut in cuts[1:]:
        machine = run.replayed(run.events[:cut])
        if machine.stopped:
            after = {str(event.kind) for event in run.events[cut:]}
            assert not after & (DECISIONS - {EventKind.STEP_CANCELLED})
            break


@BOUNDED
@given(programs(), st.data())
def test_a_retry_stands_where_the_run_stood_before_its_failure(program: Program, data: st.DataObject) -> None:
    """The failure and the reaction to it are taken out; the failed step may be tried again."""
    run, cuts = lived(program, data)

    for fact in [told for told in run.events if told.kind == EventKind.STEP_FAILED]:
        reacted = run.events[: next(cut for cut in cuts if cut >= fact.position)]
        seq = fact.data["seq"]
        retry = memory.event(len(reacted) + 1, EventKind.RETRY_REQUESTED, failure=fact.position, seq=seq)
        before = run.replayed(run.events[: fact.position - 1])
        before.steps[seq].started = False

        machine, waiting = replay(RandomWorkflow.definition, run.info, run.input, [*reacted, retry])

        assert standing(machine) == standing(before)
        assert waiting == []


def test_the_programs_reach_every_kind_of_end() -> None:
    """A guard of the test itself: random worlds that only ever completed would prove little."""
    ends: set[str] = set()

    @settings(BOUNDED, derandomize=True, max_examples=250, phases=[Phase.generate])
    @given(programs(), st.data())
    def collect(program: Program, data: st.DataObject) -> None:
        run, _ = lived(program, data)
        finished = run.machine.finished
        assert finished is not None
        ends.add("cancelled" if finished.cancelled else "timed out" if finished.timed_out else "")
        ends.add("failed" if finished.error else "completed")
        ends.update(_kinds(run.events))
        if run.machine.completed_after_all:
            ends.add("completed after all")

    collect()

    told = {"StepCancelled", "CompensationAdded", "Tracked", "WaitSatisfied", "TimerFired", "PatchMarked"}
    assert {"completed", "failed", "cancelled", "timed out", "completed after all", "UpdateCompleted"} | told <= ends


def _kinds(events: Sequence[Any]) -> set[str]:
    return {str(event.kind) for event in events}
