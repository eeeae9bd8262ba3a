"""Risk over REST: assessments started and listed, and where the risk management of an account stands."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from treasury import queries
from treasury.contracts import (
    HedgePosition,
    HedgeStatus,
    RiskAssessment,
    RiskCause,
    RiskComponent,
    RiskInputs,
    RiskOverview,
    RiskReason,
    RiskSagaState,
    SagaStatus,
    SagaStep,
)
from treasury.errors import UnknownAccount
from workflows.api.answers import domain_answer
from workflows.api.fields import MoneyField
from workflows.api.headers import IDEMPOTENCY_KEY_REQUIRED, WAITS, required_idempotency_key
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, read_body
from workflows.api.serializers import DomainRunSerializer, Reason
from workflows.api.starting import start
from workflows.api.views import ApiView

RISK_CAUSES = [(item.value, item.value) for item in RiskCause]
RISK_REASONS = [(item.value, item.value) for item in RiskReason]
SAGA_STATUSES = [(item.value, item.value) for item in SagaStatus]
HEDGE_STATUSES = [(item.value, item.value) for item in HedgeStatus]


class RiskComponentSerializer(serializers.Serializer[RiskComponent]):
    """One part of a score: what was measured, and the points it gives out of `weight`."""

    reason = serializers.ChoiceField(choices=RISK_REASONS)
    measure = serializers.CharField()
    points = serializers.CharField()
    weight = serializers.CharField()


class RiskInputsSerializer(serializers.Serializer[RiskInputs]):
    """What an account was judged by; durations in years, liquid shares from 0 to 1."""

    operating = MoneyField()
    cash = MoneyField()
    bonds = MoneyField()
    equities = MoneyField()
    hedged = MoneyField()
    cash_duration = serializers.CharField()
    bond_duration = serializers.CharField()
    cash_liquid_share = serializers.CharField()
    bond_liquid_share = serializers.CharField()


class RiskAssessmentSerializer(serializers.Serializer[RiskAssessment]):
    """An assessment: its score from 0 to 100, the reasons for it, and what it was judged by."""

    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    cause = serializers.ChoiceField(choices=RISK_CAUSES)
    score = serializers.CharField()
    reasons = serializers.ListField(child=serializers.ChoiceField(choices=RISK_REASONS))
    components = RiskComponentSerializer(many=True)
    inputs = RiskInputsSerializer()
    run_id = serializers.UUIDField(allow_null=True)
    assessed_at = serializers.DateTimeField()


class SagaStepSerializer(serializers.Serializer[SagaStep]):
    """Something the saga did, with the run that did it and the score it led to."""

    name = serializers.CharField()
    run_id = serializers.UUIDField(allow_null=True)
    score = serializers.CharField(allow_null=True, help_text="Null where an assessment failed.")
    at = serializers.DateTimeField()


class RiskSagaSerializer(serializers.Serializer[RiskSagaState]):
    """The saga of an account: `id` names it for ever, `workflow_id` its present run."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=SAGA_STATUSES)
    steps = SagaStepSerializer(many=True)
    created_at = serializers.DateTimeField()
    workflow_id = serializers.UUIDField()
    mitigation_workflow = serializers.UUIDField(allow_null=True)


class HedgeSerializer(serializers.Serializer[HedgePosition]):
    """A hedge against an account's equities."""

    id = serializers.UUIDField()
    instrument = serializers.CharField()
    notional = MoneyField()
    status = serializers.ChoiceField(choices=HEDGE_STATUSES)
    run_id = serializers.UUIDField(allow_null=True)
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class RiskOverviewSerializer(serializers.Serializer[RiskOverview]):
    """Where an account's risk stands; `run_status` is the state of the saga's present run, null without one."""

    account_id = serializers.UUIDField()
    run_status = serializers.CharField(allow_null=True)
    saga = RiskSagaSerializer(allow_null=True)
    assessment = RiskAssessmentSerializer(allow_null=True)
    hedges = HedgeSerializer(many=True)


@extend_schema_serializer(
    examples=[OpenApiExample("With a reason", {"reason": "before the quarter's end"}, request_only=True)]
)
class AssessBody(Declared):
    """An assessment; the account says what it is judged by."""

    reason = Reason(required=False, allow_blank=True, default="")


def _known(account_id: uuid.UUID) -> None:
    """Answer 404 for an account that does not exist."""
    try:
        queries.get_account(account_id)
    except UnknownAccount as error:
        raise NotFound(str(error)) from None


class RiskAssessments(ApiView):
    """Risk assessments of an account."""

    required = {"GET": ("treasury.view_riskassessment",), "POST": ("treasury.add_riskassessment",)}
    query = PageQuery

    @extend_schema(
        operation_id="treasury_risk_assessments_list",
        summary="List risk assessments of an account",
        parameters=[PageQuery],
        responses=page_schema(RiskAssessmentSerializer),
    )
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        """The account's assessments, newest first."""
        _known(account_id)
        found, after = queries.page_assessments(
            account_id, limit=self.asked["limit"], after=read_cursor(self.asked.get("cursor"), place_in_time)
        )
        following: list[Any] | None = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, RiskAssessmentSerializer, found, following)

    @extend_schema(
        operation_id="treasury_risk_assessments_start",
        summary="Assess the risk of an account",
        request=AssessBody,
        parameters=[IDEMPOTENCY_KEY_REQUIRED, *WAITS],
        responses={200: DomainRunSerializer, 201: DomainRunSerializer, 202: DomainRunSerializer},
    )
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        """Start treasury.RiskAssessment: 201, or 200 with the run of the key; 202 if it was waited for in vain."""
        body = read_body(request, AssessBody)
        key = required_idempotency_key(request)
        _known(account_id)
        run = start(
            request, "treasury.RiskAssessment", key=key, input={"account_id": str(account_id)}, reason=body["reason"]
        )
        return domain_answer(request, run)


class AccountRisk(ApiView):
    """Risk of an account."""

    required = {
        "GET": ("treasury.view_riskassessment", "treasury.view_hedgeposition", "workflows.query_run"),
    }

    @extend_schema(operation_id="treasury_risk_read", summary="Risk of an account", responses=RiskOverviewSerializer)
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        """The account's risk management saga, its newest assessment and its open hedges."""
        _known(account_id)
        return Response(RiskOverviewSerializer(queries.get_risk_overview(account_id)).data)
