"""The exchange's values as JSON. Prices and quantities are decimal texts at their instrument's scale."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exchange.contracts import (
    Book,
    Event,
    EventKind,
    Instrument,
    InstrumentStatus,
    Level,
    Order,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    Trade,
    TradeStatus,
    TradingAccount,
)
from workflows.api.fields import MoneyField, MoneyText
from workflows.api.panel_serializers import WithRuns

INSTRUMENT_STATUSES = [(item.value, item.value) for item in InstrumentStatus]
ORDER_STATUSES = [(item.value, item.value) for item in OrderStatus]
ORDER_TYPES = [(item.value, item.value) for item in OrderType]
SIDES = [(item.value, item.value) for item in Side]
TIMES_IN_FORCE = [(item.value, item.value) for item in TimeInForce]
TRADE_STATUSES = [(item.value, item.value) for item in TradeStatus]
EVENT_KINDS = [(item.value, item.value) for item in EventKind]


@extend_schema_field({"type": "string", "format": "decimal", "examples": ["0.50"]})
class Number(serializers.Field[Decimal, str, str, Decimal]):
    """A price or quantity as a plain decimal text."""

    def to_representation(self, value: Decimal) -> str:
        return format(value, "f")


class TradingAccountSerializer(serializers.Serializer[TradingAccount]):
    """A trading account; opening one starts no run, so `run_id` is null."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(default=None, allow_null=True, read_only=True)
    status = serializers.CharField(default="active", read_only=True)
    holder = serializers.CharField(help_text="The login whose orders it takes unless they name another account.")
    name = serializers.CharField()
    opened_at = serializers.DateTimeField()


class TradingBalanceSerializer(serializers.Serializer[Any]):
    """A ledger account of a trading account: `trading`, or `settling` for what is matched and not settled."""

    id = serializers.UUIDField()
    owner = serializers.CharField()
    kind = serializers.CharField()
    currency = serializers.CharField()
    balance = MoneyText()
    held = MoneyText()
    available = MoneyText()


class TradingAccountOverviewSerializer(TradingAccountSerializer, WithRuns):
    """A trading account with its balances and runs."""

    record_kind = "exchange.tradingaccount"

    ledger_accounts = TradingBalanceSerializer(many=True)


class TradedInstrumentSerializer(serializers.Serializer[Instrument]):
    """An instrument; fees are parts per million of what a fill is worth, in the quote currency."""

    symbol = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    status = serializers.ChoiceField(choices=INSTRUMENT_STATUSES)
    price_scale = serializers.IntegerField(help_text="Decimal places of prices.")
    quantity_scale = serializers.IntegerField(help_text="Decimal places of quantities.")
    tick = Number(help_text="Prices are whole multiples of it.")
    lot = Number(help_text="Quantities are whole multiples of it.")
    minimum_notional = MoneyField()
    maker_fee_ppm = serializers.IntegerField()
    taker_fee_ppm = serializers.IntegerField()


class LevelSerializer(serializers.Serializer[Level]):
    """All that rests at one price."""

    price = Number()
    quantity = Number()
    orders = serializers.IntegerField()


class BookSerializer(serializers.Serializer[Book]):
    """What rests in a book, the best price of each side first."""

    symbol = serializers.CharField()
    status = serializers.ChoiceField(choices=INSTRUMENT_STATUSES)
    sequence = serializers.IntegerField(help_text="Of the newest order or cancel that the book took.")
    bids = LevelSerializer(many=True)
    asks = LevelSerializer(many=True)


class OrderSerializer(serializers.Serializer[Order]):
    """An order as it stands; its run is at `runs/{run_id}/` (null for an order of a batch)."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=ORDER_STATUSES)
    reason = serializers.CharField(allow_null=True, help_text="Why it was rejected or cancelled.")
    account = serializers.UUIDField(source="account_id")
    symbol = serializers.CharField()
    side = serializers.ChoiceField(choices=SIDES)
    type = serializers.ChoiceField(choices=ORDER_TYPES)
    time_in_force = serializers.ChoiceField(choices=TIMES_IN_FORCE)
    quantity = Number(allow_null=True)
    price = Number(allow_null=True)
    spend_cap = MoneyField(allow_null=True)
    filled = Number()
    sequence = serializers.IntegerField(allow_null=True, help_text="Its place in the order of its book.")
    received_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class TradeSerializer(serializers.Serializer[Trade]):
    """A trade, at the maker's price; the buyer's fee is paid on top, the seller's out of the proceeds."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(allow_null=True, help_text="The run that settles it.")
    status = serializers.ChoiceField(choices=TRADE_STATUSES)
    hold_reason = serializers.CharField(allow_null=True, help_text="Why it is held.")
    symbol = serializers.CharField()
    number = serializers.IntegerField(help_text="Its place among the trades of its book.")
    maker_order = serializers.UUIDField(source="maker_order_id")
    taker_order = serializers.UUIDField(source="taker_order_id")
    buyer = serializers.UUIDField(source="buyer_id")
    seller = serializers.UUIDField(source="seller_id")
    taker_side = serializers.ChoiceField(choices=SIDES)
    price = Number()
    quantity = Number()
    notional = MoneyField()
    buyer_fee = MoneyField()
    seller_fee = MoneyField()
    matched_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class ExchangeEventSerializer(serializers.Serializer[Event]):
    """What happened to an order or a trade, and who did it."""

    kind = serializers.ChoiceField(choices=EVENT_KINDS)
    actor = serializers.CharField()
    detail = serializers.CharField()
    at = serializers.DateTimeField()


class OrderDetailSerializer(OrderSerializer, WithRuns):
    """An order with what is held for it, its trades, everything else that happened to it, and its runs."""

    record_kind = "exchange.order"

    held = serializers.SerializerMethodField()

    trades = serializers.SerializerMethodField()
    events = serializers.SerializerMethodField()

    @extend_schema_field(MoneyField(allow_null=True))
    def get_held(self, order: Order) -> Any:
        held = self.context["held"]
        return None if held is None else MoneyField().to_representation(held)

    @extend_schema_field(TradeSerializer(many=True))
    def get_trades(self, order: Order) -> Any:
        return TradeSerializer(self.context["trades"], many=True).data

    @extend_schema_field(ExchangeEventSerializer(many=True))
    def get_events(self, order: Order) -> Any:
        return ExchangeEventSerializer(self.context["events"], many=True).data


class TradeDetailSerializer(TradeSerializer, WithRuns):
    """A trade with what happened to it beside being matched and settled, and its runs."""

    record_kind = "exchange.trade"

    events = serializers.SerializerMethodField()

    @extend_schema_field(ExchangeEventSerializer(many=True))
    def get_events(self, trade: Trade) -> Any:
        return ExchangeEventSerializer(self.context["events"], many=True).data
