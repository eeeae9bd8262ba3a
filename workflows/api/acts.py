"""Operators' acts on a run: each reads its reason, calls its operation, answers with the run."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import operations
from workflows.api.answers import act_answer, run_answer
from workflows.api.headers import WAITS
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema
from workflows.api.reading import read_body
from workflows.api.serializers import ActBody, CompensateBody, PlanItemSerializer, ResolveBody, RetryBody, RunSerializer
from workflows.api.views import ApiView

_ACCEPTED = OpenApiResponse(RunSerializer, description="Accepted: the run's driver has it, or the run is still open.")
_ANSWERS = {200: RunSerializer, 202: _ACCEPTED}


class CancelRun(ApiView):
    """Cancel a run."""

    @extend_schema(
        operation_id="runs_cancel", summary="Cancel a run", request=ActBody, parameters=WAITS, responses=_ANSWERS
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Its code meets the cancel, then its plan runs unless the workflow leaves its effects."""
        body = read_body(request, ActBody)
        return act_answer(request, operations.cancel_run(run_id, actor=request.user, reason=body["reason"]))


class PauseRun(ApiView):
    """Pause a run."""

    @extend_schema(
        operation_id="runs_pause", summary="Pause a run", request=ActBody, parameters=[LOCATION], responses=_ANSWERS
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """It is held as `paused` after the step in hand."""
        body = read_body(request, ActBody)
        run = operations.pause_run(run_id, actor=request.user, reason=body["reason"])
        return act_answer(request, run, waits=False)


class ResumeRun(ApiView):
    """Resume a run that is paused, or held for its code or its worker."""

    @extend_schema(
        operation_id="runs_resume", summary="Resume a run", request=ActBody, parameters=WAITS, responses=_ANSWERS
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """It goes on where it stands."""
        body = read_body(request, ActBody)
        return act_answer(request, operations.resume_run(run_id, actor=request.user, reason=body["reason"]))


class RetryRun(ApiView):
    """Retry a failed run."""

    @extend_schema(
        operation_id="runs_retry", summary="Retry a failed run", request=RetryBody, parameters=WAITS, responses=_ANSWERS
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """It goes on from the step that failed, with fresh attempts and, if given, edited input."""
        body = read_body(request, RetryBody)
        run = operations.retry_run(run_id, actor=request.user, reason=body["reason"], input=body.get("input"))
        return act_answer(request, run)


class CompensateRun(ApiView):
    """Undo what a run did."""

    @extend_schema(
        operation_id="runs_compensate",
        summary="Undo what a run did",
        request=CompensateBody,
        parameters=WAITS,
        responses={
            200: PolymorphicProxySerializer(
                "RunOrPlan", [RunSerializer, page_schema(PlanItemSerializer)], resource_type_field_name=None
            ),
            202: _ACCEPTED,
        },
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """What is left of its plan runs; with `dry_run` the answer is the plan and nothing changes."""
        body = read_body(request, CompensateBody)
        if body["dry_run"]:
            plan = operations.compensate_run(run_id, dry_run=True, actor=request.user, reason=body["reason"])
            return page(request, PlanItemSerializer, plan)
        return act_answer(request, operations.compensate_run(run_id, actor=request.user, reason=body["reason"]))


class ResolveStep(ApiView):
    """Say what a step in doubt did."""

    @extend_schema(
        operation_id="runs_resolve",
        summary="Say what a step in doubt did",
        request=ResolveBody,
        parameters=WAITS,
        responses=_ANSWERS,
    )
    def post(self, request: Request, run_id: uuid.UUID, seq: int) -> Response:
        """It happened, with this result, or it was not done; the run goes on from there."""
        body = read_body(request, ResolveBody)
        run = operations.resolve_step(
            run_id,
            seq,
            outcome=body["outcome"],
            result=body["result"],
            actor=request.user,
            reason=body["reason"],
        )
        return act_answer(request, run)


class Rerun(ApiView):
    """Start a run anew."""

    @extend_schema(
        operation_id="runs_rerun",
        summary="Start a run anew",
        request=ActBody,
        parameters=WAITS,
        responses={201: RunSerializer, 202: _ACCEPTED},
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """A new run with the same input."""
        body = read_body(request, ActBody)
        return run_answer(request, operations.rerun(run_id, actor=request.user, reason=body["reason"]))
