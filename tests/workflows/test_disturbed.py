"""Random workflows whose workers die at random points end as they would have undisturbed, counted by their effects.

A program is data: steps with undos, refusals that are caught, timers, waits for signals, gathers and races. It runs
twice through the same script of signals: once in peace, once with its process killed at drawn points of the engine.
After each event of the script the run is proven: it verifies, and memory, rows and replay say the same.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.bounds import bounded
from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused
from tests.workflows.faulting import Dead
from tests.workflows.improvised import HOUR, MINUTE, ImprovisedWorkflow, state
from tests.workflows.proof import prove
from workflows import ActivityFailed, activity, operations, queries
from workflows.models import Process, Run
from workflows.runtime import advance, faults, recovery
from workflows.testing import WorkflowEnvironment

Program = list[Any]

BOUNDED = settings(
    max_examples=bounded(25, thorough=250),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
DAY = timedelta(days=1)


@activity(name="disturbed.undo", transactional=True)
def undo(*, label: str) -> None:
    effects.write(f"undo {label}")


@activity(name="disturbed.do", transactional=True, undo=undo)
def do(*, label: str) -> str:
    effects.write(label)
    return f"did {label}"


@activity(name="disturbed.refuse", transactional=True, undo=undo)
def refuse(*, label: str) -> str:
    """Refuses: what it did is taken back, so nothing is to be undone."""
    effects.write(label)
    raise CastRefused(f"no to {label}")


class DisturbedWorkflow(ImprovisedWorkflow):
    """Plays a program; gives up at its end if asked."""

    name = "disturbed.Run"

    async def execute(self, prefix: str, program: Program, gives_up: bool) -> Any:  # type: ignore[override]
        self.prefix = prefix
        results = await self.play(program)
        if gives_up:
            raise ValueError("the code gives up")
        return results

    async def play(self, program: Program) -> list[str]:
        return [str(await self.play_one(*line)) for line in program]

    async def play_one(self, word: str, *rest: Any) -> Any:
        if word == "gather":
            return await self.gather(*(self.play(branch) for branch in rest[0]), **rest[1])
        if word == "race":
            return await self.first_of(self.play(rest[0]), self.sleep(DAY))
        if word == "steps":
            return await self.gather(*(self.activity(do, label=self.prefix + label) for label in rest[0]))
        if word == "refuse":
            try:
                return await self.activity(refuse, label=self.prefix + rest[0])
            except ActivityFailed as failure:
                return failure.code
        if word == "start":
            handle = self.start(do, label=self.prefix + rest[0])
            await self.sleep(MINUTE)
            return await handle
        if word == "patched":
            return self.patched(rest[0])
        awaited: dict[str, Any] = {
            "do": lambda: self.activity(do, label=self.prefix + rest[0]),
            "sleep": lambda: self.sleep(rest[0] * MINUTE),
            "wait": lambda: self.wait_for(lambda: len(self.heard) >= rest[0], timeout=rest[1] * MINUTE),
            "side_effect": lambda: self.side_effect(lambda: "recorded"),
        }
        return await awaited[word]()


# --- Programs and scripts --------------------------------------------------------------------------------------------


def numbered(program: Program, path: str = "") -> Program:
    """Each step with a label of its own."""
    lines: Program = []
    for number, (word, *rest) in enumerate(program):
        here = f"{path}{number}"
        if word in ("do", "refuse", "start", "patched"):
            lines.append([word, here])
        elif word == "steps":
            lines.append([word, [f"{here}{letter}" for letter in "xyz"[: rest[0]]]])
        elif word == "gather":
            branches = [numbered(branch, f"{here}{letter}") for letter, branch in zip("abc", rest[0], strict=False)]
            lines.append([word, branches, *rest[1:]])
        elif word == "race":
            lines.append([word, numbered(rest[0], f"{here}r")])
        else:
            lines.append([word, *rest])
    return lines


LEAVES: list[Program] = [
    ["do"], ["do"], ["do"], ["refuse"], ["start"], ["steps", 2], ["steps", 3], ["sleep", 0], ["sleep", 5],
    ["sleep", 40], ["wait", 1, 30], ["wait", 2, 60], ["side_effect"], ["patched"],
]  # fmt: skip


def programs() -> st.SearchStrategy[Program]:
    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(inner, min_size=1, max_size=3)
        options = st.sampled_from([{}, {"return_failures": True}, {"max_parallel": 1}])
        gathers = st.tuples(st.lists(lists, min_size=1, max_size=3), options).map(lambda given: ["gather", *given])
        return gathers | lists.map(lambda program: ["race", program])

    lines = st.recursive(st.sampled_from(LEAVES), grow, max_leaves=6)
    return st.lists(lines, min_size=1, max_size=4).map(numbered)


#: Minutes after its start at which the run is told a word.
SCRIPTS = st.lists(st.integers(min_value=0, max_value=100), max_size=3).map(sorted)


# --- Peace and war ---------------------------------------------------------------------------------------------------


@contextmanager
def killed_at(passings: set[int]) -> Iterator[list[int]]:
    """The process dies at these passings of any of the engine's named points; gives those at which it died."""
    passed = 0
    died: list[int] = []

    def point(name: str, step: str = "") -> None:
        nonlocal passed
        passed += 1
        if passed in passings:
            died.append(passed)
            raise Dead

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults, "point", point)
        yield died


