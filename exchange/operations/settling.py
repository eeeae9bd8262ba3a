"""Settlement: both legs of a trade and its fees in one transfer, once; what cannot be settled waits for an operator.

The funds are on the two settling accounts since the trade was matched, so a trade that is held keeps them blocked, and
nothing matches it again.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from exchange import contracts
from exchange.contracts import FEES, FEES_OWNER, SETTLING, TRADING, EventKind, Settlement, TradeStatus
from exchange.errors import ReasonMissing, SettlementFailed
from exchange.models import Trade
from exchange.operations.rows import ledger_account_id, locked_trade, record
from exchange.rules import keys
from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger.contracts import Leg
from ledger.errors import LedgerError
from workflows import clock
from workflows import operations as engine
from workflows import queries as runs


def settle_trade(trade_id: UUID, *, run_id: UUID | None = None) -> Settlement:
    """Move a trade's quantity to the buyer, its proceeds less the fee to the seller, and the fees to the exchange.

    One balanced transfer, once per trade however often it is called. Raises UnknownTrade and the ledger's refusals.
    """
    with transaction.atomic():
        row = locked_trade(trade_id)
        if row.status != TradeStatus.SETTLED:
            _settle(row, run_id)
    return Settlement(trade_id=trade_id, status=TradeStatus.SETTLED)


def hold_trade(trade_id: UUID, *, reason: str, details: str, run_id: UUID | None = None) -> Settlement:
    """Note that a trade could not be settled; `reason` is the failure's code. One that is settled by now stays so.

    Raises UnknownTrade.
    """
    with transaction.atomic():
        row = locked_trade(trade_id)
        if row.status != TradeStatus.SETTLED:
            row.status = TradeStatus.HELD
            row.hold_reason = reason[:64] or "error"
            row.run_id = run_id or row.run_id
            row.save(update_fields=["status", "hold_reason", "run_id"])
            record(EventKind.TRADE_HELD, instrument_id=row.instrument_id, trade=row, detail=details)
    return Settlement(trade_id=trade_id, status=TradeStatus(row.status))


def settle_held_trade(trade_id: UUID, *, actor: str, reason: str) -> contracts.Trade:
    """Settle a trade for an operator: one that is held, or one whose run was ended before it came to settle.

    A run that waits goes on. A settled trade is given as it is. Raises UnknownTrade, ReasonMissing, and
    SettlementFailed: then the trade stays as it was.
    """
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        row = locked_trade(trade_id)
        if row.status == TradeStatus.SETTLED:
            return row.as_contract()
        try:
            with transaction.atomic():
                _settle(row, row.run_id)
        except LedgerError as refusal:
            raise SettlementFailed(f"{refusal} ({refusal.code})") from refusal
        record(EventKind.TRADE_SETTLED, instrument_id=row.instrument_id, trade=row, actor=actor, detail=reason.strip())
        # A run that an operator ended hears nothing any more; the trade is settled all the same.
        if row.run_id is not None and runs.get_run(row.run_id).closed_at is None:
            engine.signal_run(row.run_id, "settled", key=keys.settlement_key(row.id))
        return row.as_contract()


def _settle(row: Trade, run_id: UUID | None) -> None:
    ledger.transfer(
        key=keys.settlement_key(row.id),
        legs=_legs(row),
        description=f"trade {row.number} of {row.instrument.symbol}",
        run_id=run_id,
    )
    row.status = TradeStatus.SETTLED
    row.hold_reason = ""
    row.run_id = run_id or row.run_id
    row.settled_at = clock.now()
    row.save(update_fields=["status", "hold_reason", "run_id", "settled_at"])


def _legs(row: Trade) -> list[Leg]:
    base, quote = row.instrument.base, row.currency
    quantity = Money.from_minor(row.quantity_minor, base)
    legs = [
        Leg(ledger_account_id(row.buyer_id, SETTLING, quote), -(row.notional + row.buyer_fee)),
        Leg(ledger_account_id(row.seller_id, TRADING, quote), row.notional - row.seller_fee),
        Leg(ledger_account_id(row.seller_id, SETTLING, base), -quantity),
        Leg(ledger_account_id(row.buyer_id, TRADING, base), quantity),
    ]
    fees = row.buyer_fee + row.seller_fee
    if fees:
        legs.append(Leg(ledger.open_account(owner=FEES_OWNER, kind=FEES, currency=quote).id, fees))
    return legs
