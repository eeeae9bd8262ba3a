"""Workflows made by chance, for `test_fuzzed.py`: lines of every kind inside each other, and what their steps do.

Effects of transactional activities are `made LABEL` and `undid LABEL`; `began LABEL` is there twice if a process died.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.workflows import effects
from tests.workflows.cast import CastRefused, Disturbed
from workflows import (
    ActivityFailed,
    Cancelled,
    Retry,
    Workflow,
    activity,
    activity_info,
    query,
    signal,
    update,
)

SOON = Retry(max_attempts=3, initial=5.0, jitter=0)
#: Tokens of open attempts of `make_later`, by label.
TOKENS: dict[str, str] = {}


@activity(name="fuzzed.undo", transactional=True)
def undo(*, label: str) -> None:
    effects.write(f"undid {label}")


@activity(name="fuzzed.undo_at_last", transactional=True, retry=SOON)
def undo_at_last(*, label: str) -> None:
    if activity_info().attempt == 1:
        raise Disturbed(label)
    effects.write(f"undid {label}")


@activity(name="fuzzed.make", transactional=True, undo=undo)
def make(*, label: str) -> str:
    effects.write(f"made {label}")
    return label


@activity(name="fuzzed.make_out", transactional=True, undo=undo_at_last, queue="q")
def make_out(*, label: str) -> str:
    effects.write(f"made {label}")
    return label


@activity(name="fuzzed.make_at_last", transactional=True, undo=undo, retry=SOON)
def make_at_last(*, label: str) -> str:
    if activity_info().attempt == 1:
        raise Disturbed(label)
    effects.write(f"made {label}")
    return label


@activity(name="fuzzed.make_later", undo=undo, retry=Retry(max_attempts=1), timeout=timedelta(minutes=20))
def make_later(*, label: str) -> str:
    effects.write(f"began {label}")
    TOKENS[label] = activity_info().complete_later()
    return ""


@activity(name="fuzzed.make_once", undo=undo, repeatable=False)
def make_once(*, label: str) -> str:
    effects.write(f"began {label}")
    return label


@activity(name="fuzzed.attempt", undo=undo, undo_when="attempted", retry=SOON, schedule_to_start=timedelta(seconds=30))
def attempt(*, label: str) -> str:
    raise Disturbed(label)


@activity(name="fuzzed.refuse")
def refuse(*, label: str) -> str:
    raise CastRefused(label)


@activity(name="fuzzed.refuse_out", queue="q")
def refuse_out(*, label: str) -> str:
    raise CastRefused(label)


STEPS: list[Any] = [make, make, make, make_out, make_at_last, make_later, make_once, attempt, refuse, refuse_out]
#: Kinds of lines, and how often each comes.
KINDS = {"step": 38, "sleep": 10, "wait": 8, "gather": 14, "side by side": 4, "race": 12, "hurry": 4}
KINDS |= {"undo all": 3, "meanwhile": 2, "gather meanwhile": 1, "by hand": 2, "try": 2}
HOW: list[dict[str, Any]] = [{}, {}, {}, {"tolerate": 1}, {"return_failures": True}]


@dataclass
class Line:
    """One line of a random workflow: its kind, the blocks of lines inside it, seconds, activities, options."""

    kind: str
    inside: list[list[Line]]
    seconds: int
    steps: list[Any]
    how: dict[str, Any]


def random_block(chance: random.Random, depth: int = 0) -> list[Line]:
    return [random_line(chance, depth) for _ in range(chance.randint(1, 3) if depth else chance.randint(2, 5))]


def random_line(chance: random.Random, depth: int) -> Line:
    kind = "step" if depth > 2 else chance.choices(list(KINDS), list(KINDS.values()))[0]
    nests = kind in ("gather", "race", "meanwhile", "gather meanwhile", "try")
    inside = [random_block(chance, depth + 1) for _ in range(chance.randint(1, 3) if nests else 0)]
    steps = [chance.choice(STEPS) for _ in range(chance.randint(1, 3))]
    how = {"max_parallel": 1} if kind == "side by side" and chance.random() < 0.3 else chance.choice(HOW)
    return Line(kind, inside, chance.choice([0, 1, 10, 60]), steps, how)


CODE: dict[str, list[Line]] = {}


class FuzzedWorkflow(Workflow[int]):
    """Plays the lines that a seed made; listens all the while."""

    name = "fuzzed.Run"

    def __init__(self) -> None:
        self.heard = 0
        self.labels = 0

    async def execute(self, code: str, cleans_up: bool) -> int:
        try:
            await self.play(CODE[code])
        except Cancelled:
            if cleans_up:
                await self.step(make)
            raise
        return self.labels

    def step(self, one: Any) -> Any:
        return self.activity(one, label=self.label())

    def label(self) -> str:
        self.labels += 1
        return str(self.labels)

    async def play(self, lines: list[Line]) -> None:
        for line in lines:
            await self.play_line(line)

    async def play_line(self, line: Line) -> None:
        seconds = timedelta(seconds=line.seconds)
        match line.kind:
            case "step":
                await self.step(line.steps[0])
            case "sleep":
                await self.sleep(seconds)
            case "wait":
                await self.wait_for(lambda: self.heard >= len(line.steps), timeout=seconds)
            case "gather":
                await self.gather(*self.blocks(line), **line.how)
            case "side by side":
                await self.gather(*map(self.step, line.steps), **line.how)
            case "race":
                await self.first_of(*self.blocks(line))
            case "hurry":
                await self.first_of(self.sleep(seconds), *map(self.step, line.steps))
            case "undo all":
                await self.compensate()
            case "meanwhile":
                handle = self.start(line.steps[0], label=self.label())
                await self.play(line.inside[0])
                await handle
            case "gather meanwhile":
                group = self.gather(*self.blocks(line))
                await self.step(line.steps[0])
                await group
            case "by hand":
                self.add_compensation(undo, label=f"{self.label()} by hand")
            case "try":
                with suppress(ActivityFailed):
                    await self.play(line.inside[0])

    def blocks(self, line: Line) -> list[Coroutine[Any, Any, None]]:
        return [self.play(block) for block in line.inside]

    @signal
    def say(self) -> None:
        self.heard += 1

    @signal
    async def have_made(self) -> None:
        await self.step(make)

    @update
    def add(self) -> int:
        self.heard += 1
        return self.heard

    @update
    async def add_later(self) -> int:
        await self.wait_for(lambda: self.heard >= 2, timeout=timedelta(seconds=20))
        return self.heard

    @query
    def words(self) -> int:
        return self.heard


class FuzzedHoldsWorkflow(FuzzedWorkflow):
    name = "fuzzed.Holds"
    on_failure = "hold"


class FuzzedTimedWorkflow(FuzzedWorkflow):
    name = "fuzzed.Timed"
    run_timeout = timedelta(minutes=3)


class FuzzedLeavesWorkflow(FuzzedWorkflow):
    name = "fuzzed.Leaves"
    on_cancel = "leave"
    on_failure = "fail"
    run_timeout = timedelta(minutes=5)


WORKFLOWS = [FuzzedWorkflow, FuzzedWorkflow, FuzzedHoldsWorkflow, FuzzedTimedWorkflow, FuzzedLeavesWorkflow]
