"""Trades as they stand."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from exchange import contracts
from exchange.contracts import TradeStatus
from exchange.errors import UnknownTrade
from exchange.models import Event, Trade
from exchange.queries.accounts import Place


def get_trade(trade_id: UUID) -> contracts.Trade:
    """The trade as it stands; raises UnknownTrade."""
    row = _rows().filter(pk=trade_id).first()
    if row is None:
        raise UnknownTrade(trade_id)
    return row.as_contract()


def page_trades(
    *,
    limit: int,
    symbol: str | None = None,
    account_id: UUID | None = None,
    order_id: UUID | None = None,
    status: str | None = None,
    after: Place | None = None,
) -> tuple[list[contracts.Trade], Place | None]:
    """Trades, newest first, and where the next page begins (None after the last)."""
    rows = _rows()
    if symbol is not None:
        rows = rows.filter(instrument__symbol=symbol)
    if account_id is not None:
        rows = rows.filter(Q(buyer_id=account_id) | Q(seller_id=account_id))
    if order_id is not None:
        rows = rows.filter(Q(maker_order_id=order_id) | Q(taker_order_id=order_id))
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        matched_at, trade_id = after
        rows = rows.filter(Q(matched_at__lt=matched_at) | Q(matched_at=matched_at, id__lt=trade_id))
    found = list(rows.order_by("-matched_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].matched_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def list_unsettled() -> list[contracts.Trade]:
    """Trades whose funds are still blocked, oldest first."""
    return [row.as_contract() for row in _rows().exclude(status=TradeStatus.SETTLED).order_by("matched_at", "number")]


def list_trade_events(trade_id: UUID) -> list[contracts.Event]:
    """What happened to a trade beside being matched and settled, oldest first."""
    return [row.as_contract() for row in Event.objects.filter(trade_id=trade_id).order_by("id")]


def _rows() -> QuerySet[Trade]:
    return Trade.objects.select_related("instrument")
