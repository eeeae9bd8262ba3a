"""Treasury accounts over REST: opened, listed and looked into."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from finaegis.shared.money import Money
from treasury import operations, queries
from treasury.api.instruments import ASSET_CLASSES
from treasury.contracts import (
    AccountStatus,
    AllocationRecord,
    AllocationStatus,
    ClassAmount,
    Document,
    EventRecord,
    TreasuryAccount,
)
from treasury.errors import UnknownAccount
from treasury.rules.compliance import holder_facts
from workflows.api.fields import AmountInput, CurrencyInput, MoneyField, MoneyText
from workflows.api.headers import (
    IDEMPOTENCY_KEY,
    idempotency_key,
    required_idempotency_key,
)
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema, read_cursor
from workflows.api.panel_serializers import WithRuns
from workflows.api.reading import Declared, PageQuery, Text, read_body
from workflows.api.views import ApiView

ACCOUNT_STATUSES = [(item.value, item.value) for item in AccountStatus]
ALLOCATION_STATUSES = [(item.value, item.value) for item in AllocationStatus]


class TreasuryAccountSerializer(serializers.Serializer[TreasuryAccount]):
    """A treasury account; opening one starts no run, so `run_id` is null."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(default=None, allow_null=True, read_only=True)
    status = serializers.ChoiceField(choices=ACCOUNT_STATUSES)
    name = serializers.CharField()
    currency = serializers.CharField()
    account_type = serializers.CharField()
    opened_at = serializers.DateTimeField()


class BalanceSerializer(serializers.Serializer[Any]):
    """A ledger account of a treasury account."""

    id = serializers.UUIDField()
    owner = serializers.CharField()
    kind = serializers.CharField()
    currency = serializers.CharField()
    balance = MoneyText()
    held = MoneyText()
    available = MoneyText()


class ClassAmountSerializer(serializers.Serializer[ClassAmount]):
    """The part of an allocation that went to one asset class."""

    type = serializers.ChoiceField(choices=ASSET_CLASSES)
    amount = MoneyField()


class AllocationSerializer(serializers.Serializer[AllocationRecord]):
    """An allocation as it stands."""

    id = serializers.UUIDField()
    strategy = serializers.CharField()
    status = serializers.ChoiceField(choices=ALLOCATION_STATUSES)
    total = MoneyField()
    allocations = ClassAmountSerializer(many=True)
    run_id = serializers.UUIDField(allow_null=True)
    allocated_at = serializers.DateTimeField()
    reversed_at = serializers.DateTimeField(allow_null=True)


class EventSerializer(serializers.Serializer[EventRecord]):
    """An event of the account's stream."""

    version = serializers.IntegerField()
    name = serializers.CharField()
    payload = serializers.SerializerMethodField()
    run_id = serializers.UUIDField(allow_null=True)
    recorded_at = serializers.DateTimeField()

    def get_payload(self, event: EventRecord) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(event.payload)
        return payload


class AccountOverviewSerializer(TreasuryAccountSerializer, WithRuns):
    """A treasury account with its balances, allocations, events and runs."""

    record_kind = "treasury.treasuryaccount"

    ledger_accounts = BalanceSerializer(many=True)
    allocations = AllocationSerializer(many=True)
    events = EventSerializer(many=True)


@extend_schema_field({"type": "array", "items": Document.model_json_schema()})
class HolderDocumentsInput(serializers.JSONField):
    """Documents of an account's holder, judged by the contract."""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new account",
            {"name": "Liquidity", "currency": "USD", "initial_balance": "1000000.00"},
            request_only=True,
        )
    ]
)
class OpenAccountBody(Declared):
    """A new account; `initial_balance` is a decimal text in `currency`.

    `country` and `documents` tell who holds it; without documents compliance opens a case.
    """

    name = Text(max_length=200)
    currency = CurrencyInput(max_length=12, trim_whitespace=False)
    initial_balance = AmountInput(required=False, trim_whitespace=False)
    account_type = Text(default="operating", max_length=40)
    country = Text(required=False, allow_null=True, max_length=2, help_text="ISO 3166 alpha-2")
    documents = HolderDocumentsInput(required=False)


class TreasuryAccounts(ApiView):
    """Treasury accounts."""

    required = {"GET": ("treasury.view_treasuryaccount",), "POST": ("treasury.add_treasuryaccount",)}
    query = PageQuery

    @extend_schema(
        operation_id="treasury_accounts_list",
        summary="List treasury accounts",
        parameters=[PageQuery],
        responses=page_schema(TreasuryAccountSerializer),
    )
    def get(self, request: Request) -> Response:
        """Treasury accounts by name."""
        accounts, after = queries.page_accounts(
            limit=self.asked["limit"], after=read_cursor(self.asked.get("cursor"), _place)
        )
        following = None if after is None else [after[0], str(after[1])]
        return page(request, TreasuryAccountSerializer, accounts, following)

    @extend_schema(
        operation_id="treasury_accounts_open",
        summary="Open a treasury account",
        request=OpenAccountBody,
        parameters=[IDEMPOTENCY_KEY, LOCATION],
        responses={200: TreasuryAccountSerializer, 201: TreasuryAccountSerializer},
    )
    def post(self, request: Request) -> Response:
        """Open an account: 201, or 200 with the one that the key opened. An initial balance requires the key."""
        body = read_body(request, OpenAccountBody)
        opening = body.get("initial_balance")
        key = required_idempotency_key(request) if opening is not None else idempotency_key(request)
        account = operations.open_treasury_account(
            name=body["name"],
            currency=body["currency"],
            initial_balance=None if opening is None else Money(opening, body["currency"]),
            account_type=body["account_type"],
            holder=holder_facts(country=body.get("country"), documents=body.get("documents", ())),
            opened_by=request.user.get_username(),
            key=f"rest:{key or uuid.uuid4()}",
        )
        where = request.build_absolute_uri(reverse("api-treasury-account", kwargs={"account_id": account.id}))
        return Response(
            TreasuryAccountSerializer(account).data,
            status=status.HTTP_201_CREATED if account.created else status.HTTP_200_OK,
            headers={"Location": where},
        )


def _place(name: str, account_id: str) -> tuple[str, uuid.UUID]:
    return name, uuid.UUID(account_id)


class OneTreasuryAccount(ApiView):
    """One treasury account."""

    required = {
        "GET": (
            "treasury.view_treasuryaccount",
            "treasury.view_allocation",
            "treasury.view_storedevent",
            "ledger.view_account",
        )
    }

    @extend_schema(
        operation_id="treasury_accounts_read", summary="One treasury account", responses=AccountOverviewSerializer
    )
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        """The account with its balances, allocations, events and runs."""
        try:
            overview = queries.get_overview(account_id)
        except UnknownAccount as error:
            raise NotFound(str(error)) from None
        return Response(AccountOverviewSerializer(overview, context={"request": request}).data)
