"""Workflows of the benchmarks: trivial activities, so that the engine's own cost shows."""

from __future__ import annotations

from collections.abc import Callable

from workflows import Workflow, activity


class Interleaved:
    """What is measured between the steps, if anything: one bare commit at every tenth step."""

    commit: Callable[[], None] | None = None
    every = 10


interleaved = Interleaved()


@activity
def count(*, number: int) -> int:
    if interleaved.commit is not None and number % interleaved.every == 0:
        interleaved.commit()
    return number + 1


class StepsWorkflow(Workflow[int]):
    """So many steps, one after the other."""

    name = "benchmarks.Steps"

    async def execute(self, steps: int) -> int:
        number = 0
        for _ in range(steps):
            number = await self.activity(count, number=number)
        return number


class FanOutWorkflow(Workflow[int]):
    """So many members side by side, awaited together."""

    name = "benchmarks.FanOut"

    async def execute(self, members: int) -> int:
        numbers = await self.gather(*[self.activity(count, number=number) for number in range(members)])
        return len(numbers)
