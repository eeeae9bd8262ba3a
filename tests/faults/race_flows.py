"""Workflows that let go of their runs as often and as quickly as they can."""

from __future__ import annotations

import random
import time

from workflows import Workflow, activity, signal

#: Seconds within which a driver reads what waits, decides and lets go.
A_DRIVE = 0.012


@activity(name="race.nothing")
def nothing(*, number: int) -> int:
    """Ends at any moment of what the other worker is at."""
    time.sleep(random.uniform(0, A_DRIVE))
    return number


class ListeningWorkflow(Workflow[int]):
    """Lets its run go after each signal, until it has had so many."""

    name = "race.Listening"

    def __init__(self) -> None:
        self.got = 0

    @signal
    def ring(self, number: int) -> None:
        """One more."""
        self.got += 1

    async def execute(self, signals: int) -> int:
        for number in range(signals):
            await self.wait_for(lambda number=number: self.got > number)
        return self.got


class ClosingWorkflow(Workflow[int]):
    """Ends with its first signal."""

    name = "race.Closing"

    def __init__(self) -> None:
        self.got = 0

    @signal
    def ring(self, number: int) -> None:
        """One more."""
        self.got += 1

    async def execute(self) -> int:
        await self.wait_for(lambda: self.got > 0)
        return self.got


class SettlingWorkflow(Workflow[int]):
    """Two branches again and again: a member settles while the driver lets go after that of the other branch."""

    name = "race.Settling"

    async def execute(self, rounds: int) -> int:
        done = 0
        for _ in range(rounds):
            done += sum(await self.gather(self._branch(), self._branch()))
        return done

    async def _branch(self) -> int:
        return await self.activity(nothing, number=1)


class PairWorkflow(Workflow[int]):
    """Flat gathers of two, one after the other: the two settle at the same moment, and one of them is the last."""

    name = "race.Pair"

    async def execute(self, rounds: int) -> int:
        done = 0
        for _ in range(rounds):
            done += sum(await self.gather(*[self.activity(nothing, number=1) for _ in range(2)]))
        return done
