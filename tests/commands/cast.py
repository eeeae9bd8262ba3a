"""Workflows that the tests of the command line start; named apart from every other test's."""

from finaegis.shared.money import Money
from workflows import NonRetryable, Retry, Sensitive, Workflow, activity

SECRET = "078-05-1120-planted"


@activity(name="desk.release")
def release(*, trade: str, amount: Money) -> None:
    return None


@activity(name="desk.reserve", undo=release)
def reserve(*, trade: str, amount: Money) -> str:
    return f"hold-{trade}"


@activity(name="desk.identify")
def identify(*, ssn: Sensitive[str]) -> Sensitive[str]:
    return ssn


@activity(name="desk.settle", retry=Retry(max_attempts=1))
def settle(*, trade: str, place: str = "Frankfurt") -> str:
    return f"settled {trade} in {place}"


class SettlementWorkflow(Workflow[str]):
    """Reserve the funds of a trade and settle it; waits for an operator when it fails."""

    name = "desk.Settlement"
    on_failure = "hold"

    async def execute(self, trade: str, amount: Money) -> str:
        await self.activity(reserve, trade=trade, amount=amount)
        return await self.activity(settle, trade=trade)


class UndoneWorkflow(Workflow[str]):
    """The same, undone when it fails."""

    name = "desk.Undone"

    async def execute(self, trade: str, amount: Money) -> str:
        await self.activity(reserve, trade=trade, amount=amount)
        return await self.activity(settle, trade=trade)


class HopelessWorkflow(Workflow[None]):
    """Fail with nothing to undo."""

    name = "desk.Hopeless"

    async def execute(self) -> None:
        await self.activity(settle, trade="none")


class IdentityWorkflow(Workflow[Sensitive[str]]):
    """Takes and gives something that nobody may see."""

    name = "desk.Identity"

    async def execute(self, ssn: Sensitive[str]) -> Sensitive[str]:
        return await self.activity(identify, ssn=ssn)


@activity(name="desk.check_open")
def check_open(*, trade: str) -> None:
    if trade == "closed":
        raise NonRetryable("the desk is closed", code="desk_closed")


class CheckedWorkflow(Workflow[str]):
    """Start only while the desk is open."""

    name = "desk.Checked"
    start_checks = (check_open,)

    async def execute(self, trade: str) -> str:
        return trade


class CountWorkflow(Workflow[int]):
    """Takes names that somebody else chose."""

    name = "desk.Count"

    async def execute(self, numbers: dict[str, int]) -> int:
        return sum(numbers.values())


class FirstReportWorkflow(Workflow[str]):
    """An older report."""

    name = "desk.Report"
    version = 1

    async def execute(self) -> str:
        return "first"


class SecondReportWorkflow(Workflow[str]):
    """The report of today."""

    name = "desk.Report"
    version = 2

    async def execute(self) -> str:
        return "second"
