"""Facts about a treasury account, in the past tense: what its event stream is made of. Sagas listen to some of them.

Each carries the `run_id` of the workflow run that made it true; None when it came from a direct operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import get_args
from uuid import UUID

from pydantic import TypeAdapter

from finaegis.shared.money import Money
from treasury.contracts import ClassAmount, Optimization, RiskMeasure, RiskReason, Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class TreasuryAccountCreated:
    """A treasury account was opened."""

    account_id: UUID
    account_type: str
    name: str
    currency: str
    initial_balance: Money | None = None
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashAllocated:
    """Money went from the operating account to the asset classes."""

    account_id: UUID
    allocation_id: UUID
    strategy: str
    allocations: tuple[ClassAmount, ...]
    total_allocated: Money
    warnings: tuple[str, ...] = ()
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldOptimizationStarted:
    """A portfolio was proposed for allocated money."""

    account_id: UUID
    optimization: Optimization
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationReversed:
    """An allocation was undone; its money is back on the operating account."""

    account_id: UUID
    allocation_id: UUID
    allocations: tuple[ClassAmount, ...]
    total_reversed: Money
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreasuryAccountFrozen:
    """A freeze was placed: the account takes no new allocations."""

    account_id: UUID
    freeze_id: UUID
    cause: str
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreasuryAccountUnfrozen:
    """A freeze was lifted; others may still stand."""

    account_id: UUID
    freeze_id: UUID
    cause: str
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeMovementRecorded:
    """A movement was recorded that has to be examined. Published for sagas; not a part of the account's stream."""

    account_id: UUID
    movement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAssessmentCompleted:
    """The risk of the account was scored, from 0 to 100; the assessment holds what it was judged by."""

    account_id: UUID
    assessment_id: UUID
    score: Decimal
    reasons: tuple[RiskReason, ...]
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMeasureTaken:
    """Money was shifted between the account's ledger accounts, or a hedge of `notional` opened, against its risk."""

    account_id: UUID
    measure: RiskMeasure
    shifts: tuple[Shift, ...] = ()
    notional: Money | None = None
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMeasureUndone:
    """A measure against risk was undone."""

    account_id: UUID
    measure: RiskMeasure
    run_id: UUID | None = None


TreasuryEvent = (
    TreasuryAccountCreated
    | CashAllocated
    | YieldOptimizationStarted
    | AllocationReversed
    | TreasuryAccountFrozen
    | TreasuryAccountUnfrozen
    | RiskAssessmentCompleted
    | RiskMeasureTaken
    | RiskMeasureUndone
)

_TYPES: dict[str, TypeAdapter[TreasuryEvent]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(TreasuryEvent)}


def encode(event: TreasuryEvent) -> str:
    """The stored JSON of an event; decimals and amounts as text."""
    return _TYPES[type(event).__name__].dump_json(event).decode()


def decode(name: str, payload: str) -> TreasuryEvent:
    """The event that was stored under its class name."""
    return _TYPES[name].validate_json(payload)
