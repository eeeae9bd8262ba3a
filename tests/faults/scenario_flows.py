"""Workflows of single scenarios: something goes wrong at one place, and the test says when."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger.contracts import Leg
from ledger.errors import KeyVoided
from tests.faults import effects
from tests.faults.flows import pass_gate
from workflows import NonRetryable, Retry, Workflow, activity, activity_info, query, signal, update

ONCE = Retry(max_attempts=1)


@activity(name="scenario.take_back", transactional=True)
def take_back(*, label: str, part: str) -> None:
    effects.write(f"{label}:{part}:undone")


@activity(name="scenario.book", transactional=True, undo=take_back)
def book(*, label: str, part: str) -> str:
    effects.write(f"{label}:{part}")
    return part


@activity(name="scenario.book_gated", transactional=True, undo=take_back)
def book_gated(*, label: str, part: str, gate: str) -> str:
    pass_gate(gate)
    effects.write(f"{label}:{part}")
    return part


@activity(name="scenario.refuse_gated")
def refuse_gated(*, gate: str) -> None:
    pass_gate(gate)
    raise NonRetryable("told to fail", code="told_to")


class TornWorkflow(Workflow[None]):
    """One member fails while the other runs."""

    name = "scenario.Torn"

    async def execute(self, label: str, slow: str, failing: str) -> None:
        await self.gather(
            self.activity(book_gated, label=label, part="a", gate=slow), self.activity(refuse_gated, gate=failing)
        )


class JoinWorkflow(Workflow[str]):
    """A member that is done at once, and one that waits for the test."""

    name = "scenario.Join"

    async def execute(self, label: str, gate: str) -> str:
        booked = [
            self.activity(book, label=label, part="a"),
            self.activity(book_gated, label=label, part="b", gate=gate),
        ]
        return "+".join(await self.gather(*booked))


# --- Money -----------------------------------------------------------------------------------------------------------


@activity(name="scenario.pay_back")
def pay_back(*, label: str) -> str:
    info = activity_info()
    assert info.undone_key is not None
    outcome = ledger.reverse_transfer(key=info.idempotency_key, undone_key=info.undone_key).outcome
    effects.write(f"{label}:undone:{outcome}")
    return outcome


@activity(name="scenario.pay", timeout=timedelta(seconds=1), retry=ONCE, undo=pay_back)
def pay(*, label: str, payer: UUID, payee: UUID, amount: Decimal, gate: str) -> None:
    """Hangs before it moves the money; by the time it does, nobody waits for it any more."""
    pass_gate(gate)
    legs = [Leg(payer, Money(-amount, "USD")), Leg(payee, Money(amount, "USD"))]
    try:
        ledger.transfer(key=activity_info().idempotency_key, legs=legs)
    except KeyVoided as refused:
        effects.write(f"{label}:refused:{refused.code}")
        raise
    effects.write(f"{label}:paid")


class PaymentWorkflow(Workflow[None]):
    """One payment."""

    name = "scenario.Payment"

    async def execute(self, label: str, payer: UUID, payee: UUID, amount: Decimal, gate: str) -> None:
        await self.activity(pay, label=label, payer=payer, payee=payee, amount=amount, gate=gate)


# --- Attempts that are sent out --------------------------------------------------------------------------------------


@activity(name="scenario.tell_out", timeout=timedelta(minutes=5))
def tell_out(*, label: str) -> None:
    effects.write(f"{label}:told:{os.getpid()}")


@activity(name="scenario.book_out", transactional=True, queue="elsewhere", undo=take_back)
def book_out(*, label: str, part: str) -> str:
    effects.write(f"{label}:{part}")
    return part


class SentOutWorkflow(Workflow[str]):
    """Two attempts that are sent out, one after the other, then one in place."""

    name = "scenario.SentOut"

    async def execute(self, label: str) -> str:
        await self.activity(tell_out, label=label)
        await self.activity(book_out, label=label, part="out")
        return await self.activity(book, label=label, part="in place")


@activity(name="scenario.answer", timeout=timedelta(minutes=5))
def answer(*, label: str, gate: str) -> int:
    """Every attempt but the first waits for the test."""
    if activity_info().attempt > 1:
        pass_gate(gate)
    effects.write(f"{label}:{activity_info().attempt}")
    return activity_info().attempt


@activity(name="scenario.answer_booked", transactional=True, queue="elsewhere")
def answer_booked(*, label: str, gate: str) -> int:
    return answer.function(label=label, gate=gate)


class AnswerWorkflow(Workflow[int]):
    """One attempt that was sent out, whose result is its number."""

    name = "scenario.Answer"

    async def execute(self, label: str, gate: str, booked: bool) -> int:
        return await self.activity(answer_booked if booked else answer, label=label, gate=gate)


@activity(name="scenario.dawdle")
def dawdle(*, label: str, number: int, seconds: float) -> int:
    """Takes its time; its effect names the worker it ran in (the parent of the process)."""
    time.sleep(seconds)
    effects.write(f"{label}:{number}:{os.getppid()}")
    return number


class LongWorkflow(Workflow[int]):
    """Many steps, one after the other."""

    name = "scenario.Long"

    async def execute(self, label: str, steps: int, seconds: float) -> int:
        for number in range(steps):
            await self.activity(dawdle, label=label, number=number, seconds=seconds)
        return steps


class WideWorkflow(Workflow[int]):
    """Many members, sent out in chunks."""

    name = "scenario.Wide"

    async def execute(self, label: str, members: int, seconds: float) -> int:
        dawdling = [self.activity(dawdle, label=label, number=number, seconds=seconds) for number in range(members)]
        return len(await self.gather(*dawdling))


# --- Time and messages -----------------------------------------------------------------------------------------------


class ConfirmationWorkflow(Workflow[str]):
    """Waits so many seconds for a confirmation."""

    name = "scenario.Confirmation"

    def __init__(self) -> None:
        self.confirmed = False
        self.in_time: bool | None = None

    @signal
    def confirm(self) -> None:
        """The confirmation."""
        self.confirmed = True

    @query
    def outcome(self) -> bool | None:
        """Whether it came in time; None while nobody knows."""
        return self.in_time

    async def execute(self, label: str, seconds: float) -> str:
        self.in_time = await self.wait_for(lambda: self.confirmed, timeout=timedelta(seconds=seconds))
        return await self.activity(book, label=label, part="confirmed" if self.in_time else "timed out")


@activity(name="scenario.ask_outside", timeout=timedelta(minutes=5))
def ask_outside(*, label: str) -> str:
    effects.write(f"{label}:token:{activity_info().complete_later()}")
    return ""


class EverythingWorkflow(Workflow[str]):
    """Each way of waiting, one after the other."""

    name = "scenario.Everything"

    def __init__(self) -> None:
        self.signalled: list[str] = []
        self.decision: str | None = None

    @signal
    def tell(self, what: str) -> None:
        """Something to note."""
        self.signalled.append(what)

    @update
    def decide(self, decision: str) -> str:
        """The decision."""
        self.decision = decision
        return f"decided: {decision}"

    async def execute(self, label: str, members: int) -> str:
        await self.activity(book, label=label, part="first")
        booked = [self.activity(book, label=label, part=f"m{number}") for number in range(members)]
        count = len(await self.gather(*booked))
        await self.sleep(timedelta(seconds=0.5))
        await self.wait_for(lambda: self.signalled)
        await self.wait_for(lambda: self.decision is not None)
        outside = await self.activity(ask_outside, label=label)
        await self.activity(book_out, label=label, part="last")
        return f"{count}/{self.signalled[0]}/{self.decision}/{outside}"
