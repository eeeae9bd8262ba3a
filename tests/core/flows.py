"""Activities and workflows of the core's tests. Nothing here runs an activity: outcomes are facts made up by tests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tests.core.memory import MemoryRun
from workflows import ActivityFailed, Cancelled, Workflow, activity
from workflows.core.groups import Group
from workflows.core.machine import Machine


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


class BranchingWorkflow(Workflow[Any]):
    """A base for workflows with branches; the machine under the author's words is at hand."""

    machine: Machine

    def _bind(self, machine: Machine) -> None:
        super()._bind(machine)
        self.machine = machine

    def gather(self, *members: Any) -> Group:
        """Members side by side."""
        return self.machine.gather(members, None)

    def gather_named(self, **members: Any) -> Group:
        """Members side by side, by name."""
        return self.machine.gather(list(members.values()), list(members))


class GatheringWorkflow(BranchingWorkflow):
    """Two branches of two steps each, then one more step."""

    async def execute(self) -> list[Any]:
        gathered = await self.gather(self.pair("a"), self.pair("b"))
        return [*gathered, await self.activity(step, label="after")]

    async def pair(self, label: str) -> list[Any]:
        return [await self.activity(step, label=f"{label}{number}") for number in (1, 2)]


#: What a probe does, given by the test that runs it.
Body = Callable[[BranchingWorkflow], Coroutine[Any, Any, Any]]
BODIES: dict[str, Body] = {}


class ProbeWorkflow(BranchingWorkflow):
    """Runs the body that a test has put under a name."""

    async def execute(self, body: str) -> Any:
        return await BODIES[body](self)


def probe(body: Body, *, seed: str = "seed") -> MemoryRun:
    """A run whose code is `body`; a body of the same name put later is the code as it was changed."""
    BODIES[body.__name__] = body
    return MemoryRun(ProbeWorkflow, seed=seed, body=body.__name__)


def labels(commands: Sequence[Any]) -> list[str]:
    """Labels of the steps asked for, in order."""
    return [command.args["label"] for command in commands if getattr(command, "activity", None) is not None]
