"""Trading accounts over REST: opened, funded, looked into."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from pydantic import TypeAdapter, ValidationError
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from exchange import operations, queries
from exchange.api.serializers import TradingAccountOverviewSerializer, TradingAccountSerializer
from exchange.api.views import ExchangeView, actor_name
from finaegis.shared.money import Money
from workflows.api.errors import FieldProblem, InvalidBody
from workflows.api.fields import MoneyInput
from workflows.api.headers import (
    IDEMPOTENCY_KEY,
    IDEMPOTENCY_KEY_REQUIRED,
    idempotency_key,
    required_idempotency_key,
)
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, Text, read_body

_MONEY = TypeAdapter(Money)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new account",
            {"name": "Ada Byron", "initial_balances": [{"amount": "100000.00", "currency": "USD"}]},
            request_only=True,
        )
    ]
)
class OpenTradingAccountBody(Declared):
    """A new trading account; `holder` is the login it belongs to, the caller's unless given."""

    name = Text(max_length=140)
    holder = Text(required=False, max_length=150)
    initial_balances = serializers.ListField(child=MoneyInput(), required=False, max_length=20)


@extend_schema_serializer(
    examples=[
        OpenApiExample("Money", {"amount": {"amount": "5000.00", "currency": "USD"}}, request_only=True),
        OpenApiExample("An asset", {"amount": {"amount": "2.50", "currency": "BTC"}}, request_only=True),
    ]
)
class DepositBody(Declared):
    """What comes from outside."""

    amount = MoneyInput()


class TradingAccounts(ExchangeView):
    """Trading accounts."""

    required = {"GET": ("exchange.view_tradingaccount",), "POST": ("exchange.add_tradingaccount",)}
    query = PageQuery

    @extend_schema(
        operation_id="exchange_accounts_list",
        summary="List trading accounts",
        parameters=[PageQuery],
        responses=page_schema(TradingAccountSerializer),
    )
    def get(self, request: Request) -> Response:
        """Trading accounts, newest first."""
        accounts, after = queries.page_accounts(
            limit=self.asked["limit"], after=read_cursor(self.asked.get("cursor"), place_in_time)
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, TradingAccountSerializer, accounts, following)

    @extend_schema(
        operation_id="exchange_accounts_open",
        summary="Open a trading account",
        request=OpenTradingAccountBody,
        parameters=[IDEMPOTENCY_KEY, LOCATION],
        responses={200: TradingAccountSerializer, 201: TradingAccountSerializer},
    )
    def post(self, request: Request) -> Response:
        """Open an account: 201, or 200 with the one that the key opened. Opening balances require the key."""
        body = read_body(request, OpenTradingAccountBody)
        balances = [
            _money(item, f"initial_balances.{place}") for place, item in enumerate(body.get("initial_balances", []))
        ]
        key = required_idempotency_key(request) if balances else idempotency_key(request)
        account = operations.open_trading_account(
            key=f"rest:{key or uuid.uuid4()}",
            holder=body.get("holder") or actor_name(request),
            name=body["name"],
            initial_balances=balances,
        )
        where = request.build_absolute_uri(reverse("api-exchange-account", kwargs={"account_id": account.id}))
        return Response(
            TradingAccountSerializer(account).data,
            status=status.HTTP_201_CREATED if account.created else status.HTTP_200_OK,
            headers={"Location": where},
        )


class OneTradingAccount(ExchangeView):
    """One trading account."""

    required = {"GET": ("exchange.view_tradingaccount", "ledger.view_account")}

    @extend_schema(
        operation_id="exchange_accounts_read",
        summary="One trading account",
        responses=TradingAccountOverviewSerializer,
    )
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        """The account with its balances and runs."""
        overview = queries.get_account_overview(account_id)
        return Response(TradingAccountOverviewSerializer(overview, context={"request": request}).data)


class Deposits(ExchangeView):
    """Money for one trading account."""

    required = {"POST": ("exchange.add_tradingaccount",)}

    @extend_schema(
        operation_id="exchange_accounts_deposit",
        summary="Put money on a trading account",
        request=DepositBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED],
        responses=TradingAccountOverviewSerializer,
    )
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        """Take an amount in from outside, once per key."""
        body = read_body(request, DepositBody)
        key = required_idempotency_key(request)
        account = operations.deposit(
            key=f"rest:{key}", account_id=account_id, amount=_money(body["amount"], "amount")
        )  # fmt: skip
        overview = queries.get_account_overview(account.id)
        return Response(TradingAccountOverviewSerializer(overview, context={"request": request}).data)


def _money(given: Any, where: str) -> Money:
    """An amount with its currency; raises InvalidBody."""
    try:
        return _MONEY.validate_python(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join([where, *(str(part) for part in first["loc"])])
        raise InvalidBody([FieldProblem(path, first["type"], first["msg"])]) from None