def survive(env: WorkflowEnvironment, delay: timedelta) -> None:
    """Let virtual time pass; whenever the process dies, another one takes over."""
    end = env.now + delay
    while True:
        try:
            for run_id in [*recovery.find_lost(), *recovery.find_unread(older_than=NOW)]:
                advance.advance(run_id)  # what the sweep does
            env.skip(max(end - env.now, NOW))
            return
        except Dead:
            Process.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
            env.restart()


def lived(env: WorkflowEnvironment, arguments: tuple[Any, ...], script: list[int], kills: set[int]) -> Any:
    """The run's end, in words that do not depend on the run, and its effects. Leaves the kills that never came."""
    prefix = f"{uuid.uuid4()}:"
    with killed_at(kills) as died:
        run = operations.start_run(DisturbedWorkflow, prefix, *arguments)
        begun = env.now
        survive(env, NOW)
        for number, minute in enumerate(script):
            survive(env, max(begun + minute * MINUTE - env.now, NOW))
            if queries.get_run(run.id).closed_at is None:
                operations.signal_run(run.id, "say", f"word {number}")
            survive(env, NOW)
            prove(run.id)
        survive(env, 10 * HOUR)
    prove(run.id)
    assert not Run.objects.filter(pk=run.id, driver__isnull=False).exists()
    kills -= set(died)
    mine = Counter(label.replace(prefix, "") for label in effects.labels() if prefix in label)
    error = (queries.get_run(run.id).error or {}).get("message", "").replace(prefix, "")
    return state(run.id), str(queries.get_run(run.id).result).replace(prefix, ""), error, mine


KILLS = st.sets(st.integers(min_value=1, max_value=60), max_size=4)


@BOUNDED
@given(program=programs(), script=SCRIPTS, gives_up=st.booleans(), kills=KILLS)
def test_a_run_whose_workers_die_ends_as_an_undisturbed_one(
    workflow_env: WorkflowEnvironment, program: Program, script: list[int], gives_up: bool, kills: set[int]
) -> None:
    in_peace = lived(workflow_env, (program, gives_up), script, set())
    disturbed = lived(workflow_env, (program, gives_up), script, set(kills))

    assert disturbed == in_peace
    assert max(in_peace[-1].values(), default=1) == 1


def test_a_death_at_each_single_point_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    """One program that has everything, killed once at each point it passes."""
    program = numbered(
        [
            ["do"], ["gather", [[["do"], ["sleep", 5]], [["refuse"], ["wait", 1, 30]]], {}], ["race", [["do"]]],
            ["steps", 3], ["start"], ["patched"],
        ]
    )  # fmt: skip
    in_peace = lived(workflow_env, (program, True), [10], set())
    assert in_peace[0] == "compensated"

    for passing in range(1, 1000):
        left = {passing}
        assert lived(workflow_env, (program, True), [10], left) == in_peace, f"killed at passing {passing}"
        if left:
            break
    assert passing > 40


# --- Failures side by side: which effects came about depends on the order, what must hold of them does not -----------


class FailingSideBySideWorkflow(DisturbedWorkflow):
    """Plays programs side by side, one of which fails."""

    name = "disturbed.Failing"

    async def execute(self, prefix: str, program: Program, gives_up: bool) -> Any:  # type: ignore[override]
        self.prefix = prefix
        branches = [self.play([line]) for line in program]
        failing = self.activity(refuse, label=f"{prefix}fails")
        return await self.gather(*branches, failing)


@BOUNDED
@given(program=programs(), kills=KILLS)
def test_whenever_a_member_fails_each_effect_is_undone_once_and_none_stands(
    workflow_env: WorkflowEnvironment, program: Program, kills: set[int]
) -> None:
    prefix = f"{uuid.uuid4()}:"
    with killed_at(kills):
        run = operations.start_run(FailingSideBySideWorkflow, prefix, program, False)
        survive(workflow_env, NOW)
        survive(workflow_env, 10 * HOUR)
    prove(run.id)

    assert state(run.id) in ("failed", "compensated")
    mine = Counter(label.replace(prefix, "") for label in effects.labels() if prefix in label)
    done = {label for label in mine if not label.startswith("undo ")}
    assert set(mine.values()) <= {1}
    assert {f"undo {label}" for label in done} == set(mine) - done
