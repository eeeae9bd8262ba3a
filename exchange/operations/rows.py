"""What the operations share: locked books, orders and trades, recorded events, and the ledger's accounts."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from exchange.contracts import LEDGER_KINDS, SETTLING, TRADING, EventKind, OrderStatus
from exchange.errors import UnknownAccount, UnknownInstrument, UnknownOrder, UnknownTrade
from exchange.models import Event, Instrument, Order, Trade, TradingAccount
from exchange.models.account import ledger_owner
from exchange.rules import keys
from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from workflows import clock

SYSTEM = "system"


def locked_book(symbol: str) -> Instrument:
    """The instrument with its book, locked: orders and cancels come to it one after the other; or UnknownInstrument."""
    row = Instrument.objects.select_for_update(no_key=True).filter(symbol=symbol).first()
    if row is None:
        raise UnknownInstrument(symbol)
    return row


def locked_order(order_id: UUID) -> Order:
    """The order, locked; raises UnknownOrder."""
    row = _orders().filter(pk=order_id).first()
    if row is None:
        raise UnknownOrder(order_id)
    return row


def locked_order_with_book(order_id: UUID) -> tuple[Instrument, Order]:
    """The order and its book, both locked, the book first; raises UnknownOrder."""
    symbol = Order.objects.filter(pk=order_id).values_list("instrument__symbol", flat=True).first()
    if symbol is None:
        raise UnknownOrder(order_id)
    book = locked_book(symbol)
    return book, locked_order(order_id)


def locked_of_run(run_id: UUID | None) -> Order | None:
    """The order that a run carries, locked; None where there is none yet."""
    return None if run_id is None else _orders().filter(run_id=run_id).first()


def locked_of_key(key: str) -> Order | None:
    """The order that was received with this key, locked; None where there is none yet."""
    return _orders().filter(key=key).first()


def locked_trade(trade_id: UUID) -> Trade:
    """The trade, locked; raises UnknownTrade."""
    rows = Trade.objects.select_for_update(of=("self",), no_key=True).select_related("instrument", "buyer", "seller")
    row = rows.filter(pk=trade_id).first()
    if row is None:
        raise UnknownTrade(trade_id)
    return row


def account_row(account_id: UUID) -> TradingAccount:
    """The trading account; raises UnknownAccount."""
    row = TradingAccount.objects.filter(pk=account_id).first()
    if row is None:
        raise UnknownAccount(account_id)
    return row


def open_ledger_accounts(account_id: UUID, *currencies: str) -> None:
    """The ledger accounts of a trading account in these currencies, opened where they are missing."""
    for currency in currencies:
        for kind in LEDGER_KINDS:
            ledger.open_account(owner=ledger_owner(account_id), kind=kind, currency=currency)


def ledger_account_id(account_id: UUID, kind: str, currency: str) -> UUID:
    """The id of the ledger's account of this kind, which was opened when the order was accepted."""
    found = ledger_queries.find_account(owner=ledger_owner(account_id), kind=kind, currency=currency)
    assert found is not None, "a trading account's ledger accounts are opened before anything is held on them"
    return found.id


def trading_account_id(account_id: UUID, currency: str) -> UUID:
    """The id of the ledger account that orders hold on."""
    return ledger_account_id(account_id, TRADING, currency)


def settling_account_id(account_id: UUID, currency: str) -> UUID:
    """The id of the ledger account for what is matched and not settled."""
    return ledger_account_id(account_id, SETTLING, currency)


def hold_for(row: Order, amount: Money, *, account_id: UUID) -> None:
    """Set the amount aside for the order, as its next hold; the caller stores the row. Raises the ledger's refusals.

    The hold is of no run: it stands for the order, which rests longer than the run that brought it to the book.
    """
    row.holds += 1
    row.hold_number = row.holds
    ledger.place_hold(
        key=keys.hold_key(row.id, row.holds),
        account_id=account_id,
        amount=amount,
    )


def give_back(row: Order) -> None:
    """Release what is held for the order, if anything is; the caller stores the row."""
    if row.hold_number is not None:
        ledger.release_hold(
            key=keys.release_key(row.id, row.hold_number), hold_key=keys.hold_key(row.id, row.hold_number)
        )
        row.hold_number = None


def end(row: Order, status: OrderStatus, *, reason: str = "") -> None:
    """Close an order for which nothing is held any more, and store it."""
    row.status = status
    row.reason = reason
    row.closed_at = clock.now()
    row.save()


def record(
    kind: EventKind,
    *,
    instrument_id: int,
    order: Order | None = None,
    trade: Trade | None = None,
    actor: str = SYSTEM,
    detail: str = "",
) -> None:
    """Append what happened."""
    Event.objects.create(
        instrument_id=instrument_id,
        order=order,
        trade=trade,
        kind=kind,
        actor=actor,
        detail=detail[:2000],
        at=clock.now(),
    )


def _orders() -> QuerySet[Order]:
    return Order.objects.select_for_update(of=("self",), no_key=True).select_related("instrument")
