"""Movements of treasury accounts over REST: money recorded as come in or gone out, and listed."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from finaegis.shared.money import Money
from treasury import operations, queries
from treasury.contracts import Direction, Movement
from treasury.errors import UnknownAccount
from workflows.api.fields import AmountInput, MoneyField
from workflows.api.headers import IDEMPOTENCY_KEY_REQUIRED, required_idempotency_key
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, Text, read_body
from workflows.api.views import ApiView

DIRECTIONS = [(item.value, item.value) for item in Direction]


class MovementSerializer(serializers.Serializer[Movement]):
    """Money between an account and the world outside."""

    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    direction = serializers.ChoiceField(choices=DIRECTIONS)
    amount = MoneyField()
    counterparty = serializers.CharField()
    country = serializers.CharField(allow_null=True)
    moved_at = serializers.DateTimeField()
    recorded_by = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Money in",
            {"direction": "in", "amount": "12000.00", "counterparty": "Grace Hopper", "country": "US"},
            request_only=True,
        )
    ]
)
class MovementBody(Declared):
    """A movement; `amount` is a decimal text in the account's currency, `counterparty` who is on the other side."""

    direction = Text(max_length=3, help_text="in or out")
    amount = AmountInput(trim_whitespace=False)
    counterparty = Text(required=False, allow_blank=True, default="", max_length=200)
    country = Text(required=False, allow_null=True, default=None, max_length=2, help_text="ISO 3166 alpha-2")


class Movements(ApiView):
    """Movements of one account."""

    required = {"GET": ("treasury.view_movement",), "POST": ("treasury.add_movement",)}
    query = PageQuery

    @extend_schema(
        operation_id="treasury_movements_list",
        summary="List an account's movements",
        parameters=[PageQuery],
        responses=page_schema(MovementSerializer),
    )
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        """Movements, newest first."""
        self._account_currency(account_id)
        found, after = queries.page_movements(
            account_id=account_id,
            limit=self.asked["limit"],
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, MovementSerializer, found, following)

    @extend_schema(
        operation_id="treasury_movements_record",
        summary="Record money in or out",
        request=MovementBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED],
        responses={200: MovementSerializer, 201: MovementSerializer},
    )
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        """Book a movement: 201, or 200 with the one of the key. A large one is examined by the account's saga."""
        body = read_body(request, MovementBody)
        key = required_idempotency_key(request)
        movement = operations.record_movement(
            key=f"rest:movement:{key}",
            account_id=account_id,
            direction=body["direction"],
            amount=Money(body["amount"], self._account_currency(account_id)),
            counterparty=body["counterparty"],
            country=body["country"],
            recorded_by=request.user.get_username(),
        )
        return Response(
            MovementSerializer(movement).data,
            status=status.HTTP_201_CREATED if movement.created else status.HTTP_200_OK,
        )

    @staticmethod
    def _account_currency(account_id: uuid.UUID) -> str:
        try:
            return queries.get_account(account_id).currency
        except UnknownAccount as error:
            raise NotFound(str(error)) from None
