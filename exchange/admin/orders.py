"""Orders in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from exchange import operations, queries
from exchange.admin.shown import ORDER_COLOURS, amount, events_table, number, trades_table
from exchange.contracts import CLOSED_STATUSES
from exchange.models import Order
from workflows.admin.acting import Act, ActingOnce
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import OfRunAdmin, column, unbroken


@admin.register(Order)
class OrderAdmin(ActingOnce, OfRunAdmin):
    """Every order, newest first; its page shows its trades and what happened to it."""

    list_display = (
        "received", "instrument", "account", "side", "kind", "limit", "wanted", "filled", "state", "run_start",
    )  # fmt: skip
    list_filter = ("status", "instrument", "side", "type")
    list_select_related = ("instrument", "account")
    exact_search = ("id", "run_id", "key")
    search_help_text = "Order id, run id, or whole key"
    ordering = ("-received_at", "-id")
    sortable_by = ("received",)
    fields = (
        "id", "instrument", "account", "side", "kind", "limit", "wanted", "cap",
        "held", "filled", "state", "reason", "run",
        "sequence", "cancel_sequence", "fees", "received", "closed", "key",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_after_template = "exchange/_order.html"
    acts = (
        Act(
            name="cancel",
            title="Cancel the order",
            explains="What is open of it leaves the book and its hold is released; its trades stand.",
            icon="cancel",
            permissions=("exchange.change_order",),
            fits=lambda order: order.status not in CLOSED_STATUSES,
            perform=lambda order, user, form: operations.cancel_order(
                order.id, actor=user.get_username(), detail=form.cleaned_data["reason"]
            ),
            done="The order is cancelled.",
            variant="danger",
        ),
    )

    @column(description="type")
    def kind(self, order: Order) -> str:
        return unbroken(f"{order.type} {order.time_in_force}")

    @column(description="price")
    def limit(self, order: Order) -> str:
        return number(order.as_contract().price)

    @column(description="quantity")
    def wanted(self, order: Order) -> str:
        return number(order.as_contract().quantity)

    @column(description="spend cap")
    def cap(self, order: Order) -> str:
        return amount(order.as_contract().spend_cap)

    @column(description="filled")
    def filled(self, order: Order) -> str:
        return number(order.as_contract().filled)

    @column(description="held")
    def held(self, order: Order) -> str:
        return amount(queries.get_held(order.id))

    @column(description="status", label=ORDER_COLOURS)
    def state(self, order: Order) -> str:
        return order.status.replace("_", " ")

    @column(description="fees as maker and taker")
    def fees(self, order: Order) -> str:
        return f"{order.maker_fee_ppm} and {order.taker_fee_ppm} parts per million"

    @column(description="received (UTC)", ordering="received_at")
    def received(self, order: Order) -> str:
        return unbroken(moment(order.received_at))

    @column(description="closed (UTC)")
    def closed(self, order: Order) -> str:
        return moment(order.closed_at)

    @column(description="run")
    def run(self, order: Order) -> str:
        return ABSENT if order.run_id is None else super().run(order)

    def below(self, request: HttpRequest, row: Order) -> dict[str, Any]:
        """Its trades and events."""
        return {
            "trades": trades_table(queries.list_trades_of(row.id)),
            "events": events_table(queries.list_order_events(row.id)),
        }
