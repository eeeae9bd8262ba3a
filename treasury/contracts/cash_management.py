"""Accounts, allocations, instruments and proposals as values; the input of cash management."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from finaegis.shared.money import Money
from ledger.contracts import Account as LedgerAccount

#: Decimal places of every yield, duration and share that is given or stored.
RATE_PLACES = 6

Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=RATE_PLACES, allow_inf_nan=False)]
PercentAYear = Annotated[Decimal, Field(ge=-100, le=10_000, decimal_places=RATE_PLACES, allow_inf_nan=False)]
Years = Annotated[Decimal, Field(ge=0, le=100, decimal_places=RATE_PLACES, allow_inf_nan=False)]


class AssetClass(StrEnum):
    """Where allocated money goes, in the order that decides ties of a split."""

    CASH = "cash"
    BONDS = "bonds"
    EQUITIES = "equities"


#: Ledger kinds of a treasury account, unique per owner and currency.
OPERATING = "operating"
LEDGER_KINDS = (OPERATING, "allocated_cash", "allocated_bonds", "allocated_equities")
#: Owner and kind of the ledger account that stands for the world outside; it may go negative.
EXTERNAL = "external"


def allocated_kind(asset_class: AssetClass) -> str:
    """The ledger kind that holds what is allocated to a class."""
    return f"allocated_{asset_class}"


class AccountStatus(StrEnum):
    """A frozen account takes no new allocations."""

    ACTIVE = "active"
    FROZEN = "frozen"


class AllocationStatus(StrEnum):
    """An allocation stands until its reversal."""

    ACTIVE = "active"
    REVERSED = "reversed"


class ReversalOutcome(StrEnum):
    """What a reversal found: something to reverse, or nothing (and it made sure that nothing comes later)."""

    REVERSED = "reversed"
    VOID = "void"


class Constraints(BaseModel):
    """What the investment of an allocation has to respect.

    Yields in per cent a year, limits and the floor as shares of the whole amount, duration in years averaged over cash
    and bonds. `min_yield` is hard, `target_yield` soft. `instrument_limits` can only tighten an instrument's own limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    min_yield: PercentAYear | None = None
    target_yield: PercentAYear | None = None
    issuer_limit: Share = Decimal("0.35")
    liquidity_floor: Share = Decimal("0.20")
    max_duration: Years = Decimal("4.0")
    instrument_limits: dict[str, Share] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreasuryAccount:
    """A treasury account as seen from outside; its balances are in the ledger under `ledger_owner`."""

    id: UUID
    name: str
    currency: str
    account_type: str
    status: AccountStatus
    ledger_owner: str
    opened_at: datetime
    #: Whether this call opened it (opening operations only).
    created: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassAmount:
    """The part of an allocation that goes to one asset class."""

    type: AssetClass
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Money moved from the operating account to the asset classes; `warnings` say what was decided by default."""

    allocations: tuple[ClassAmount, ...]
    total_allocated: Money
    timestamp: datetime
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRecord:
    """An allocation as it stands now."""

    id: UUID
    account_id: UUID
    strategy: str
    allocations: tuple[ClassAmount, ...]
    total: Money
    status: AllocationStatus
    run_id: UUID | None
    allocated_at: datetime
    reversed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """How an allocation's undo ended; `amount` is what went back to the operating account."""

    outcome: ReversalOutcome
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What money can be put into, as valid on one day.

    `yield_percent` in per cent a year, `duration` modified, in years; `liquid` counts toward the liquidity floor;
    `limit` is a share of the whole amount. `valid_to` is the first day on which the row no longer holds, `stale_from`
    the day on which its successor was due.
    """

    code: str
    asset_class: AssetClass
    currency: str
    issuer: str
    sovereign: bool
    yield_percent: Decimal
    duration: Decimal
    liquid: bool
    limit: Decimal | None
    valid_from: date
    valid_to: date | None
    source: str
    stale_from: date | None = None

    def stale_on(self, day: date) -> bool:
        """Whether a newer figure was due by `day`."""
        return self.stale_from is not None and self.stale_from <= day


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A proposed investment in one instrument; `share` of the whole amount, before rounding to minor units."""

    code: str
    type: AssetClass
    issuer: str
    share: Decimal
    amount: Money
    yield_percent: Decimal
    duration: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingConstraint:
    """A constraint without slack at the optimum.

    `shadow_price` is the change of yearly income per unit of the limit (a share of 1, a year, a percentage point): not
    negative for an upper limit, not positive for a floor. It is the one-sided value for a looser limit.
    """

    name: str
    subject: str | None
    limit: Decimal
    shadow_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimization:
    """The proposal of highest yield inside each class. Yields in per cent a year on the whole, duration in years."""

    positions: tuple[Position, ...]
    reached_yield: Decimal
    yearly_income: Money
    target_yield: Decimal | None
    shortfall: Decimal
    average_duration: Decimal
    liquid_share: Decimal
    uninvested: tuple[ClassAmount, ...]
    binding: tuple[BindingConstraint, ...]
    as_of: date
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """A stored event; `payload` is its JSON text."""

    version: int
    name: str
    payload: str
    run_id: UUID | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverview(TreasuryAccount):
    """A treasury account with what stands in the ledger for it, its allocations and its events, oldest first."""

    ledger_accounts: tuple[LedgerAccount, ...]
    allocations: tuple[AllocationRecord, ...]
    events: tuple[EventRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CashResult:
    """The result of a cash management run."""

    success: bool
    allocation: Allocation
    optimization: Optimization
