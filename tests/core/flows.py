"""Activities and workflows of the core's tests. Nothing here runs an activity: outcomes are facts made up by tests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tests.core.memory import MemoryRun
from workflows import ActivityFailed, Cancelled, NonDeterminismError, Workflow, activity, query, signal, update


@activity(name="flows.step")
def step(*, label: str = "") -> Any:
    """One step."""


@activity(name="flows.other_step")
def other_step(*, label: str = "") -> Any:
    """A step of another name."""


@activity(name="flows.count")
def count(*, upto: int) -> int:
    """A step with a typed result."""
    return upto


@activity(name="flows.undo_step")
def undo_step(*, label: str = "") -> None:
    """Undoes a step."""


class SequenceWorkflow(Workflow[list[Any]]):
    """As many steps as asked for, one after the other."""

    async def execute(self, steps: int = 3) -> list[Any]:
        return [await self.activity(step, label=str(number)) for number in range(steps)]


class CatchingWorkflow(Workflow[str]):
    """Catches what its first step meets and tidies up with another."""

    async def execute(self) -> str:
        try:
            await self.activity(step, label="first")
        except (ActivityFailed, Cancelled) as met:
            await self.activity(other_step, label="tidy")
            return f"met {type(met).__name__}"
        return "done"


class GatheringWorkflow(Workflow[list[Any]]):
    """Two branches of two steps each, then one more step."""

    async def execute(self) -> list[Any]:
        gathered = await self.gather(self.pair("a"), self.pair("b"))
        return [*gathered, await self.activity(step, label="after")]

    async def pair(self, label: str) -> list[Any]:
        return [await self.activity(step, label=f"{label}{number}") for number in (1, 2)]


#: What a probe does, given by the test that runs it.
Body = Callable[["ProbeWorkflow"], Coroutine[Any, Any, Any]]
BODIES: dict[str, Body] = {}


class ProbeRefusal(Exception):
    """The probe says no."""

    code = "probe_refused"


class ProbeWorkflow(Workflow[Any]):
    """Runs the body that a test has put under a name, and notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.allowed = False

    async def execute(self, body: str) -> Any:
        return await BODIES[body](self)

    @signal
    def say(self, word: str) -> None:
        """Note a word."""
        self.heard.append(word)

    @signal
    async def do(self, label: str) -> None:
        """Take a step and note it."""
        await self.activity(step, label=label)
        self.heard.append(f"did {label}")

    @signal
    def fail(self, why: str) -> None:
        """Fail at once."""
        raise ProbeRefusal(why)

    @signal
    async def fail_after(self, label: str) -> None:
        """Fail after a step."""
        await self.activity(step, label=label)
        raise ProbeRefusal(f"after {label}")

    @query
    def last(self) -> str:
        """The last word."""
        return self.heard[-1]

    @query
    def meddle(self, how: str, caught: bool = False) -> str:
        """Ask for something, as a query may not."""
        acts: dict[str, Callable[[], Any]] = {
            "track": lambda: self.track("meddled"),
            "start": lambda: self.start(step, label="meddled"),
            "undo": lambda: self.add_compensation(undo_step, label="meddled"),
            "uuid4": self.uuid4,
            "random": self.random,
            "side_effect": lambda: self.side_effect(lambda: 1),
            "patched": lambda: self.patched("meddled"),
        }
        try:
            acts[how]()
        except NonDeterminismError:
            if not caught:
                raise
        return "meddled"

    @update
    def add(self, word: str) -> int:
        """Note a word; the answer is how many there are."""
        if word == "unspeakable":
            raise ProbeRefusal("nobody says that")
        self.heard.append(word)
        return len(self.heard)

    @add.validator
    def _words_are_not_empty(self, word: str) -> None:
        if word == "meddle":
            self.track("meddled")
        if not word:
            raise ProbeRefusal("an empty word")

    @update
    async def do_and_tell(self, label: str) -> str:
        """Take a step; the answer is its result."""
        self.heard.append(label)
        return str(await self.activity(step, label=label))


def probe(body: Body, *, seed: str = "seed") -> MemoryRun:
    """A run whose code is `body`; a body of the same name put later is the code as it was changed."""
    BODIES[body.__name__] = body
    return MemoryRun(ProbeWorkflow, seed=seed, body=body.__name__)


def labels(commands: Sequence[Any]) -> list[str]:
    """Labels of the steps asked for, in order."""
    return [command.args["label"] for command in commands if getattr(command, "activity", None) is not None]
