"""Random runs under random acts of operators, callers and death: after each act everything must be true.

A seed makes a workflow (steps of every kind inside gathers, races, handles and undos by hand) and a list of acts:
time passes, messages, cancel, pause, retry, moved timers, tokens, resolved doubts, a process that dies at a fault
point. After each act the run verifies and its exported history replays to where it stands. Then an operator brings the
run to its end: no step is open and no message unread, no transactional effect is doubled, and what was made by a run
that did not complete is undone. A dozen seeds run always; `FUZZ_SEEDS=100-199` runs that hundred instead, and
`FUZZ_SEEDS=17-17` plays one again.
"""

from __future__ import annotations

import os
import random
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain, repeat

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import Dead, armed, expire, take_over
from tests.workflows.fuzzed_cast import CODE, TOKENS, WORKFLOWS, FuzzedLeavesWorkflow, random_block
from tests.workflows.proof import prove, prove_all
from tests.workflows.views import kinds
from workflows import operations, queries
from workflows.core.errors import Refused, UpdateFailed, UpdatePending
from workflows.core.status import CLOSED, HoldReason, RunStatus, StepKind
from workflows.models import Step
from workflows.runtime import advance, members, process, recovery
from workflows.testing import WorkflowEnvironment

POINTS = ["claimed", "attempt.before", "attempt.inside", "commit.before", "commit.after", "member.begun"]
#: Quick ones that pass by much; two of them met bugs that are no more.
ALWAYS = [1, 2, 4, 5, 9, 11, 13, 22, 24, 37, 45, 57]


class Play:
    """One run, and whatever may be done to it; each method is one act."""

    def __init__(self, env: WorkflowEnvironment, chance: random.Random) -> None:
        self.env, self.chance = env, chance
        self.workflow = chance.choice(WORKFLOWS)
        CODE["fuzzed"] = random_block(chance)
        self.run_id: uuid.UUID = env.start(self.workflow, "fuzzed", chance.random() < 0.5).id

    def seconds(self, *choices: int) -> timedelta:
        return timedelta(seconds=self.chance.choice(choices))

    def steps(self, **which: object) -> list[Step]:
        return list(Step.objects.filter(run_id=self.run_id, **which).order_by("seq"))

    def let_time_pass(self) -> None:
        self.env.skip(self.seconds(0, 0, 1, 3, 10, 61))

    def forget_memory(self) -> None:
        self.env.restart()

    def die(self) -> None:
        """The process dies where it passes a fault point, if it does; another one takes over."""
        try:
            with armed(self.chance.choice(POINTS), Dead):
                self.env.skip(self.seconds(0, 1, 10))
        except Dead:
            expire(process.current().id)
            self.env.restart()
            take_over(self.env)
            recovery.give_up_attempts()
            for run_id in recovery.find_unread(older_than=NOW):
                advance.advance(run_id)

    def work_one(self) -> None:
        """A worker runs an attempt, and the run does not hear of it yet."""
        for step in self.steps(queue__isnull=False, status="scheduled")[:1]:
            members.attempt(self.run_id, [step.seq])

    def say(self) -> None:
        operations.signal_run(self.run_id, "say", key=self.chance.choice([None, "first", "second"]))

    def have_made(self) -> None:
        operations.signal_run(self.run_id, "have_made")

    def ask(self) -> None:
        name = self.chance.choice(["add", "add_later"])
        key = self.chance.choice([None, name])
        operations.update_run(self.run_id, name, id=key, timeout=self.seconds(0, 1))

    def cancel(self) -> None:
        operations.cancel_run(self.run_id, reason="fuzzed")

    def pause(self) -> None:
        operations.pause_run(self.run_id, reason="fuzzed")

    def resume(self) -> None:
        operations.resume_run(self.run_id, reason="fuzzed")

    def retry(self) -> None:
        operations.retry_run(self.run_id, reason="fuzzed")
        self.env.skip(NOW)

    def undo(self) -> None:
        operations.compensate_run(self.run_id, reason="fuzzed")

    def move_timer(self) -> None:
        for step in self.steps(kind__in=["timer", "wait"], status="scheduled")[:1]:
            due_at = self.env.now + self.seconds(-5, 5, 50)
            operations.move_timer(self.run_id, step.seq, due_at=due_at, reason="fuzzed")

    def complete(self) -> None:
        for label in sorted(TOKENS)[:1]:
            operations.complete_step(TOKENS.pop(label), result=label)

    def resolve(self) -> None:
        """State what a step did that is in doubt or failed, as an operator who has looked it up."""
        arguments = {step.seq: step.arguments for step in queries.list_steps(self.run_id)}
        stand = set(effects.labels())
        for step in self.steps(status__in=["failed", "timed_out"], delivered=False):
            words = ["undid"] if step.kind == StepKind.COMPENSATION else ["made", "began"]
            happened = not stand.isdisjoint(f"{word} {arguments[step.seq]['label']}" for word in words)
            with suppress(Refused):
                if happened:
                    operations.resolve_step(self.run_id, step.seq, outcome="happened", result="seen", reason="fuzzed")
                else:
                    operations.resolve_step(self.run_id, step.seq, outcome="not_done", reason="fuzzed")
                return

    def help_on(self) -> None:
        """What an operator who wants it to end does for it now."""
        reason = queries.get_run(self.run_id).hold_reason
        with suppress(Refused):
            match reason:
                case HoldReason.PAUSED | HoldReason.WORKER_LOST:
                    self.resume()
                case HoldReason.IN_DOUBT:
                    self.resolve()
                case HoldReason.FAILURE:
                    self.undo()
        if reason == HoldReason.FAILURE and queries.get_run(self.run_id).hold_reason == reason:
            self.cancel()
        with suppress(Refused):
            self.complete()

    def check(self) -> None:
        prove(self.run_id)
        if "FactDelivered" in kinds(self.run_id):
            assert operations.query_run(self.run_id, "words") >= 0


