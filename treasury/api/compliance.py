"""Compliance cases over REST: listed, looked into, decided."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from treasury import operations, queries
from treasury.contracts import CaseStatus, CaseTrigger, ComplianceCase, Finding, FindingKind
from treasury.errors import SameOfficer, UnknownCase
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.panel_serializers import WithRuns
from workflows.api.reading import Declared, PageQuery, Text, read_body
from workflows.api.serializers import RequiredReason
from workflows.api.views import ApiView

# A void case was undone before it was opened: no door shows it.
CASE_STATUSES = [(item.value, item.value) for item in CaseStatus if item is not CaseStatus.VOID]
CASE_TRIGGERS = [(item.value, item.value) for item in CaseTrigger]
FINDING_KINDS = [(item.value, item.value) for item in FindingKind]


class FindingSerializer(serializers.Serializer[Finding]):
    """One thing that an officer has to look at."""

    kind = serializers.ChoiceField(choices=FINDING_KINDS)
    detail = serializers.CharField()


class ComplianceCaseSerializer(serializers.Serializer[ComplianceCase]):
    """A compliance case as it stands; `involved` are the people who may not decide it."""

    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    trigger = serializers.ChoiceField(choices=CASE_TRIGGERS)
    movement_id = serializers.UUIDField(allow_null=True)
    findings = FindingSerializer(many=True)
    status = serializers.ChoiceField(choices=CASE_STATUSES)
    opened_at = serializers.DateTimeField()
    deadline = serializers.DateTimeField()
    overdue_at = serializers.DateTimeField(allow_null=True)
    involved = serializers.ListField(child=serializers.CharField())
    decided_by = serializers.CharField()
    reason = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    run_id = serializers.UUIDField(allow_null=True)


class CaseOverviewSerializer(ComplianceCaseSerializer, WithRuns):
    """A compliance case with its runs."""

    record_kind = "treasury.compliancecase"


@extend_schema_serializer(
    examples=[OpenApiExample("A rejection", {"decision": "reject", "reason": "passport is forged"}, request_only=True)]
)
class CaseDecisionBody(Declared):
    """An officer's decision on a case: clear or reject."""

    told_required = ("reason",)

    decision = Text(max_length=20, help_text="clear or reject")
    reason = RequiredReason(required=False, allow_blank=True, default="")


class ComplianceCaseQuery(PageQuery):
    """Which cases."""

    status = serializers.ChoiceField(choices=CASE_STATUSES, required=False)
    account_id = serializers.UUIDField(required=False)


class ComplianceCases(ApiView):
    """Compliance cases."""

    required = {"GET": ("treasury.view_compliancecase",)}
    query = ComplianceCaseQuery

    @extend_schema(
        operation_id="treasury_compliance_cases_list",
        summary="List compliance cases",
        parameters=[ComplianceCaseQuery],
        responses=page_schema(ComplianceCaseSerializer),
    )
    def get(self, request: Request) -> Response:
        """Cases, newest first."""
        found, after = queries.page_cases(
            limit=self.asked["limit"],
            status=self.asked.get("status"),
            account_id=self.asked.get("account_id"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, ComplianceCaseSerializer, found, following)


class OneComplianceCase(ApiView):
    """One compliance case."""

    required = {"GET": ("treasury.view_compliancecase",)}

    @extend_schema(
        operation_id="treasury_compliance_cases_read", summary="One compliance case", responses=CaseOverviewSerializer
    )
    def get(self, request: Request, case_id: uuid.UUID) -> Response:
        """The case with its findings and runs."""
        try:
            case = queries.get_case(case_id)
        except UnknownCase as error:
            raise NotFound(str(error)) from None
        return Response(CaseOverviewSerializer(case, context={"request": request}).data)


class ComplianceCaseDecision(ApiView):
    """The decision of a case."""

    required = {"POST": ("treasury.decide_compliancecase",)}

    @extend_schema(
        operation_id="treasury_compliance_cases_decide",
        summary="Decide a compliance case",
        request=CaseDecisionBody,
        responses={200: ComplianceCaseSerializer, 202: ComplianceCaseSerializer},
    )
    def post(self, request: Request, case_id: uuid.UUID) -> Response:
        """Clear or reject, as somebody who is not involved; 202 while the account's saga has not taken it."""
        body = read_body(request, CaseDecisionBody)
        try:
            decided = operations.decide_case(
                case_id, decision=body["decision"], reason=body["reason"], actor=request.user
            )
        except UnknownCase as error:
            raise NotFound(str(error)) from None
        except SameOfficer as error:
            raise PermissionDenied(str(error), code=error.code) from None
        return Response(
            ComplianceCaseSerializer(decided.case).data,
            status=status.HTTP_202_ACCEPTED if decided.pending else status.HTTP_200_OK,
        )
