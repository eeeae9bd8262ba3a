"""Orders as they stand, and whether an order could be placed now."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from exchange import contracts
from exchange.contracts import Match, Matched, OrderFacts
from exchange.errors import InsufficientFunds, UnknownOrder
from exchange.models import Event, Order, Trade
from exchange.queries.accounts import Place, get_account, get_available
from exchange.queries.books import find_instrument
from exchange.rules.keys import hold_key
from exchange.rules.orders import ticket_of
from finaegis.shared.money import Money
from ledger import queries as ledger_queries


def get_order(order_id: UUID) -> contracts.Order:
    """The order as it stands; raises UnknownOrder."""
    row = _rows().filter(pk=order_id).first()
    if row is None:
        raise UnknownOrder(order_id)
    return row.as_contract()


def find_by_run(run_id: UUID) -> contracts.Order | None:
    """The order that a run carries, if there is one yet."""
    row = _rows().filter(run_id=run_id).first()
    return None if row is None else row.as_contract()


def page_orders(
    *,
    limit: int,
    account_id: UUID | None = None,
    symbol: str | None = None,
    status: str | None = None,
    after: Place | None = None,
) -> tuple[list[contracts.Order], Place | None]:
    """Orders, newest first, and where the next page begins (None after the last)."""
    rows = _rows()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    if symbol is not None:
        rows = rows.filter(instrument__symbol=symbol)
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        received_at, order_id = after
        rows = rows.filter(Q(received_at__lt=received_at) | Q(received_at=received_at, id__lt=order_id))
    found = list(rows.order_by("-received_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].received_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def list_trades_of(order_id: UUID) -> list[contracts.Trade]:
    """The trades of an order, on either side, in the order in which they were matched."""
    rows = Trade.objects.select_related("instrument").filter(Q(maker_order_id=order_id) | Q(taker_order_id=order_id))
    return [row.as_contract() for row in rows.order_by("number")]


def list_order_events(order_id: UUID) -> list[contracts.Event]:
    """What happened to an order, oldest first."""
    return [row.as_contract() for row in Event.objects.filter(order_id=order_id).order_by("id")]


def get_held(order_id: UUID) -> Money | None:
    """What is set aside for an order now; None where nothing is."""
    number = Order.objects.filter(pk=order_id).values_list("hold_number", flat=True).first()
    hold = None if number is None else ledger_queries.find_hold(key=hold_key(order_id, number))
    return None if hold is None else hold.amount


def get_matched(order_id: UUID) -> Matched:
    """What the book gave an order when it came to it, and how the order stands; raises UnknownOrder."""
    order = get_order(order_id)
    taken = Trade.objects.select_related("instrument").filter(taker_order_id=order_id).order_by("number")
    matches = tuple(
        Match(trade_id=trade.id, maker_order_id=trade.maker_order_id, price=trade.price, quantity=trade.quantity)
        for trade in (row.as_contract() for row in taken)
    )
    return Matched(order_id=order_id, matches=matches, status=order.status)


def check_order(facts: OrderFacts) -> None:
    """Refuse what could not be placed now; placing judges again.

    Raises InvalidOrder, UnknownAccount, InsufficientFunds.
    """
    account = get_account(facts.account_id)
    ticket = ticket_of(facts, find_instrument(facts.symbol))
    available = get_available(account.id, ticket.hold.currency)
    if ticket.hold > available:
        raise InsufficientFunds(f"{available} is available, {ticket.hold} is needed")


def _rows() -> QuerySet[Order]:
    return Order.objects.select_related("instrument")
