"""Applications over REST."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from lending import operations, queries
from lending.api.serializers import (
    APPLICATION_STATUSES,
    ApplicationOverviewSerializer,
    ApplicationSerializer,
    LoanSerializer,
)
from lending.contracts import Application, Attributes, Document
from lending.errors import SameOfficer, UnknownApplication
from lending.rules.applications import form_of
from workflows import queries as runs
from workflows.api.answers import domain_answer
from workflows.api.fields import AmountInput, CurrencyInput
from workflows.api.headers import IDEMPOTENCY_KEY, WAITS, idempotency_key
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, Text, Whole, read_body
from workflows.api.serializers import Reason, RequiredReason
from workflows.api.views import ApiView


@extend_schema_field({"type": "array", "items": Document.model_json_schema()})
class DocumentsInput(serializers.JSONField):
    """Documents, judged by the contract."""


@extend_schema_field(Attributes.model_json_schema())
class AttributesInput(serializers.JSONField):
    """What the applicant states beside the amount, judged by the contract."""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An application",
            {
                "applicant": "Ada Lovelace",
                "ssn": "900-55-2002",
                "income": "60000.00",
                "currency": "USD",
                "amount": "5000.00",
                "term_months": 24,
                "documents": [{"kind": "payslip", "reference": "DOC-2026-0001"}],
                "attributes": {"purpose": "car_used", "employment": "4_to_7_years", "housing": "own"},
            },
            request_only=True,
        )
    ]
)
class ApplicationBody(Declared):
    """An application. `income` is that of a year; `ssn` is taken and never shown; without documents a person looks."""

    applicant = Text(max_length=200)
    ssn = Text(max_length=40, write_only=True, help_text="AAA-GG-SSSS")
    income = AmountInput(trim_whitespace=False)
    currency = CurrencyInput(max_length=12, trim_whitespace=False)
    amount = AmountInput(trim_whitespace=False)
    term_months = Whole()
    documents = DocumentsInput(required=False)
    attributes = AttributesInput(required=False)
    email = Text(required=False, allow_null=True, max_length=254, help_text="Letters go there.")
    reason = Reason(required=False, allow_blank=True, default="")


@extend_schema_serializer(
    examples=[OpenApiExample("A decline", {"decision": "decline", "reason": "income not confirmed"}, request_only=True)]
)
class DecisionBody(Declared):
    """An officer's decision on a review: approve or decline."""

    told_required = ("reason",)

    decision = Text(max_length=20, help_text="approve or decline")
    reason = RequiredReason(required=False, allow_blank=True, default="")


class ApplicationQuery(PageQuery):
    """Which applications."""

    status = serializers.ChoiceField(choices=APPLICATION_STATUSES, required=False)


class Applications(ApiView):
    """Applications for loans."""

    required = {"GET": ("lending.view_application",), "POST": ("lending.add_application",)}
    query = ApplicationQuery

    @extend_schema(
        operation_id="lending_applications_list",
        summary="List applications",
        parameters=[ApplicationQuery],
        responses=page_schema(ApplicationSerializer),
    )
    def get(self, request: Request) -> Response:
        """Applications, newest first."""
        found, after = queries.page_applications(
            limit=self.asked["limit"],
            status=self.asked.get("status"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, ApplicationSerializer, found, following)

    @extend_schema(
        operation_id="lending_applications_submit",
        summary="Apply for a loan",
        request=ApplicationBody,
        parameters=[IDEMPOTENCY_KEY, *WAITS],
        responses={200: ApplicationSerializer, 201: ApplicationSerializer, 202: ApplicationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Take an application in and start lending.LoanApplication: 201, or 200 with the one of the key.

        Waited for in vain: 202, which is also how one answers that an officer has to decide.
        """
        body = read_body(request, ApplicationBody)
        reason = body.pop("reason")
        application = operations.submit_application(
            form_of(body), key=idempotency_key(request), actor=request.user, reason=reason
        )
        return _answer(request, application)


class OneApplication(ApiView):
    """One application."""

    required = {"GET": ("lending.view_application", "lending.view_decision", "lending.view_offer")}

    @extend_schema(
        operation_id="lending_applications_read", summary="One application", responses=ApplicationOverviewSerializer
    )
    def get(self, request: Request, application_id: uuid.UUID) -> Response:
        """The application with its checks, score, decisions, offer, letters and runs."""
        try:
            overview = queries.get_overview(application_id)
        except UnknownApplication as error:
            raise NotFound(str(error)) from None
        return Response(ApplicationOverviewSerializer(overview, context={"request": request}).data)


class ApplicationDecision(ApiView):
    """The decision of a review."""

    required = {"POST": ("lending.decide_application",)}

    @extend_schema(
        operation_id="lending_applications_decide",
        summary="Decide a review",
        request=DecisionBody,
        responses={200: ApplicationSerializer, 202: ApplicationSerializer},
    )
    def post(self, request: Request, application_id: uuid.UUID) -> Response:
        """Approve or decline, as somebody else than who entered the application; 202 while its run has not taken it."""
        body = read_body(request, DecisionBody)
        try:
            decided = operations.decide_application(
                application_id, decision=body["decision"], reason=body["reason"], actor=request.user
            )
        except UnknownApplication as error:
            raise NotFound(str(error)) from None
        except SameOfficer as error:
            raise PermissionDenied(str(error), code=error.code) from None
        return Response(
            ApplicationSerializer(decided.application).data,
            status=status.HTTP_202_ACCEPTED if decided.pending else status.HTTP_200_OK,
        )


@extend_schema_serializer(examples=[OpenApiExample("Nothing", {}, request_only=True)])
class NoBody(Declared):
    """Takes nothing."""


class OfferAcceptance(ApiView):
    """The acceptance of an offer."""

    required = {"POST": ("lending.add_loan",)}

    @extend_schema(
        operation_id="lending_applications_accept",
        summary="Accept the offer",
        request=NoBody,
        parameters=[LOCATION],
        responses={200: LoanSerializer, 201: LoanSerializer},
    )
    def post(self, request: Request, application_id: uuid.UUID) -> Response:
        """Accept the application's offer, which makes the loan: 201, or 200 with the loan that it made before."""
        read_body(request, NoBody)
        try:
            loan = operations.accept_offer(application_id=application_id, accepted_by=request.user.get_username())
        except UnknownApplication as error:
            raise NotFound(str(error)) from None
        where = request.build_absolute_uri(reverse("api-lending-loan", kwargs={"loan_id": loan.id}))
        return Response(
            LoanSerializer(loan).data,
            status=status.HTTP_201_CREATED if loan.created else status.HTTP_200_OK,
            headers={"Location": where},
        )


def _answer(request: Request, application: Application) -> Response:
    """The answer of the application's run, with the application in its place."""
    run = replace(runs.get_run(application.run_id), created=application.created)
    answer = domain_answer(request, run)
    shown: Any = ApplicationSerializer(queries.get_application(application.id)).data
    answer.data = shown
    answer["Location"] = request.build_absolute_uri(
        reverse("api-lending-application", kwargs={"application_id": application.id})
    )
    return answer
