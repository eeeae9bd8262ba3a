"""Workflows that the tests of each door talk to: messages, timers, a step in doubt, a step ended from outside."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import BaseModel

from workflows import NonRetryable, Outcome, Retry, Sensitive, Workflow, activity, activity_info, query, signal, update


class Paid(BaseModel):
    """What a payment gives."""

    reference: str
    fee: Decimal


class TooSmall(NonRetryable):
    """The offer is too small."""

    code = "too_small"


class HaggleWorkflow(Workflow[int]):
    """Wait for an offer that is accepted, and remember what was said."""

    name = "talk.Haggle"

    def __init__(self) -> None:
        self._said: list[str] = []
        self._offer: int | None = None
        self._secret: Sensitive[str] | None = None

    async def execute(self, least: int = 10) -> int:
        self._least = least
        await self.wait_for(lambda: self._offer is not None, timeout=timedelta(hours=2))
        return self._offer or 0

    @signal
    def say(self, text: str, reason: str = "none", key: int = 0) -> None:
        """Say something; it is remembered. Its parameters are named as the operation's own are."""
        self._said.append(f"{text} ({reason}, {key})")

    @signal
    def confide(self, secret: Sensitive[str]) -> None:
        """Tell what nobody may see."""
        self._secret = secret

    @query
    def said(self, last: int = 0) -> list[str]:
        """What was said, all of it or the last few."""
        return self._said[-last:]

    @query
    def secret(self) -> Sensitive[str] | None:
        """What nobody may see."""
        return self._secret

    @query
    def broken(self) -> int:
        """A query that fails."""
        raise TooSmall("there is nothing to tell")

    @query
    def writing(self) -> int:
        """A query that asks for something, which none may."""
        self.track("written")
        return 1

    @update
    def offer(self, amount: int, reason: str = "") -> str:
        """Offer an amount; one that is large enough ends the haggling."""
        if amount == 13:
            raise TooSmall("thirteen is unlucky", code="unlucky")
        if amount >= self._least:
            self._offer = amount
        return f"{amount} is {'taken' if self._offer else 'thought about'}"

    @offer.validator
    def _is_offer(self, amount: int, reason: str = "") -> None:
        if amount < 1:
            raise TooSmall(f"{amount} is no offer")


@activity(name="talk.ask_bank")
def ask_bank(*, key: str) -> Outcome:
    return Outcome.unknown()


@activity(name="talk.pay", repeatable=False, reconcile=ask_bank, retry=Retry(max_attempts=3))
def pay(*, amount: int) -> Paid:
    raise ConnectionError("the line is dead")


class PaymentWorkflow(Workflow[str]):
    """Pay once, whatever happens."""

    name = "talk.Payment"
    on_failure = "fail"

    async def execute(self, amount: int) -> str:
        return (await self.activity(pay, amount=amount)).reference


#: Tokens that were given out, last one last.
tokens: list[str] = []


@activity(
    name="talk.print_letter", timeout=timedelta(hours=1), heartbeat=timedelta(minutes=5), retry=Retry(max_attempts=2)
)
def print_letter(*, text: str) -> int:
    tokens.append(activity_info().complete_later())
    return 0


class LetterWorkflow(Workflow[int]):
    """Have a letter printed by somebody outside."""

    name = "talk.Letter"

    async def execute(self, text: str) -> int:
        return await self.activity(print_letter, text=text)


class SleepWorkflow(Workflow[str]):
    """Sleep for some hours."""

    name = "talk.Sleep"

    async def execute(self, hours: int) -> str:
        await self.sleep(timedelta(hours=hours))
        return "awake"
