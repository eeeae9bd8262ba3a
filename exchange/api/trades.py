"""Trades over REST: listed, looked at, and settled by an operator where that did not happen by itself."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exchange import operations, queries
from exchange.api.serializers import TRADE_STATUSES, TradeDetailSerializer, TradeSerializer
from exchange.api.views import ExchangeView, actor_name
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import PageQuery, Text, read_body
from workflows.api.serializers import ActBody


class TradeQuery(PageQuery):
    """Which trades."""

    symbol = Text(required=False, max_length=25)
    account = serializers.UUIDField(required=False, help_text="On either side.")
    order = serializers.UUIDField(required=False, help_text="On either side.")
    status = serializers.ChoiceField(choices=TRADE_STATUSES, required=False)


class Trades(ExchangeView):
    """Trades."""

    required = {"GET": ("exchange.view_trade",)}
    query = TradeQuery

    @extend_schema(
        operation_id="exchange_trades_list",
        summary="List trades",
        parameters=[TradeQuery],
        responses=page_schema(TradeSerializer),
    )
    def get(self, request: Request) -> Response:
        """Trades, newest first."""
        found, after = queries.page_trades(
            limit=self.asked["limit"],
            symbol=self.asked.get("symbol"),
            account_id=self.asked.get("account"),
            order_id=self.asked.get("order"),
            status=self.asked.get("status"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, TradeSerializer, found, following)


class OneTrade(ExchangeView):
    """One trade."""

    required = {"GET": ("exchange.view_trade",)}

    @extend_schema(operation_id="exchange_trades_read", summary="One trade", responses=TradeDetailSerializer)
    def get(self, request: Request, trade_id: uuid.UUID) -> Response:
        """The trade as it stands, with what happened to it and its runs."""
        trade = queries.get_trade(trade_id)
        context = {"request": request, "events": queries.list_trade_events(trade_id)}
        return Response(TradeDetailSerializer(trade, context=context).data)


class SettleTrade(ExchangeView):
    """Settlement of one trade by an operator."""

    required = {"POST": ("exchange.change_trade",)}

    @extend_schema(
        operation_id="exchange_trades_settle",
        summary="Settle a held trade",
        request=ActBody,
        responses=TradeSerializer,
    )
    def post(self, request: Request, trade_id: uuid.UUID) -> Response:
        """Try the settlement again; its run goes on. 409 `settlement_failed` while the cause lasts."""
        body = read_body(request, ActBody)
        settled = operations.settle_held_trade(trade_id, actor=actor_name(request), reason=body["reason"])
        return Response(TradeSerializer(settled).data)
