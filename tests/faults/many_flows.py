"""Workflows of many members and many timers."""

from __future__ import annotations

from datetime import datetime

from tests.faults import effects
from workflows import Workflow, activity


@activity(name="many.mark")
def mark(*, label: str, number: int) -> int:
    effects.write(f"{label}:{number}")
    return number


@activity(name="many.mark_all", transactional=True)
def mark_all(*, label: str, numbers: list[int]) -> None:
    effects.write_many(f"{label}:{number}" for number in numbers)


class MembersWorkflow(Workflow[list[int]]):
    """So many activities side by side."""

    name = "many.Members"

    async def execute(self, label: str, members: int) -> list[int]:
        return await self.gather(*[self.activity(mark, label=label, number=number) for number in range(members)])


class TimersWorkflow(Workflow[int]):
    """So many timers that are due at one moment; then an effect for each time one of them fired."""

    name = "many.Timers"

    def __init__(self) -> None:
        self.fired: list[int] = []

    async def execute(self, label: str, timers: int, moment: datetime) -> int:
        await self.gather(*[self._wait(number, moment) for number in range(timers)])
        await self.activity(mark_all, label=label, numbers=self.fired)
        return len(self.fired)

    async def _wait(self, number: int, moment: datetime) -> None:
        await self.sleep_until(moment)
        self.fired.append(number)
