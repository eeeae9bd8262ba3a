"""What a report is made of, read in one snapshot: facts of the domains, and the ledger beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from finaegis.shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceLine:
    """An account in the trial balance: what was added, what was taken (negative), and the sum."""

    account_id: UUID
    owner: str
    kind: str
    currency: str
    added: Money
    taken: Money
    balance: Money

    @property
    def group(self) -> str:
        """Whose class of accounts it belongs to: `treasury` for `treasury:<id>`."""
        return self.owner.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreasuryPosition:
    """One ledger account of a treasury account; `held` is known for the open day alone."""

    account_id: UUID
    name: str
    status: str
    kind: str
    balance: Money
    held: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueInstalment:
    """One entry of a loan's binding schedule."""

    due_on: date
    instalment: Money
    principal: Money
    balance: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanPosition:
    """A loan, and what the ledger had of it at the end of the day.

    `paid_out` is what stood as credited to the borrower, `in_transit` what was on its way.
    """

    loan_id: UUID
    borrower: str
    status: str
    principal: Money
    annual_rate: Decimal
    apr: Decimal
    term_months: int
    disbursed_on: date | None
    schedule: tuple[DueInstalment, ...]
    paid_out: Money
    in_transit: Money
    receivable: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLine:
    """A trade of the day. `event` is `settled` where the day's transfers settled it, else how it stands."""

    trade_id: UUID
    event: str
    at: datetime
    symbol: str
    number: int
    buyer: str
    seller: str
    price: Decimal
    quantity: Money
    notional: Money
    buyer_fee: Money
    seller_fee: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalLine:
    """A withdrawal of the day. `event` is what the day's transfer did with its money, else how it stands."""

    withdrawal_id: UUID
    event: str
    at: datetime
    customer: str
    beneficiary: str
    amount: Money
    status: str
