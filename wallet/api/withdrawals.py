"""Withdrawals over REST: requested, confirmed, cancelled, looked at."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from pydantic import TypeAdapter, ValidationError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from finaegis.shared.money import Money
from wallet import operations, queries
from wallet.api.fields import Id
from wallet.api.serializers import WITHDRAWAL_STATUSES, WithdrawalDetailSerializer, WithdrawalSerializer
from wallet.api.views import WalletView, actor_name
from workflows.api.answers import domain_answer
from workflows.api.errors import FieldProblem, InvalidBody
from workflows.api.headers import IDEMPOTENCY_KEY_REQUIRED, WAITS, required_idempotency_key
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, Text, read_body
from workflows.api.serializers import Reason

_MONEY = TypeAdapter(Money)
_TEXT_AMOUNT: dict[str, Any] = {
    "type": "string",
    "description": "A decimal text in the account's currency.",
    "examples": ["100.00"],
}


@extend_schema_field({"oneOf": [_TEXT_AMOUNT, _MONEY.json_schema()]})
class WithdrawalAmount(serializers.JSONField):
    """A decimal text in the account's currency, or an amount with its currency."""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A withdrawal",
            {
                "account": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
                "amount": "100.00",
                "destination": "5b4f3c3e-2f67-4d2a-9a3d-6d7ac1f3b001",
            },
            request_only=True,
        )
    ]
)
class WithdrawalBody(Declared):
    """How much, from which account, to which entry of its allow-list."""

    account = Id()
    amount = WithdrawalAmount()
    destination = Id()


@extend_schema_serializer(
    examples=[OpenApiExample("The token of the e-mail's link", {"token": "<43 characters>"}, request_only=True)]
)
class ConfirmWithdrawalBody(Declared):
    """The token that the customer got."""

    token = Text(max_length=200)


@extend_schema_serializer(
    examples=[OpenApiExample("With what the customer said", {"reason": "changed their mind"}, request_only=True)]
)
class CancelWithdrawalBody(Declared):
    """Why, if the customer said so."""

    reason = Reason(required=False, allow_blank=True, default="", max_length=2000)


class WithdrawalQuery(PageQuery):
    """Which withdrawals."""

    account = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=WITHDRAWAL_STATUSES, required=False)


class Withdrawals(WalletView):
    """Withdrawals."""

    required = {"GET": ("wallet.view_withdrawal",), "POST": ("wallet.add_withdrawal",)}
    query = WithdrawalQuery

    @extend_schema(
        operation_id="wallet_withdrawals_list",
        summary="List withdrawals",
        parameters=[WithdrawalQuery],
        responses=page_schema(WithdrawalSerializer),
    )
    def get(self, request: Request) -> Response:
        """Withdrawals, newest first."""
        found, after = queries.page_withdrawals(
            limit=self.asked["limit"],
            account_id=self.asked.get("account"),
            status=self.asked.get("status"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, WithdrawalSerializer, found, following)

    @extend_schema(
        operation_id="wallet_withdrawals_request",
        summary="Request a withdrawal",
        request=WithdrawalBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED, *WAITS],
        responses={200: WithdrawalSerializer, 201: WithdrawalSerializer, 202: WithdrawalSerializer},
    )
    def post(self, request: Request) -> Response:
        """Start wallet.Withdrawal: 201, or 200 with the withdrawal of the key; 202 if it was waited for in vain.

        The customer gets an e-mail with a link and has 30 minutes to confirm.
        """
        body = read_body(request, WithdrawalBody)
        key = required_idempotency_key(request)
        made = operations.request_withdrawal(
            key=key,
            account_id=body["account"],
            amount=_amount_of(body),
            destination_id=body["destination"],
            actor=request.user,
            actor_name=actor_name(request),
        )
        answered = domain_answer(request, made.run)  # waits as the client prefers, and knows the status of that
        where = request.build_absolute_uri(
            reverse("api-wallet-withdrawal", kwargs={"withdrawal_id": made.withdrawal.id})
        )
        return Response(
            WithdrawalSerializer(queries.get_withdrawal(made.withdrawal.id)).data,
            status=answered.status_code,
            headers={**answered.headers, "Location": where},
        )


class OneWithdrawal(WalletView):
    """One withdrawal."""

    required = {"GET": ("wallet.view_withdrawal",)}

    @extend_schema(
        operation_id="wallet_withdrawals_read", summary="One withdrawal", responses=WithdrawalDetailSerializer
    )
    def get(self, request: Request, withdrawal_id: uuid.UUID) -> Response:
        """The withdrawal as it stands, with everything that happened to it, and its runs."""
        withdrawal = queries.get_withdrawal(withdrawal_id)
        events = queries.list_events(withdrawal_id)
        return Response(WithdrawalDetailSerializer(withdrawal, context={"events": events, "request": request}).data)


class ConfirmWithdrawal(WalletView):
    """Confirmation by token."""

    required = {"POST": ("wallet.change_withdrawal",)}

    @extend_schema(
        operation_id="wallet_withdrawals_confirm",
        summary="Confirm a withdrawal by its token",
        request=ConfirmWithdrawalBody,
        responses=WithdrawalSerializer,
    )
    def post(self, request: Request) -> Response:
        """Confirm the withdrawal that the token was made for, once, until its deadline."""
        body = read_body(request, ConfirmWithdrawalBody)
        return Response(
            WithdrawalSerializer(operations.confirm_withdrawal(body["token"], actor=actor_name(request))).data
        )


class CancelWithdrawal(WalletView):
    """Cancellation of one withdrawal."""

    required = {"POST": ("wallet.change_withdrawal",)}

    @extend_schema(
        operation_id="wallet_withdrawals_cancel",
        summary="Cancel a withdrawal",
        request=CancelWithdrawalBody,
        responses=WithdrawalSerializer,
    )
    def post(self, request: Request, withdrawal_id: uuid.UUID) -> Response:
        """Call the withdrawal off for its customer; possible until it is processed."""
        body = read_body(request, CancelWithdrawalBody)
        cancelled = operations.cancel_withdrawal(withdrawal_id, actor=actor_name(request), detail=body["reason"])
        return Response(WithdrawalSerializer(cancelled).data)


class ResendConfirmation(WalletView):
    """Sending of a new link."""

    required = {"POST": ("wallet.change_withdrawal",)}

    @extend_schema(
        operation_id="wallet_withdrawals_resend",
        summary="Have the confirmation link sent again",
        request=None,
        responses=WithdrawalSerializer,
    )
    def post(self, request: Request, withdrawal_id: uuid.UUID) -> Response:
        """Send a new link to the customer: the one before it is void, the deadline stays."""
        read_body(request, Declared)
        return Response(
            WithdrawalSerializer(operations.resend_confirmation(withdrawal_id, actor=actor_name(request))).data
        )


def _amount_of(body: dict[str, Any]) -> Money:
    """The amount in either form; raises money's refusals, InvalidBody, UnknownAccount."""
    given = body["amount"]
    if isinstance(given, str):
        return Money(given, queries.get_account(body["account"]).currency)
    try:
        return _MONEY.validate_python(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(["amount", *(str(part) for part in first["loc"])])
        raise InvalidBody([FieldProblem(where, first["type"], first["msg"])]) from None
