"""Small workflows of the console's tests: one that completes, ones that fail in each way."""

from finaegis.shared.money import Money
from workflows import NonRetryable, Retry, Sensitive, Workflow, activity

SECRET = "078-05-1120-planted"


class Down(Exception):
    """The other side does not answer."""

    code = "counterparty_down"


@activity(name="console.release")
def release(*, trade: str, amount: Money) -> None:
    return None


@activity(name="console.reserve", undo=release)
def reserve(*, trade: str, amount: Money) -> str:
    return f"hold-{trade}"


@activity(name="console.identify")
def identify(*, ssn: Sensitive[str]) -> bool:
    return True


@activity(name="console.settle", retry=Retry(max_attempts=2, initial=60.0))
def settle(*, trade: str, place: str = "Frankfurt") -> str:
    return f"settled {trade} in {place}"


@activity(name="console.refuse_trade")
def refuse_trade(*, trade: str) -> None:
    raise NonRetryable(f"{trade} is not tradable")


class SettlementWorkflow(Workflow[str]):
    """Reserve the funds of a trade and settle it."""

    name = "console.Settlement"
    on_failure = "hold"

    async def execute(self, trade: str, amount: Money, ssn: Sensitive[str]) -> str:
        await self.activity(identify, ssn=ssn)
        await self.activity(reserve, trade=trade, amount=amount)
        return await self.activity(settle, trade=trade)


class UndoneWorkflow(Workflow[None]):
    """Reserve funds, then fail; what was done is undone."""

    name = "console.Undone"
    on_failure = "compensate"

    async def execute(self, trade: str, amount: Money) -> None:
        await self.activity(reserve, trade=trade, amount=amount)
        await self.activity(refuse_trade, trade=trade)


class HopelessWorkflow(Workflow[None]):
    """Fail with nothing to undo."""

    name = "console.Hopeless"
    on_failure = "fail"

    async def execute(self, trade: str) -> None:
        await self.activity(refuse_trade, trade=trade)


class ManyWorkflow(Workflow[int]):
    """Settle many trades, one after the other."""

    name = "console.Many"

    async def execute(self, number: int) -> int:
        for trade in range(number):
            await self.activity(settle, trade=f"T-{trade}")
        return number


class LeavingWorkflow(Workflow[None]):
    """Reserve funds and keep them when it is cancelled."""

    name = "console.Leaving"
    on_failure = "hold"
    on_cancel = "leave"

    async def execute(self, trade: str, amount: Money) -> None:
        await self.activity(reserve, trade=trade, amount=amount)
        await self.activity(refuse_trade, trade=trade)


#: What a person types into the start dialog of a settlement.
TYPED = {"input.trade": "T-1", "input.amount_0": "250.00", "input.amount_1": "USD", "input.ssn": SECRET}
