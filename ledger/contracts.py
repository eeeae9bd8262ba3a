"""What crosses the ledger's floor: accounts, transfers, holds and findings as values. No rows, no Django."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from finaegis.shared.money import Money


class HoldStatus(StrEnum):
    """A hold is `held` until it is resolved, once."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stands: `available` = `balance` - `held`."""

    id: UUID
    owner: str
    kind: str
    currency: str
    may_go_negative: bool
    balance: Money
    held: Money
    available: Money


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a transfer: a positive amount is added to the account, a negative one is taken from it."""

    account_id: UUID
    amount: Money


@dataclass(frozen=True, slots=True)
class Transfer:
    """A posted transfer, sealed: its legs sum to zero in each currency. `reverses` names the transfer it corrects."""

    id: UUID
    key: str
    legs: tuple[Leg, ...]
    description: str
    run_id: UUID | None
    value_date: date
    posted_at: datetime
    reverses: UUID | None


@dataclass(frozen=True, slots=True)
class Reversal:
    """How an undo ended: the transfer that moved the money back, or a void, after which that key moves nothing."""

    outcome: Literal["reversed", "void"]
    transfer: Transfer | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside on an account. `captured` is what was taken at the end, zero while it is held."""

    id: UUID
    key: str
    account_id: UUID
    amount: Money
    captured: Money
    status: HoldStatus
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `verify` found wrong: a stable `code`, the kind and id of the record, and a text for people."""

    code: str
    subject: str
    subject_id: str
    message: str
