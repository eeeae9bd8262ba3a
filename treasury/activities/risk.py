"""What risk management does, step by step; every measure has its undo."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from finaegis.shared.money import Money
from treasury import operations, queries
from treasury.contracts import (
    RISK_FREEZE,
    Freeze,
    HedgePosition,
    MeasureUndone,
    MitigationPlan,
    RiskAssessment,
    RiskCause,
    RiskMeasure,
    Shift,
)
from treasury.errors import UndoneKeyMissing
from workflows import activity, activity_info


@activity
def check_risk_account(*, account_id: UUID) -> None:
    """Refuse an account that does not exist."""
    queries.get_account(account_id)


@activity(transactional=True)
def assess_risk(*, account_id: UUID, cause: RiskCause) -> RiskAssessment:
    """Score the account as it stands and record the assessment."""
    info = activity_info()
    return operations.assess_risk(key=info.idempotency_key, account_id=account_id, cause=cause, run_id=info.run_id)


@activity
def plan_mitigation(*, account_id: UUID) -> MitigationPlan:
    """Choose the measures that fit the account's score and its reasons; writes nothing."""
    return queries.plan_mitigation(account_id)


@activity(transactional=True)
def allow_allocations(*, account_id: UUID) -> Freeze:
    """Lift the freeze of the undone step, and no other."""
    info = activity_info()
    return operations.lift_freeze(
        key=info.idempotency_key, undone_key=_undone_key(), account_id=account_id, run_id=info.run_id
    )


@activity(transactional=True, undo=allow_allocations)
def freeze_allocations(*, account_id: UUID, score: Decimal) -> Freeze:
    """Freeze new allocations of the account."""
    info = activity_info()
    return operations.freeze_account(
        key=info.idempotency_key, account_id=account_id, cause=f"{RISK_FREEZE} {score}", run_id=info.run_id
    )


@activity(transactional=True)
def undo_rebalance(*, account_id: UUID) -> MeasureUndone:
    """Bring the money of a rebalance back to the classes it came from."""
    return _reverse(account_id, RiskMeasure.REBALANCE)


@activity(transactional=True, undo=undo_rebalance)
def rebalance_allocations(*, account_id: UUID, shifts: tuple[Shift, ...]) -> None:
    """Move allocated money between the asset classes."""
    _shift(account_id, RiskMeasure.REBALANCE, shifts)


@activity(transactional=True)
def undo_raised_liquidity(*, account_id: UUID) -> MeasureUndone:
    """Bring the money of a sale back from the operating account to the classes it came from."""
    return _reverse(account_id, RiskMeasure.RAISE_LIQUIDITY)


@activity(transactional=True, undo=undo_raised_liquidity)
def raise_liquidity(*, account_id: UUID, shifts: tuple[Shift, ...]) -> None:
    """Move money from equities and bonds to the operating account."""
    _shift(account_id, RiskMeasure.RAISE_LIQUIDITY, shifts)


@activity(transactional=True)
def close_hedge(*, account_id: UUID) -> MeasureUndone:
    """Close the hedge of the undone step."""
    info = activity_info()
    return operations.close_hedge(
        key=info.idempotency_key, undone_key=_undone_key(), account_id=account_id, run_id=info.run_id
    )


@activity(transactional=True, undo=close_hedge)
def hedge_equities(*, account_id: UUID, notional: Money) -> HedgePosition:
    """Record a hedge against the account's equities."""
    info = activity_info()
    return operations.open_hedge(key=info.idempotency_key, account_id=account_id, notional=notional, run_id=info.run_id)


def _shift(account_id: UUID, measure: RiskMeasure, shifts: tuple[Shift, ...]) -> None:
    info = activity_info()
    operations.shift_money(
        key=info.idempotency_key, account_id=account_id, measure=measure, shifts=shifts, run_id=info.run_id
    )


def _reverse(account_id: UUID, measure: RiskMeasure) -> MeasureUndone:
    info = activity_info()
    return operations.reverse_shift(
        key=info.idempotency_key,
        undone_key=_undone_key(),
        account_id=account_id,
        measure=measure,
        run_id=info.run_id,
    )


def _undone_key() -> str:
    """The key of the step that is undone: an undo finds by it what to reverse."""
    key = activity_info().undone_key
    if key is None:
        raise UndoneKeyMissing
    return key