ACTS: dict[Callable[[Play], None], int] = {
    Play.let_time_pass: 30,
    Play.die: 12,
    Play.forget_memory: 3,
    Play.work_one: 3,
    Play.say: 6,
    Play.have_made: 4,
    Play.ask: 9,
    Play.cancel: 2,
    Play.pause: 6,
    Play.resume: 12,
    Play.retry: 9,
    Play.undo: 1,
    Play.move_timer: 4,
    Play.complete: 7,
    Play.resolve: 4,
}


def seeds() -> Sequence[int]:
    """Those of FUZZ_SEEDS, both ends included."""
    first, _, last = os.environ.get("FUZZ_SEEDS", "").partition("-")
    return range(int(first), int(last) + 1) if first else ALWAYS


@pytest.mark.parametrize("seed", seeds())
def test_whatever_is_done_to_a_run_it_stays_sound_and_ends(workflow_env: WorkflowEnvironment, seed: int) -> None:
    TOKENS.clear()
    chance = random.Random(seed)
    play = Play(workflow_env, chance)

    for act in chance.choices(list(ACTS), list(ACTS.values()), k=chance.randint(5, 40)):
        with suppress(Refused, UpdateFailed, UpdatePending):
            act(play)
        play.check()
    for delay in chain(repeat(timedelta(seconds=30), 60), repeat(timedelta(hours=1), 60)):
        if queries.get_status(play.run_id) in CLOSED:
            break
        play.help_on()
        workflow_env.skip(delay)

    run = queries.get_run(play.run_id)
    assert run.closed_at is not None, f"it does not end: {run.status} {run.hold_reason} {run.error}"
    prove_all()
    counts = Counter(effects.labels())
    assert [label for label, times in counts.items() if times > 1 and not label.startswith("began")] == []
    made = {label.partition(" ")[2] for label in counts if label.startswith(("made", "began"))}
    undone = {label.removeprefix("undid ") for label in counts if label.startswith("undid")}
    if run.status != RunStatus.COMPLETED and play.workflow is not FuzzedLeavesWorkflow:
        assert made <= undone
