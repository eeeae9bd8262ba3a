"""Requesting an order, accepting it with its hold, and giving that up again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from exchange import contracts, queries
from exchange.contracts import EventKind, OrderFacts, OrderStatus, Placed
from exchange.errors import IdempotencyConflict, InsufficientFunds
from exchange.models import Instrument, Order
from exchange.operations.rows import (
    SYSTEM,
    account_row,
    end,
    hold_for,
    locked_of_key,
    locked_of_run,
    open_ledger_accounts,
    record,
    trading_account_id,
)
from exchange.rules.keys import check_key
from exchange.rules.orders import Ticket, ticket_of
from ledger.errors import InsufficientFunds as LedgerInsufficientFunds
from workflows import clock
from workflows import operations as engine
from workflows.contracts import WorkflowRun

#: The workflow that carries an order, by its registered name.
WORKFLOW = "exchange.OrderMatching"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """An order that was asked for, and the run that carries it (`run.created`: by this call)."""

    order: contracts.Order
    run: WorkflowRun


def request_order(
    facts: OrderFacts, *, key: str, actor: engine.Actor = None, actor_name: str = SYSTEM
) -> Requested:  # fmt: skip
    """Start the run of an order, whose row can be read at once; the run validates and matches it next.

    The same key with the same facts gives the order that exists. Raises what `engine.start_run` raises: StartRefused
    with the code of `queries.check_order`, KeyConflict, PermissionRefused.
    """
    with transaction.atomic():
        run = engine.start_run(
            WORKFLOW,
            key=key,
            actor=actor,
            account_id=facts.account_id,
            symbol=facts.symbol,
            side=facts.side,
            type=facts.type,
            quantity=facts.quantity,
            price=facts.price,
            spend_cap=facts.spend_cap,
            time_in_force=facts.time_in_force,
        )
        row = locked_of_run(run.id)
        if row is None:
            row = _insert(facts, run_id=run.id, key=None, actor=actor_name)
    return Requested(order=queries.get_order(row.id), run=run)


def place_order(facts: OrderFacts, *, run_id: UUID | None = None, key: str | None = None) -> Placed:
    """Accept the order of a run, or of a key: judge it and set aside what it may come to cost.

    A repeated call gives the stored order; one that was cancelled meanwhile is left as it is. Raises InvalidOrder,
    UnknownAccount, InsufficientFunds, IdempotencyConflict for other facts, InvalidKey.
    """
    assert (run_id is None) != (key is None), "an order is of a run or of a key"
    with transaction.atomic():
        row = locked_of_run(run_id) if key is None else locked_of_key(check_key(key))
        if row is None:
            row = _insert(facts, run_id=run_id, key=key, actor=SYSTEM)
        elif not _is_same(row, facts):
            raise IdempotencyConflict(key or str(run_id))
        if row.status == OrderStatus.RECEIVED:
            _accept(row, facts)
    return Placed(order_id=row.id)


def reject_order(*, run_id: UUID, reason: str, details: str) -> None:
    """Note that a run's order could not be accepted; `reason` is the refusal's code.

    A run without an order, or whose order came further, is left as it is.
    """
    with transaction.atomic():
        row = locked_of_run(run_id)
        if row is None or row.status != OrderStatus.RECEIVED:
            return
        end(row, OrderStatus.REJECTED, reason=reason[:64])
        record(EventKind.REJECTED, instrument_id=row.instrument_id, order=row, detail=details)


def _accept(row: Order, facts: OrderFacts) -> None:
    instrument = queries.find_instrument(facts.symbol)
    ticket = ticket_of(facts, instrument)
    open_ledger_accounts(row.account_id, instrument.base, instrument.quote)
    # The hold is reckoned with these rates, so fills are too, however the instrument is edited later.
    row.maker_fee_ppm, row.taker_fee_ppm = instrument.maker_fee_ppm, instrument.taker_fee_ppm
    try:
        hold_for(row, ticket.hold, account_id=trading_account_id(row.account_id, ticket.hold.currency))
    except LedgerInsufficientFunds as refusal:
        raise InsufficientFunds(f"{refusal.available} is available, {refusal.needed} is needed") from refusal
    row.status = OrderStatus.ACCEPTED
    row.save()
    record(EventKind.ACCEPTED, instrument_id=row.instrument_id, order=row, detail=f"held {ticket.hold}")


def _insert(facts: OrderFacts, *, run_id: UUID | None, key: str | None, actor: str) -> Order:
    instrument = queries.find_instrument(facts.symbol)
    ticket = ticket_of(facts, instrument)
    row = Order(
        run_id=run_id,
        key=key,
        account=account_row(facts.account_id),
        instrument=Instrument.objects.get(symbol=facts.symbol),
        maker_fee_ppm=instrument.maker_fee_ppm,
        taker_fee_ppm=instrument.taker_fee_ppm,
        received_at=clock.now(),
        **_columns(ticket),
    )
    row.save(force_insert=True)
    record(EventKind.RECEIVED, instrument_id=row.instrument_id, order=row, actor=actor)
    return row


def _columns(ticket: Ticket) -> dict[str, object]:
    return {
        "side": ticket.side,
        "type": ticket.type,
        "time_in_force": ticket.time_in_force,
        "price_units": ticket.price_units,
        "quantity_minor": ticket.quantity_minor,
        "cap_minor": ticket.cap_minor,
    }


def _is_same(row: Order, facts: OrderFacts) -> bool:
    known = row.as_contract()
    return (known.account_id, known.symbol, known.side, known.type, known.quantity, known.price, known.spend_cap) == (
        facts.account_id, facts.symbol, facts.side, facts.type, facts.quantity, facts.price, facts.spend_cap,
    ) and facts.time_in_force in (None, known.time_in_force)  # fmt: skip
