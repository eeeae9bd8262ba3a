"""Workflows of many kinds, which run all at once while everything around them is disturbed.

What each does to the table of effects is the same however often its messages come; `crowd` plays whoever talks to them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.faults import effects
from workflows import ActivityFailed, NonRetryable, Retry, Workflow, activity, activity_info, signal, update

#: Longer than any disturbance: what waits that long for a message has lost it.
PATIENCE = timedelta(minutes=15)
SOON = timedelta(seconds=0.3)
AGAIN = Retry(max_attempts=3, initial=0.2, jitter=0)


@activity(name="mixed.take_back", transactional=True)
def take_back(*, label: str, part: str) -> None:
    effects.write(f"{label}:{part}:undone")


@activity(name="mixed.book", transactional=True, undo=take_back)
def book(*, label: str, part: str) -> str:
    effects.write(f"{label}:{part}")
    return part


@activity(name="mixed.tell", undo=take_back)
def tell(*, label: str, part: str) -> str:
    """Not in one transaction with its record: at least once."""
    effects.write(f"{label}:{part}")
    return part


@activity(name="mixed.take_back_at_last", transactional=True, retry=AGAIN)
def take_back_at_last(*, label: str, part: str) -> None:
    """An undo that fails at first."""
    if activity_info().attempt < 3:
        raise TimeoutError("not yet")
    effects.write(f"{label}:{part}:undone")


@activity(name="mixed.book_stubborn", transactional=True, undo=take_back_at_last)
def book_stubborn(*, label: str, part: str) -> str:
    effects.write(f"{label}:{part}")
    return part


@activity(name="mixed.refuse")
def refuse(*, part: str) -> str:
    raise NonRetryable(f"{part} is refused", code="refused")


@activity(name="mixed.book_elsewhere", transactional=True, queue="elsewhere", undo=take_back)
def book_elsewhere(*, label: str, part: str) -> str:
    effects.write(f"{label}:{part}")
    return part


@activity(
    name="mixed.report", timeout=timedelta(minutes=2), heartbeat=timedelta(minutes=1), undo=take_back, retry=AGAIN
)
def report(*, label: str, part: str) -> str:
    """Gets half of it done at first; the next attempt goes on there."""
    info = activity_info()
    if info.last_details is None:
        info.heartbeat("half")
        raise TimeoutError("half of it is done")
    effects.write(f"{label}:{part}:{info.last_details}")
    return part


@activity(name="mixed.ask_outside", timeout=timedelta(minutes=10), retry=AGAIN)
def ask_outside(*, label: str) -> str:
    """Somebody else ends it: whoever reads the token."""
    effects.write(f"{label}:token:{activity_info().complete_later()}")
    return ""


@activity(name="mixed.ask_nobody", timeout=timedelta(seconds=1), retry=Retry(max_attempts=1))
def ask_nobody(*, label: str) -> str:
    activity_info().complete_later()
    return label


@activity(name="mixed.fall_silent", heartbeat=timedelta(seconds=1), retry=Retry(max_attempts=1))
def fall_silent(*, label: str) -> str:
    activity_info().complete_later()
    return label


class FlatWorkflow(Workflow[str]):
    """A flat gather of transactional and plain activities."""

    name = "mixed.Flat"

    async def execute(self, label: str) -> str:
        booked = [self.activity(book, label=label, part=f"b{number}") for number in range(3)]
        told = [self.activity(tell, label=label, part=f"t{number}") for number in range(2)]
        return "+".join(await self.gather(*booked, *told))


class ChunksWorkflow(Workflow[int]):
    """A gather that is sent out in chunks, and a member of which fails and is tolerated."""

    name = "mixed.Chunks"

    async def execute(self, label: str) -> int:
        booked = [self.activity(book, label=label, part=f"b{number}") for number in range(11)]
        done = await self.gather(*booked, self.activity(refuse, part="r"), tolerate=1)
        return sum(part is not None for part in done)


class TornWorkflow(Workflow[str]):
    """One member fails; the others are cancelled or settle, and are undone."""

    name = "mixed.Torn"

    async def execute(self, label: str) -> str:
        await self.activity(book, label=label, part="before")
        booked = [self.activity(book, label=label, part=f"b{number}") for number in range(3)]
        return "+".join(await self.gather(*booked, self.activity(refuse, part="r")))


class BranchesWorkflow(Workflow[str]):
    """Branches side by side, one of which gathers in its turn."""

    name = "mixed.Branches"

    async def execute(self, label: str) -> str:
        done = await self.gather(left=self._alone(label), right=self._together(label))
        return f"{done['left']}/{done['right']}"

    async def _alone(self, label: str) -> str:
        first = await self.activity(book, label=label, part="l1")
        await self.sleep(SOON)
        return f"{first}+{await self.activity(tell, label=label, part='l2')}"

    async def _together(self, label: str) -> str:
        parts = ("r1", "r2")
        booked = await self.gather(*[self.activity(book, label=label, part=part) for part in parts])
        await self.activity(tell, label=label, part="r3")
        return "+".join(booked)


class SignalsWorkflow(Workflow[str]):
    """Waits for three signals and books each in the order of arrival."""

    name = "mixed.Signals"

    def __init__(self) -> None:
        self.parts: list[str] = []

    @signal
    def add(self, part: str) -> None:
        """One more to book."""
        self.parts.append(part)

    async def execute(self, label: str) -> str:
        for number in range(3):
            if not await self.wait_for(lambda number=number: len(self.parts) > number, timeout=PATIENCE):
                return "nobody came"
            await self.activity(book, label=label, part=f"{number}{self.parts[number]}")
        return "+".join(self.parts)


class UpdateWorkflow(Workflow[str]):
    """Waits for a decision, which is an update."""

    name = "mixed.Update"

    def __init__(self) -> None:
        self.decision: str | None = None

    @update
    def decide(self, decision: str) -> str:
        """The decision; the first one counts."""
        self.decision = self.decision or decision
        return f"decided: {self.decision}"

    @decide.validator
    def _is_decision(self, decision: str) -> None:
        if decision not in ("yes", "no"):
            raise NonRetryable("yes or no", code="no_decision")

    async def execute(self, label: str) -> str:
        await self.activity(book, label=label, part="before")
        await self.wait_for(lambda: self.decision is not None, timeout=PATIENCE)
        return await self.activity(tell, label=label, part=self.decision or "nothing")


class PatientWorkflow(Workflow[str]):
    """Timers in a row, side by side and against each other."""

    name = "mixed.Patient"

    async def execute(self, label: str) -> str:
        await self.sleep(SOON)
        await self.activity(book, label=label, part="one")
        await self.gather(self.sleep(SOON), self.sleep(SOON * 2))
        await self.first_of(self.sleep_until(self.now() + SOON), self.sleep(PATIENCE))
        in_time = await self.wait_for(lambda: False, timeout=SOON)
        return await self.activity(tell, label=label, part="in time" if in_time else "late")


class UndoneWorkflow(Workflow[str]):
    """Fails at its end; one of the undos fails at first."""

    name = "mixed.Undone"

    async def execute(self, label: str) -> str:
        await self.activity(book, label=label, part="one")
        await self.activity(tell, label=label, part="two")
        await self.activity(book_stubborn, label=label, part="three")
        return await self.activity(refuse, part="r")


class SentOutWorkflow(Workflow[str]):
    """Attempts that are sent out one by one: a retry that goes on where the last one was, and a transactional one."""

    name = "mixed.SentOut"

    async def execute(self, label: str) -> str:
        reported = await self.activity(report, label=label, part="report")
        booked = await self.activity(book_elsewhere, label=label, part="booked")
        return f"{reported}+{booked}"


class OverdueWorkflow(Workflow[str]):
    """Steps whose time is over, or whose heartbeat stays away."""

    name = "mixed.Overdue"

    async def execute(self, label: str) -> str:
        failed = await self.gather(
            self.activity(ask_nobody, label=label), self.activity(fall_silent, label=label), return_failures=True
        )
        await self.activity(book, label=label, part="instead")
        return "+".join(error.code if isinstance(error, ActivityFailed) else "?" for error in failed)


class OutsideWorkflow(Workflow[str]):
    """A step that somebody else ends by its token."""

    name = "mixed.Outside"

    async def execute(self, label: str) -> str:
        told = await self.activity(ask_outside, label=label)
        return await self.activity(book, label=label, part=told)


class CancelledWorkflow(Workflow[str]):
    """Waits for ever, and is cancelled."""

    name = "mixed.Cancelled"

    async def execute(self, label: str) -> str:
        await self.gather(*[self.activity(book, label=label, part=f"b{number}") for number in range(2)])
        await self.wait_for(lambda: False)
        return "unreachable"


KINDS: list[type[Workflow[Any]]] = [
    FlatWorkflow, ChunksWorkflow, TornWorkflow, BranchesWorkflow, SignalsWorkflow, UpdateWorkflow, PatientWorkflow,
    UndoneWorkflow, SentOutWorkflow, OverdueWorkflow, OutsideWorkflow, CancelledWorkflow,
]  # fmt: skip
