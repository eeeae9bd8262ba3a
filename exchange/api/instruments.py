"""Instruments and their books over REST."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exchange import operations, queries
from exchange.api.serializers import BookSerializer, TradedInstrumentSerializer
from exchange.api.views import ExchangeView, actor_name
from workflows.api.pages import page, page_schema
from workflows.api.reading import Declared, read_body
from workflows.api.serializers import ActBody


class BookQuery(Declared):
    """How much of a book."""

    depth = serializers.IntegerField(min_value=1, max_value=500, default=50, help_text="Most levels of each side.")


class Instruments(ExchangeView):
    """What is traded."""

    required = {"GET": ("exchange.view_instrument",)}

    @extend_schema(
        operation_id="exchange_instruments_list",
        summary="List instruments",
        responses=page_schema(TradedInstrumentSerializer),
    )
    def get(self, request: Request) -> Response:
        """All instruments, by symbol."""
        return page(request, TradedInstrumentSerializer, queries.list_instruments())


class OneInstrument(ExchangeView):
    """One instrument."""

    required = {"GET": ("exchange.view_instrument",)}

    @extend_schema(
        operation_id="exchange_instruments_read", summary="One instrument", responses=TradedInstrumentSerializer
    )
    def get(self, request: Request, symbol: str) -> Response:
        """Its grid, fees and status."""
        return Response(TradedInstrumentSerializer(queries.get_instrument(symbol)).data)


class HaltInstrument(ExchangeView):
    """Halting of one instrument."""

    required = {"POST": ("exchange.change_instrument",)}

    @extend_schema(
        operation_id="exchange_instruments_halt",
        summary="Take no orders of an instrument",
        request=ActBody,
        responses=TradedInstrumentSerializer,
    )
    def post(self, request: Request, symbol: str) -> Response:
        """Refuse orders; cancels are served. A repeated act changes nothing."""
        body = read_body(request, ActBody)
        halted = operations.halt_instrument(symbol, actor=actor_name(request), reason=body["reason"])
        return Response(TradedInstrumentSerializer(halted).data)


class OpenInstrument(ExchangeView):
    """Opening of one instrument."""

    required = {"POST": ("exchange.change_instrument",)}

    @extend_schema(
        operation_id="exchange_instruments_open",
        summary="Take orders of an instrument again",
        request=ActBody,
        responses=TradedInstrumentSerializer,
    )
    def post(self, request: Request, symbol: str) -> Response:
        """Take orders again. A repeated act changes nothing."""
        body = read_body(request, ActBody)
        opened = operations.open_instrument(symbol, actor=actor_name(request), reason=body["reason"])
        return Response(TradedInstrumentSerializer(opened).data)


class OneBook(ExchangeView):
    """The book of one instrument."""

    required = {"GET": ("exchange.view_order",)}
    query = BookQuery

    @extend_schema(
        operation_id="exchange_books_read", summary="A book", parameters=[BookQuery], responses=BookSerializer
    )
    def get(self, request: Request, symbol: str) -> Response:
        """What rests by price, the best of each side first."""
        return Response(BookSerializer(queries.get_book(symbol, depth=self.asked["depth"])).data)
