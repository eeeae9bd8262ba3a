"""A workflow that moves money and sets it aside as often as asked, and can undo that: for tests of panels."""

from uuid import UUID

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from workflows import NonRetryable, Workflow, activity, activity_info

ONE = Money("1.00", "USD")


def accounts_of(account_id: UUID) -> tuple[UUID, UUID]:
    """The operating account of a treasury account, and the world outside."""
    own = ledger_queries.find_account(owner=f"treasury:{account_id}", kind="operating", currency="USD")
    assert own is not None
    outside = ledger.open_account(owner="external", kind="external", currency="USD", may_go_negative=True)
    return own.id, outside.id


@activity(name="paying.take_back", transactional=True)
def take_back() -> None:
    """The payment comes back."""
    info = activity_info()
    assert info.undone_key is not None
    ledger.reverse_transfer(key=info.idempotency_key, undone_key=info.undone_key, run_id=info.run_id)


@activity(name="paying.pay", transactional=True, undo=take_back)
def pay(*, account_id: UUID) -> None:
    """One dollar leaves."""
    info = activity_info()
    own, outside = accounts_of(account_id)
    ledger.transfer(
        key=info.idempotency_key,
        legs=[Leg(own, -ONE), Leg(outside, ONE)],
        description="a payment",
        run_id=info.run_id,
    )


@activity(name="paying.set_aside", transactional=True)
def set_aside(*, account_id: UUID) -> None:
    """One dollar is held."""
    info = activity_info()
    own, _ = accounts_of(account_id)
    ledger.place_hold(key=info.idempotency_key, account_id=own, amount=ONE, run_id=info.run_id)


@activity(name="paying.capture", transactional=True)
def capture(*, account_id: UUID) -> None:
    """One dollar is held and half of it taken."""
    info = activity_info()
    own, outside = accounts_of(account_id)
    hold = f"{info.idempotency_key}/hold"
    ledger.place_hold(key=hold, account_id=own, amount=ONE, run_id=info.run_id)
    ledger.capture_hold(
        key=info.idempotency_key, hold_key=hold, amount=Money("0.50", "USD"), to_account_id=outside, run_id=info.run_id
    )


@activity(name="paying.refuse")
def refuse() -> None:
    """Fails for good."""
    raise NonRetryable("no more")


class PaymentsWorkflow(Workflow[int]):
    """Pay, hold and capture, each so many times; undo the payments if asked."""

    name = "paying.Payments"
    on_failure = "compensate"

    async def execute(self, account_id: UUID, number: int = 1, fail: bool = False) -> int:
        for _ in range(number):
            await self.activity(pay, account_id=account_id)
            await self.activity(set_aside, account_id=account_id)
            await self.activity(capture, account_id=account_id)
        if fail:
            await self.activity(refuse)
        return number
