"""Returned payments and cases over REST."""

from __future__ import annotations

import uuid

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from wallet import operations, queries
from wallet.api.serializers import CASE_STATUSES, RESOLUTIONS, WithdrawalCaseSerializer
from wallet.api.views import WalletView, actor_name
from wallet.contracts import Resolution
from workflows.api.headers import IDEMPOTENCY_KEY_REQUIRED, required_idempotency_key
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import PageQuery, read_body
from workflows.api.serializers import ActBody


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Money back to the customer",
            {"resolution": "credited", "reason": "the recipient closed the account"},
            request_only=True,
        )
    ]
)
class ResolveCaseBody(ActBody):
    """How a case ends: `cleared` or `confirmed` for sanctions, `credited` or `retained` for a return."""

    resolution = serializers.ChoiceField(choices=RESOLUTIONS)


class CaseQuery(PageQuery):
    """Which cases."""

    status = serializers.ChoiceField(choices=CASE_STATUSES, required=False)


class ReturnWithdrawal(WalletView):
    """A payment that came back."""

    required = {"POST": ("wallet.change_withdrawal", "wallet.add_case")}

    @extend_schema(
        operation_id="wallet_withdrawals_return",
        summary="Record that the rail returned a withdrawal",
        request=ActBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED, LOCATION],
        responses={201: WithdrawalCaseSerializer},
    )
    def post(self, request: Request, withdrawal_id: uuid.UUID) -> Response:
        """Reopen a completed withdrawal as a case; its money waits in transit for the case's end."""
        body = read_body(request, ActBody)
        case = operations.record_return(
            key=f"rest:{required_idempotency_key(request)}",
            withdrawal_id=withdrawal_id,
            reason=body["reason"],
            actor=actor_name(request),
        )
        where = request.build_absolute_uri(reverse("api-wallet-case", kwargs={"case_id": case.id}))
        return Response(
            WithdrawalCaseSerializer(case).data, status=status.HTTP_201_CREATED, headers={"Location": where}
        )


class Cases(WalletView):
    """Cases."""

    required = {"GET": ("wallet.view_case",)}
    query = CaseQuery

    @extend_schema(
        operation_id="wallet_cases_list",
        summary="List cases",
        parameters=[CaseQuery],
        responses=page_schema(WithdrawalCaseSerializer),
    )
    def get(self, request: Request) -> Response:
        """Cases, newest first."""
        found, after = queries.page_cases(
            limit=self.asked["limit"],
            status=self.asked.get("status"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, WithdrawalCaseSerializer, found, following)


class OneCase(WalletView):
    """One case."""

    required = {"GET": ("wallet.view_case",)}

    @extend_schema(operation_id="wallet_cases_read", summary="One case", responses=WithdrawalCaseSerializer)
    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """The case as it stands."""
        return Response(WithdrawalCaseSerializer(queries.get_case(case_id)).data)


class ResolveCase(WalletView):
    """An officer's decision."""

    required = {"POST": ("wallet.change_case",)}

    @extend_schema(
        operation_id="wallet_cases_resolve",
        summary="Resolve a case",
        request=ResolveCaseBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED],
        responses=WithdrawalCaseSerializer,
    )
    def post(self, request: Request, case_id: uuid.UUID) -> Response:
        """End the case, once, with what it decides about money or destination."""
        body = read_body(request, ResolveCaseBody)
        required_idempotency_key(request)  # the case itself is the key: it is resolved once
        case = operations.resolve_case(
            case_id, resolution=Resolution(body["resolution"]), reason=body["reason"], actor=actor_name(request)
        )
        return Response(WithdrawalCaseSerializer(case).data)
