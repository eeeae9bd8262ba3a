"""Values of the exchange as the console shows them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from exchange import queries
from exchange.contracts import Event, Trade
from finaegis.shared.money import Money
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import LINK, run_link, shown, unbroken

ORDER_COLOURS = {
    "received": "default", "accepted": "info", "open": "primary", "partially filled": "primary", "filled": "success",
    "cancelled": "default", "rejected": "danger",
}  # fmt: skip
TRADE_COLOURS = {"matched": "info", "held": "danger", "settled": "success"}
INSTRUMENT_COLOURS = {"open": "success", "halted": "danger"}
#: Trades and events that a page shows; all of them stand in their lists.
NEWEST = 50


def number(value: Decimal | None) -> str:
    """A price or quantity with its thousands grouped."""
    return ABSENT if value is None else unbroken(f"{value:,f}")


def amount(value: Money | None) -> str:
    """An amount of money, or a dash."""
    return ABSENT if value is None else shown(value)


def order_link(order_id: Any) -> str:
    """A link to an order's page by the beginning of its id."""
    return _link("order", order_id, str(order_id)[:8])


def account_link(account: Any) -> str:
    """A link to a trading account's page by its name."""
    return _link("tradingaccount", account.pk, str(account))


def events_table(events: Iterable[Event]) -> list[dict[str, str]]:
    """Rows of what happened."""
    return [
        {"at": moment(event.at), "kind": event.kind.replace("_", " "), "actor": event.actor, "detail": event.detail}
        for event in events
    ]


def trades_table(trades: Iterable[Trade]) -> list[dict[str, str]]:
    """Rows of trades."""
    return [
        {
            "url": reverse("admin:exchange_trade_change", args=[trade.id]),
            "number": str(trade.number),
            "at": moment(trade.matched_at),
            "price": number(trade.price),
            "quantity": number(trade.quantity),
            "notional": shown(trade.notional),
            "status": trade.status,
            "colour": TRADE_COLOURS[trade.status],
            "run": run_link(trade.run_id, short=True),
        }
        for trade in trades
    ]


def book_table(symbol: str) -> dict[str, Any]:
    """What rests in a book, as rows of both sides."""
    book = queries.get_book(symbol, depth=20)
    return {
        "sequence": book.sequence,
        "sides": [
            (
                title,
                [
                    {"price": number(level.price), "quantity": number(level.quantity), "orders": str(level.orders)}
                    for level in levels
                ],
            )
            for title, levels in (("Bids", book.bids), ("Asks", book.asks))
        ],
    }


def _link(model: str, pk: Any, text: str) -> str:
    url = reverse(f"admin:exchange_{model}_change", args=[pk])
    return format_html('<a class="{}" href="{}">{}</a>', LINK, url, text)
