"""What crosses the wallet's floors: accounts, destinations, limits, withdrawals, tokens and cases as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from finaegis.shared.money import Money
from ledger.contracts import Account as LedgerAccount
from wallet.contracts.statuses import (
    AccountStatus,
    CaseKind,
    CaseStatus,
    DestinationStatus,
    EventKind,
    Resolution,
    WithdrawalStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Whose wallet it is; confirmation links go to `email`."""

    id: UUID
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletAccount:
    """A customer's money in one currency; its balances are in the ledger under `ledger_owner`."""

    id: UUID
    customer: Customer
    currency: str
    status: AccountStatus
    ledger_owner: str
    opened_at: datetime
    #: Whether this call opened it (opening operations only).
    created: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverview(WalletAccount):
    """A wallet account with what stands in the ledger for it."""

    ledger_accounts: tuple[LedgerAccount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where money of one account may go, from `usable_from` on (the end of its cooling-off)."""

    id: UUID
    account_id: UUID
    label: str
    beneficiary: str
    address: str
    status: DestinationStatus
    usable_from: datetime
    added_at: datetime
    #: Whether this call added it (adding operations only).
    created: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may leave an account, in its currency.

    Days and months are those of the calendar, in UTC. `per_destination` is what one destination may get in a day;
    `velocity_count` withdrawals may begin in any `velocity_window`, whatever became of them.
    """

    per_transaction: Money
    per_day: Money
    per_month: Money
    per_destination: Money
    velocity_count: int
    velocity_window: timedelta
    cooling_off: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What counts toward an account's limits already: open, in transit and settled withdrawals."""

    today: Money
    this_month: Money
    to_destination_today: Money
    begun_in_window: int


class StageState(StrEnum):
    """Where a stage of a withdrawal stands, as its page shows it."""

    DONE = "done"
    NOW = "now"
    NEXT = "next"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a withdrawal on its status page: what, and when it happened or ends."""

    title: str
    state: StageState
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A withdrawal in a customer's words: what happened, what comes next, until when."""

    headline: str
    happened: str
    next: str
    until: datetime | None
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A withdrawal as it stands. `deadline` ends the wait for its confirmation, `settles_at` is when it settles."""

    id: UUID
    run_id: UUID
    account_id: UUID
    customer: Customer
    amount: Money
    destination: Destination
    status: WithdrawalStatus
    #: Why it ended otherwise than completed: a stable code.
    reason: str | None
    requested_at: datetime
    deadline: datetime | None
    confirmed_at: datetime | None
    processed_at: datetime | None
    settles_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact about a withdrawal or an account."""

    kind: EventKind
    actor: str
    detail: str
    at: datetime


class TokenState(StrEnum):
    """What a token is good for: a `live` one confirms."""

    LIVE = "live"
    USED = "used"
    VOID = "void"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReading:
    """What a link shows before anybody presses a button."""

    withdrawal: Withdrawal
    state: TokenState


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A validated withdrawal."""

    withdrawal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the wait for confirmation came to; `open` if it goes on. A cancellation has its reason."""

    verdict: Literal["confirmed", "cancelled", "open"]
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """When a processed withdrawal settles."""

    due: datetime


class WithdrawalResult(BaseModel):
    """How a withdrawal's run ended: `{status: completed}`, or `{status: cancelled, reason: timeout | customer}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    status: Literal["completed", "cancelled"]
    reason: str | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_missing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something about a withdrawal that an officer decides."""

    id: UUID
    withdrawal_id: UUID
    kind: CaseKind
    status: CaseStatus
    details: str
    opened_at: datetime
    resolution: Resolution | None
    resolution_reason: str
    resolved_by: str
    resolved_at: datetime | None
