"""Wallet accounts and their allow-lists over REST."""

from __future__ import annotations

import uuid

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from finaegis.shared.money import Money
from wallet import operations, queries
from wallet.api.fields import Id
from wallet.api.serializers import DestinationSerializer, WalletAccountOverviewSerializer, WalletAccountSerializer
from wallet.api.views import WalletView, actor_name
from workflows.api.fields import AmountInput, CurrencyInput
from workflows.api.headers import IDEMPOTENCY_KEY, idempotency_key, required_idempotency_key
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, Text, read_body
from workflows.api.serializers import ActBody


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new account",
            {"name": "Ada Byron", "email": "ada@example.com", "currency": "USD", "initial_balance": "5000.00"},
            request_only=True,
        )
    ]
)
class OpenWalletAccountBody(Declared):
    """A customer's new account; `initial_balance` is a decimal text in `currency`."""

    name = Text(max_length=140)
    email = Text(max_length=254)
    currency = CurrencyInput(max_length=12, trim_whitespace=False)
    initial_balance = AmountInput(required=False, trim_whitespace=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new destination",
            {
                "account": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
                "label": "My savings",
                "beneficiary": "Ada Byron",
                "address": "DE89 3704 0044 0532 0130 00",
            },
            request_only=True,
        )
    ]
)
class AddDestinationBody(Declared):
    """A new destination; `address` is an IBAN or another account number."""

    account = Id()
    label = Text(max_length=140)  # type: ignore[assignment]  # the field's name shadows the base's attribute
    beneficiary = Text(max_length=140)
    address = Text(max_length=140)


class DestinationQuery(PageQuery):
    """Whose destinations."""

    account = serializers.UUIDField(required=False)


class WalletAccounts(WalletView):
    """Wallet accounts."""

    required = {"GET": ("wallet.view_walletaccount",), "POST": ("wallet.add_walletaccount",)}
    query = PageQuery

    @extend_schema(
        operation_id="wallet_accounts_list",
        summary="List wallet accounts",
        parameters=[PageQuery],
        responses=page_schema(WalletAccountSerializer),
    )
    def get(self, request: Request) -> Response:
        """Wallet accounts, newest first."""
        accounts, after = queries.page_accounts(
            limit=self.asked["limit"], after=read_cursor(self.asked.get("cursor"), place_in_time)
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, WalletAccountSerializer, accounts, following)

    @extend_schema(
        operation_id="wallet_accounts_open",
        summary="Open a wallet account",
        request=OpenWalletAccountBody,
        parameters=[IDEMPOTENCY_KEY, LOCATION],
        responses={200: WalletAccountSerializer, 201: WalletAccountSerializer},
    )
    def post(self, request: Request) -> Response:
        """Open an account: 201, or 200 with the one that the key opened. An initial balance requires the key."""
        body = read_body(request, OpenWalletAccountBody)
        opening = body.get("initial_balance")
        key = required_idempotency_key(request) if opening is not None else idempotency_key(request)
        account = operations.open_wallet_account(
            name=body["name"],
            email=body["email"],
            currency=body["currency"],
            initial_balance=None if opening is None else Money(opening, body["currency"]),
            key=f"rest:{key or uuid.uuid4()}",
        )
        where = request.build_absolute_uri(reverse("api-wallet-account", kwargs={"account_id": account.id}))
        return Response(
            WalletAccountSerializer(account).data,
            status=status.HTTP_201_CREATED if account.created else status.HTTP_200_OK,
            headers={"Location": where},
        )


class OneWalletAccount(WalletView):
    """One wallet account."""

    required = {"GET": ("wallet.view_walletaccount", "ledger.view_account")}

    @extend_schema(
        operation_id="wallet_accounts_read", summary="One wallet account", responses=WalletAccountOverviewSerializer
    )
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        """The account with its balances and runs."""
        overview = queries.get_overview(account_id)
        return Response(WalletAccountOverviewSerializer(overview, context={"request": request}).data)


class FreezeAccount(WalletView):
    """Freezing of one account."""

    required = {"POST": ("wallet.change_walletaccount",)}

    @extend_schema(
        operation_id="wallet_accounts_freeze",
        summary="Let no money out of an account",
        request=ActBody,
        responses=WalletAccountSerializer,
    )
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        """Freeze the account; withdrawals that are not captured yet are refused at processing."""
        reason = read_body(request, ActBody)["reason"]
        account = operations.freeze_account(account_id, actor=actor_name(request), reason=reason)
        return Response(WalletAccountSerializer(account).data)


class UnfreezeAccount(WalletView):
    """Unfreezing of one account."""

    required = {"POST": ("wallet.change_walletaccount",)}

    @extend_schema(
        operation_id="wallet_accounts_unfreeze",
        summary="Let money out of an account again",
        request=ActBody,
        responses=WalletAccountSerializer,
    )
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        """Unfreeze the account."""
        reason = read_body(request, ActBody)["reason"]
        account = operations.unfreeze_account(account_id, actor=actor_name(request), reason=reason)
        return Response(WalletAccountSerializer(account).data)


class Destinations(WalletView):
    """Allow-lists."""

    required = {"GET": ("wallet.view_destination",), "POST": ("wallet.add_destination",)}
    query = DestinationQuery

    @extend_schema(
        operation_id="wallet_destinations_list",
        summary="List destinations",
        parameters=[DestinationQuery],
        responses=page_schema(DestinationSerializer),
    )
    def get(self, request: Request) -> Response:
        """Destinations of one account or of all, newest first."""
        found, after = queries.page_destinations(
            limit=self.asked["limit"],
            account_id=self.asked.get("account"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, DestinationSerializer, found, following)

    @extend_schema(
        operation_id="wallet_destinations_add",
        summary="Add a destination",
        request=AddDestinationBody,
        parameters=[IDEMPOTENCY_KEY, LOCATION],
        responses={200: DestinationSerializer, 201: DestinationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Put a destination on an account's list: 201, or 200 with the one that the key added."""
        body = read_body(request, AddDestinationBody)
        added = operations.add_destination(
            key=f"rest:{idempotency_key(request) or uuid.uuid4()}",
            account_id=body["account"],
            label=body["label"],
            beneficiary=body["beneficiary"],
            address=body["address"],
            actor=actor_name(request),
        )
        where = request.build_absolute_uri(reverse("api-wallet-destination", kwargs={"destination_id": added.id}))
        return Response(
            DestinationSerializer(added).data,
            status=status.HTTP_201_CREATED if added.created else status.HTTP_200_OK,
            headers={"Location": where},
        )


class OneDestination(WalletView):
    """One destination."""

    required = {"GET": ("wallet.view_destination",)}

    @extend_schema(operation_id="wallet_destinations_read", summary="One destination", responses=DestinationSerializer)
    def get(self, request: Request, destination_id: uuid.UUID) -> Response:
        """The destination as it stands."""
        return Response(DestinationSerializer(queries.get_destination(destination_id)).data)


class RemoveDestination(WalletView):
    """Removal of one destination."""

    required = {"POST": ("wallet.change_destination",)}

    @extend_schema(
        operation_id="wallet_destinations_remove",
        summary="Take a destination off the list",
        request=None,
        responses=DestinationSerializer,
    )
    def post(self, request: Request, destination_id: uuid.UUID) -> Response:
        """Remove the destination, for good."""
        read_body(request, Declared)
        return Response(
            DestinationSerializer(operations.remove_destination(destination_id, actor=actor_name(request))).data
        )
