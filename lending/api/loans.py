"""Loans over REST."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from lending import queries
from lending.api.serializers import LOAN_STATUSES, LoanOverviewSerializer, LoanSerializer
from lending.errors import UnknownLoan
from workflows.api.answers import domain_answer
from workflows.api.headers import IDEMPOTENCY_KEY_REQUIRED, WAITS, required_idempotency_key
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, read_body
from workflows.api.serializers import DomainRunSerializer, Reason
from workflows.api.starting import start
from workflows.api.views import ApiView


class LoanQuery(PageQuery):
    """Which loans."""

    status = serializers.ChoiceField(choices=LOAN_STATUSES, required=False)


@extend_schema_serializer(
    examples=[OpenApiExample("With a reason", {"reason": "papers are signed"}, request_only=True)]
)
class DisburseBody(Declared):
    """A payout; the loan says how much to whom."""

    reason = Reason(required=False, allow_blank=True, default="")


class Loans(ApiView):
    """Loans."""

    required = {"GET": ("lending.view_loan",)}
    query = LoanQuery

    @extend_schema(
        operation_id="lending_loans_list",
        summary="List loans",
        parameters=[LoanQuery],
        responses=page_schema(LoanSerializer),
    )
    def get(self, request: Request) -> Response:
        """Loans, newest first."""
        found, after = queries.page_loans(
            limit=self.asked["limit"],
            status=self.asked.get("status"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, LoanSerializer, found, following)


class OneLoan(ApiView):
    """One loan."""

    required = {"GET": ("lending.view_loan", "lending.view_disbursement", "lending.view_scheduleentry")}

    @extend_schema(operation_id="lending_loans_read", summary="One loan", responses=LoanOverviewSerializer)
    def get(self, request: Request, loan_id: uuid.UUID) -> Response:
        """The loan with its schedule, payouts, receivables and runs."""
        try:
            overview = queries.get_loan_overview(loan_id)
        except UnknownLoan as error:
            raise NotFound(str(error)) from None
        return Response(LoanOverviewSerializer(overview, context={"request": request}).data)


class LoanDisbursement(ApiView):
    """The payout of a loan."""

    required = {"POST": ("lending.add_disbursement",)}

    @extend_schema(
        operation_id="lending_loans_disburse",
        summary="Pay a loan out",
        request=DisburseBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED, *WAITS],
        responses={200: DomainRunSerializer, 201: DomainRunSerializer, 202: DomainRunSerializer},
    )
    def post(self, request: Request, loan_id: uuid.UUID) -> Response:
        """Start lending.LoanDisbursement: 201, or 200 with the run of the key; 202 if it was waited for in vain."""
        body = read_body(request, DisburseBody)
        key = required_idempotency_key(request)
        try:
            queries.get_loan(loan_id)
        except UnknownLoan as error:
            raise NotFound(str(error)) from None
        run = start(
            request, "lending.LoanDisbursement", key=key, input={"loan_id": str(loan_id)}, reason=body["reason"]
        )
        return domain_answer(request, run)
