"""Trades in the console; those that are held wait there for an operator."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from exchange import operations, queries
from exchange.admin.shown import TRADE_COLOURS, account_link, events_table, number, order_link
from exchange.contracts import TradeStatus
from exchange.models import Trade
from workflows.admin.acting import Act, ActingOnce
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import OfRunAdmin, column, shown, unbroken


@admin.register(Trade)
class TradeAdmin(ActingOnce, OfRunAdmin):
    """Every trade, newest first."""

    list_display = (
        "number", "instrument", "matched", "price", "quantity", "buyer", "seller", "state", "hold_reason",
        "run_start",
    )  # fmt: skip
    list_filter = ("status", "instrument")
    list_select_related = ("instrument", "buyer", "seller")
    exact_search = ("id", "maker_order_id", "taker_order_id", "run_id")
    search_help_text = "Trade id, order id or run id"
    ordering = ("-matched_at", "-id")
    sortable_by = ("matched",)
    fields = (
        "id", "instrument", "number", "state", "hold_reason", "price", "quantity", "total", "buyer_of", "buyer_pays",
        "seller_of", "seller_pays", "maker", "taker", "matched", "settled", "run",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_after_template = "exchange/_trade.html"
    acts = (
        Act(
            name="settle",
            title="Settle the trade",
            explains="Both legs and the fees are moved in one transfer; while its cause lasts the trade stays held.",
            icon="handshake",
            permissions=("exchange.change_trade",),
            fits=lambda trade: trade.status != TradeStatus.SETTLED,
            perform=lambda trade, user, form: operations.settle_held_trade(
                trade.id, actor=user.get_username(), reason=form.cleaned_data["reason"]
            ),
            done="The trade is settled.",
            variant="primary",
        ),
    )

    @column(description="status", label=TRADE_COLOURS)
    def state(self, trade: Trade) -> str:
        return trade.status

    @column(description="price")
    def price(self, trade: Trade) -> str:
        return number(trade.as_contract().price)

    @column(description="quantity")
    def quantity(self, trade: Trade) -> str:
        return number(trade.as_contract().quantity)

    @column(description="notional")
    def total(self, trade: Trade) -> str:
        return shown(trade.notional)

    @column(description="buyer")
    def buyer_of(self, trade: Trade) -> str:
        return account_link(trade.buyer)

    @column(description="buyer's fee")
    def buyer_pays(self, trade: Trade) -> str:
        return shown(trade.buyer_fee)

    @column(description="seller")
    def seller_of(self, trade: Trade) -> str:
        return account_link(trade.seller)

    @column(description="seller's fee")
    def seller_pays(self, trade: Trade) -> str:
        return shown(trade.seller_fee)

    @column(description="maker's order")
    def maker(self, trade: Trade) -> str:
        return order_link(trade.maker_order_id)

    @column(description="taker's order")
    def taker(self, trade: Trade) -> str:
        return order_link(trade.taker_order_id)

    @column(description="matched (UTC)", ordering="matched_at")
    def matched(self, trade: Trade) -> str:
        return unbroken(moment(trade.matched_at))

    @column(description="settled (UTC)")
    def settled(self, trade: Trade) -> str:
        return moment(trade.settled_at)

    @column(description="run")
    def run(self, trade: Trade) -> str:
        return ABSENT if trade.run_id is None else super().run(trade)

    def below(self, request: HttpRequest, row: Trade) -> dict[str, Any]:
        """What happened to it beside being matched and settled."""
        return {"events": events_table(queries.list_trade_events(row.id))}
