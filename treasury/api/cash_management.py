"""Cash management over REST: cash put to work."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from treasury.contracts import (
    Constraints,
)
from workflows.api.answers import domain_answer
from workflows.api.fields import MoneyInput
from workflows.api.headers import (
    IDEMPOTENCY_KEY_REQUIRED,
    WAITS,
    required_idempotency_key,
)
from workflows.api.reading import Declared, Text, read_body
from workflows.api.serializers import DomainRunSerializer, Reason
from workflows.api.starting import start
from workflows.api.views import ApiView


@extend_schema_field(OpenApiTypes.UUID)
class AccountInput(serializers.JSONField):
    """An account's id, judged by the workflow."""


@extend_schema_field(Constraints.model_json_schema())
class ConstraintsInput(serializers.JSONField):
    """Constraints, judged by the workflow."""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Balanced, with yields",
            {
                "account_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
                "amount": {"amount": "100000.00", "currency": "USD"},
                "strategy": "balanced",
                "constraints": {"min_yield": "5.0", "target_yield": "6.0"},
            },
            request_only=True,
        )
    ]
)
class CashManagementBody(Declared):
    """Cash to put to work: the input of treasury.CashManagement, whose own types judge the values."""

    account_id = AccountInput()
    amount = MoneyInput()
    strategy = Text(trim_whitespace=False, help_text="conservative, balanced or aggressive; any other is all cash.")
    constraints = ConstraintsInput(required=False)
    reason = Reason(required=False, allow_blank=True, default="")


class CashManagement(ApiView):
    """Cash management of an account."""

    required = {"POST": ("treasury.change_treasuryaccount",)}

    @extend_schema(
        operation_id="treasury_cash_management",
        summary="Put cash to work",
        request=CashManagementBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED, *WAITS],
        responses={200: DomainRunSerializer, 201: DomainRunSerializer, 202: DomainRunSerializer},
    )
    def post(self, request: Request) -> Response:
        """Start treasury.CashManagement: 201, or 200 with the run of the key; 202 if it was waited for in vain."""
        body = read_body(request, CashManagementBody)
        reason = body.pop("reason")
        key = required_idempotency_key(request)
        run = start(request, "treasury.CashManagement", key=key, input=body, reason=reason)
        return domain_answer(request, run)
