"""Assessing the risk of an account, and the measures against it: each an effect with a key, each with its undo.

Simulated is only the hedge: it is recorded and counts in later scores, but no broker is told, because the platform has
no port for one. A rebalance and a sale move money in the ledger; the price of selling is not simulated, so an asset is
sold at what the ledger carries it for.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from treasury import contracts, queries
from treasury.contracts import HedgeStatus, MeasureUndone, RiskCause, RiskMeasure, Shift
from treasury.errors import CurrencyMismatch, HedgeVoided, IdempotencyConflict, InvalidMeasure
from treasury.events import RiskAssessmentCompleted, RiskMeasureTaken, RiskMeasureUndone
from treasury.models import HedgePosition, RiskAssessment, StoredEvent, TreasuryAggregate
from treasury.operations.locking import locked_account
from treasury.rules.keys import part
from treasury.rules.risk import score_risk
from workflows import clock

#: What a hedge is recorded as: a short position in a future on an equity index.
HEDGE_INSTRUMENT = "EQUITY-INDEX-FUTURE-SHORT"
_UNDONE = MeasureUndone(outcome="undone")
_VOID = MeasureUndone(outcome="void")


def assess_risk(
    *, key: str, account_id: UUID, cause: RiskCause, run_id: UUID | None = None
) -> contracts.RiskAssessment:
    """Score the account as it stands now and record the assessment with its inputs and RiskAssessmentCompleted.

    The same key gives the assessment that was made, for another account or cause IdempotencyConflict. Raises
    UnknownAccount, InvalidKey.
    """
    recorded = part(key, "assessed")
    with transaction.atomic():
        account = locked_account(account_id)
        known = RiskAssessment.objects.filter(key=key).first()
        if known is not None:
            if (known.account_id, known.cause) != (account_id, cause):
                raise IdempotencyConflict(key)
            return known.as_contract()
        inputs = queries.get_risk_inputs(account.as_contract())
        scored = score_risk(inputs)
        row = RiskAssessment(account=account, key=key, cause=cause.value, run_id=run_id, assessed_at=clock.now())
        row.take(scored, inputs)
        row.save(force_insert=True)
        event = RiskAssessmentCompleted(
            account_id=account_id, assessment_id=row.id, score=scored.score, reasons=scored.reasons, run_id=run_id
        )
        TreasuryAggregate.retrieve(account_id).record(event, key=recorded).persist(at=row.assessed_at)
        return row.as_contract()


def shift_money(
    *, key: str, account_id: UUID, measure: RiskMeasure, shifts: Sequence[Shift], run_id: UUID | None = None
) -> None:
    """Move an account's money between its own ledger accounts, as a measure asks: one balanced transfer.

    Records RiskMeasureTaken. The same key moves nothing more, with other shifts it raises IdempotencyConflict. Raises
    UnknownAccount, InvalidMeasure (no shifts, a kind twice or unknown, a sum that is not zero), CurrencyMismatch, and
    the ledger's refusals when a balance is no longer there.
    """
    recorded = part(key, "taken")
    with transaction.atomic():
        account = locked_account(account_id)
        opened = ledger_queries.list_accounts(owner=account.ledger_owner, currency=account.currency)
        legs = _legs({item.kind: item.id for item in opened}, shifts, account.currency)
        ledger.transfer(
            key=part(key, "transfer"), legs=legs, description=f"risk measure: {measure.value}", run_id=run_id
        )
        if StoredEvent.objects.filter(key=recorded).exists():
            return
        event = RiskMeasureTaken(account_id=account_id, measure=measure, shifts=tuple(shifts), run_id=run_id)
        TreasuryAggregate.retrieve(account_id).record(event, key=recorded).persist(at=clock.now())


def reverse_shift(
    *, key: str, undone_key: str, account_id: UUID, measure: RiskMeasure, run_id: UUID | None = None
) -> MeasureUndone:
    """Undo the shift that was made with `undone_key`; every balance is as before it.

    Where there is none the ledger voids the key, so that a late attempt moves nothing, and no event is recorded.
    Repeating it gives the same answer. Raises UnknownAccount, and the ledger's refusals when the money is gone.
    """
    recorded = part(key, "undone")
    with transaction.atomic():
        locked_account(account_id)
        made = ledger.reverse_transfer(
            key=part(key, "transfer"),
            undone_key=part(undone_key, "transfer"),
            description=f"risk measure: {measure.value}, undone",
            run_id=run_id,
        )
        if made.outcome == "void":
            return _VOID
        _record_undone(recorded, account_id, measure, run_id)
        return _UNDONE


def open_hedge(*, key: str, account_id: UUID, notional: Money, run_id: UUID | None = None) -> contracts.HedgePosition:
    """Record a hedge of `notional` against the account's equities; later scores count that much of them as hedged.

    Records RiskMeasureTaken. The same key gives the hedge that was opened, for another account or notional
    IdempotencyConflict. Raises UnknownAccount, CurrencyMismatch, InvalidMeasure (not more than zero), HedgeVoided.
    """
    recorded = part(key, "taken")
    with transaction.atomic():
        account = locked_account(account_id)
        if notional.currency != account.currency:
            raise CurrencyMismatch(expected=account.currency, found=notional.currency)
        if notional <= Money.zero(account.currency):
            raise InvalidMeasure(f"a hedge must be of more than zero, not {notional}")
        known = HedgePosition.objects.filter(key=key).first()
        if known is not None:
            return _repeated(known, account_id, notional)
        row = HedgePosition(
            account=account, key=key, instrument=HEDGE_INSTRUMENT, currency=account.currency,
            notional_minor=notional.to_minor(), run_id=run_id, opened_at=clock.now(),
        )  # fmt: skip
        row.save(force_insert=True)
        event = RiskMeasureTaken(account_id=account_id, measure=RiskMeasure.HEDGE, notional=notional, run_id=run_id)
        TreasuryAggregate.retrieve(account_id).record(event, key=recorded).persist(at=row.opened_at)
        return row.as_contract()


def close_hedge(*, key: str, undone_key: str, account_id: UUID, run_id: UUID | None = None) -> MeasureUndone:
    """Close the hedge that was opened with `undone_key`; one that never was is recorded as void and cannot be opened.

    Repeating it gives the same answer. Raises UnknownAccount, and IdempotencyConflict for a hedge of another account.
    """
    recorded = part(key, "undone")
    with transaction.atomic():
        account = locked_account(account_id)
        row = HedgePosition.objects.filter(key=undone_key).first()
        now = clock.now()
        if row is None:
            HedgePosition.objects.create(
                account=account, key=undone_key, instrument=HEDGE_INSTRUMENT, currency=account.currency,
                notional_minor=0, status=HedgeStatus.VOID, run_id=run_id, opened_at=now, closed_at=now,
            )  # fmt: skip
            return _VOID
        if row.account_id != account_id:
            raise IdempotencyConflict(undone_key)
        if row.status == HedgeStatus.VOID:
            return _VOID
        if row.status == HedgeStatus.OPEN:
            row.status, row.closed_at = HedgeStatus.CLOSED, now
            row.save(update_fields=["status", "closed_at"])
            _record_undone(recorded, account_id, RiskMeasure.HEDGE, run_id)
        return _UNDONE


def _legs(ids: dict[str, UUID], shifts: Sequence[Shift], currency: str) -> list[Leg]:
    kinds = [shift.kind for shift in shifts]
    if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= set(ids):
        raise InvalidMeasure(f"each ledger account of the account may be named once: {', '.join(kinds) or 'none was'}")
    for shift in shifts:
        if shift.amount.currency != currency:
            raise CurrencyMismatch(expected=currency, found=shift.amount.currency)
    if Money.total((shift.amount for shift in shifts), currency):
        raise InvalidMeasure("the shifts do not sum to zero")
    return [Leg(ids[shift.kind], shift.amount) for shift in shifts]


def _repeated(known: HedgePosition, account_id: UUID, notional: Money) -> contracts.HedgePosition:
    if known.account_id != account_id:
        raise IdempotencyConflict(known.key)
    if known.status == HedgeStatus.VOID:
        raise HedgeVoided(known.key)
    if known.notional != notional:
        raise IdempotencyConflict(known.key)
    return known.as_contract()


def _record_undone(recorded: str, account_id: UUID, measure: RiskMeasure, run_id: UUID | None) -> None:
    if StoredEvent.objects.filter(key=recorded).exists():
        return
    event = RiskMeasureUndone(account_id=account_id, measure=measure, run_id=run_id)
    TreasuryAggregate.retrieve(account_id).record(event, key=recorded).persist(at=clock.now())
