"""Orders over REST: placed, cancelled, looked at."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from pydantic import TypeAdapter, ValidationError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exchange import operations, queries
from exchange.api.serializers import (
    ORDER_STATUSES,
    ORDER_TYPES,
    SIDES,
    TIMES_IN_FORCE,
    OrderDetailSerializer,
    OrderSerializer,
)
from exchange.api.views import ExchangeView, Id, actor_name
from exchange.contracts import PLAIN_DECIMAL, OrderFacts, OrderType, Side, TimeInForce
from finaegis.shared.money import Money
from workflows.api.answers import domain_answer
from workflows.api.errors import FieldProblem, InvalidBody
from workflows.api.headers import IDEMPOTENCY_KEY_REQUIRED, WAITS, required_idempotency_key
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, Text, read_body
from workflows.api.serializers import Reason

_MONEY = TypeAdapter(Money)
_TEXT_CAP: dict[str, Any] = {
    "type": "string",
    "description": "A decimal text in the instrument's quote currency.",
    "examples": ["1000.00"],
}


@extend_schema_field({"type": "string", "pattern": f"^{PLAIN_DECIMAL}$", "examples": ["0.50"]})
class PlainDecimal(serializers.RegexField):
    """A plain decimal text; a number is not silently made into one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(f"^{PLAIN_DECIMAL}\\Z", trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


@extend_schema_field({"oneOf": [_TEXT_CAP, _MONEY.json_schema()]})
class SpendCap(serializers.JSONField):
    """A decimal text in the instrument's quote currency, or an amount with its currency."""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A limit order",
            {"symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "0.50", "price": "30000.00"},
            request_only=True,
        ),
        OpenApiExample(
            "A market buy",
            {"symbol": "BTC-USD", "side": "buy", "type": "market", "spend_cap": "1000.00"},
            request_only=True,
        ),
    ]
)
class OrderBody(Declared):
    """An order. Which fields it needs follows from its type: a market buy its spend cap, a limit order its price."""

    symbol = Text(max_length=25)
    side = serializers.ChoiceField(choices=SIDES)
    type = serializers.ChoiceField(choices=ORDER_TYPES)
    quantity = PlainDecimal(required=False, allow_null=True)
    price = PlainDecimal(required=False, allow_null=True)
    spend_cap = SpendCap(required=False, allow_null=True)
    time_in_force = serializers.ChoiceField(
        choices=TIMES_IN_FORCE, required=False, allow_null=True,
        help_text="GTC for a limit order unless given, IOC for a market order.",
    )  # fmt: skip
    account = Id(required=False, allow_null=True, help_text="The caller's trading account unless given.")


@extend_schema_serializer(
    examples=[OpenApiExample("With what the customer said", {"reason": "changed their mind"}, request_only=True)]
)
class CancelOrderBody(Declared):
    """Why, if the customer said so."""

    reason = Reason(required=False, allow_blank=True, default="", max_length=2000)


class OrderQuery(PageQuery):
    """Which orders."""

    account = serializers.UUIDField(required=False)
    symbol = Text(required=False, max_length=25)
    status = serializers.ChoiceField(choices=ORDER_STATUSES, required=False)


class Orders(ExchangeView):
    """Orders."""

    required = {"GET": ("exchange.view_order",), "POST": ("exchange.add_order",)}
    query = OrderQuery

    @extend_schema(
        operation_id="exchange_orders_list",
        summary="List orders",
        parameters=[OrderQuery],
        responses=page_schema(OrderSerializer),
    )
    def get(self, request: Request) -> Response:
        """Orders, newest first."""
        found, after = queries.page_orders(
            limit=self.asked["limit"],
            account_id=self.asked.get("account"),
            symbol=self.asked.get("symbol"),
            status=self.asked.get("status"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, OrderSerializer, found, following)

    @extend_schema(
        operation_id="exchange_orders_place",
        summary="Place an order",
        request=OrderBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED, *WAITS],
        responses={200: OrderSerializer, 201: OrderSerializer, 202: OrderSerializer},
    )
    def post(self, request: Request) -> Response:
        """Start exchange.OrderMatching: 201, or 200 with the order of the key; 202 if it was waited for in vain.

        The run ends when the order rests or is closed and each of its trades is settled.
        """
        body = read_body(request, OrderBody)
        key = required_idempotency_key(request)
        made = operations.request_order(
            _facts(body, request), key=key, actor=request.user, actor_name=actor_name(request)
        )  # fmt: skip
        answered = domain_answer(request, made.run)  # waits as the client prefers, and knows the status of that
        where = request.build_absolute_uri(reverse("api-exchange-order", kwargs={"order_id": made.order.id}))
        return Response(
            OrderSerializer(queries.get_order(made.order.id)).data,
            status=answered.status_code,
            headers={**answered.headers, "Location": where},
        )


class OneOrder(ExchangeView):
    """One order."""

    required = {"GET": ("exchange.view_order", "exchange.view_trade")}

    @extend_schema(operation_id="exchange_orders_read", summary="One order", responses=OrderDetailSerializer)
    def get(self, request: Request, order_id: uuid.UUID) -> Response:
        """The order as it stands, with its hold, its trades, everything that happened to it, and its runs."""
        order = queries.get_order(order_id)
        context = {
            "request": request,
            "held": queries.get_held(order_id),
            "trades": queries.list_trades_of(order_id),
            "events": queries.list_order_events(order_id),
        }
        return Response(OrderDetailSerializer(order, context=context).data)


class CancelOrder(ExchangeView):
    """Cancellation of one order."""

    required = {"POST": ("exchange.change_order",)}

    @extend_schema(
        operation_id="exchange_orders_cancel",
        summary="Cancel an order",
        request=CancelOrderBody,
        responses=OrderSerializer,
    )
    def post(self, request: Request, order_id: uuid.UUID) -> Response:
        """Cancel what is open of the order; its trades stand. Served while the instrument is halted."""
        body = read_body(request, CancelOrderBody)
        cancelled = operations.cancel_order(order_id, actor=actor_name(request), detail=body["reason"])
        return Response(OrderSerializer(cancelled).data)


def _facts(body: dict[str, Any], request: Request) -> OrderFacts:
    """The order as it is asked for; raises NoTradingAccount, InvalidOrder, InvalidBody, money's refusals."""
    tif = body.get("time_in_force")
    return OrderFacts(
        account_id=body.get("account") or queries.account_of(actor_name(request)).id,
        symbol=body["symbol"],
        side=Side(body["side"]),
        type=OrderType(body["type"]),
        quantity=_number(body.get("quantity")),
        price=_number(body.get("price")),
        spend_cap=_cap(body),
        time_in_force=None if tif is None else TimeInForce(tif),
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _cap(body: dict[str, Any]) -> Money | None:
    given = body.get("spend_cap")
    if given is None:
        return None
    if isinstance(given, str):
        return Money(given, queries.find_instrument(body["symbol"]).quote)
    try:
        return _MONEY.validate_python(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(["spend_cap", *(str(part) for part in first["loc"])])
        raise InvalidBody([FieldProblem(where, first["type"], first["msg"])]) from None
