"""Workflow types and runs: listed, started, looked into."""

from __future__ import annotations

import uuid
from datetime import timedelta

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import queries
from workflows.api.answers import run_answer
from workflows.api.headers import IDEMPOTENCY_KEY, WAITS, key_of
from workflows.api.message_serializers import StartBody, StartedRunSerializer, UpdateSerializer
from workflows.api.openapi import ATTRIBUTES
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import read_body
from workflows.api.serializers import (
    HistoryEntrySerializer,
    PlanItemSerializer,
    RunQuery,
    RunSerializer,
    StepSerializer,
    WorkflowTypeSerializer,
    address_of,
)
from workflows.api.starting import StartWithMessage, read_start, start, start_with_signal, start_with_update
from workflows.api.views import ApiView
from workflows.core.messages import MessageKind

VIEW = {"GET": ("workflows.view_run",)}


class WorkflowTypes(ApiView):
    """What can be started."""

    required = VIEW

    @extend_schema(
        operation_id="workflows_list",
        summary="Workflows that can be started",
        responses=page_schema(WorkflowTypeSerializer),
    )
    def get(self, request: Request) -> Response:
        """Every registered workflow with the JSON Schema of its input."""
        return page(request, WorkflowTypeSerializer, queries.list_workflows())


class Runs(ApiView):
    """Runs, newest first; and where they are started."""

    required = {**VIEW, "POST": ("workflows.start_run",)}
    query = RunQuery

    @extend_schema(
        operation_id="runs_list",
        summary="List runs",
        parameters=[RunQuery, ATTRIBUTES],
        responses=page_schema(RunSerializer),
    )
    def get(self, request: Request) -> Response:
        """Runs that fit every filter given, newest first."""
        filters = dict(self.asked)
        limit, cursor = filters.pop("limit"), filters.pop("cursor", None)
        if "status" in filters:
            filters["status"] = sorted(filters["status"])
        if filters.get("text"):
            hits = queries.search_records(filters["text"], user=request.user).records
            filters["among"] = list(dict.fromkeys(run_id for hit in hits for run_id in hit.run_ids))
        found = queries.page_runs(limit=limit, after=read_cursor(cursor, place_in_time), **filters)
        after = None if found.after is None else [found.after[0].isoformat(), str(found.after[1])]
        return page(request, RunSerializer, found.runs, after)

    @extend_schema(
        operation_id="runs_start",
        summary="Start a run",
        request=StartBody,
        parameters=[IDEMPOTENCY_KEY, *WAITS],
        responses={200: StartedRunSerializer, 201: StartedRunSerializer, 202: StartedRunSerializer},
    )
    def post(self, request: Request) -> Response:
        """Start a run: 201, or 200 with the run that the key already belongs to; 202 if it was waited for in vain.

        A `signal` or an `update` reaches the run whether it was started or found, both or neither. With an `update` the
        answer is 200 with the run and the update once it is answered, and 202 before that.
        """
        body = read_body(request, StartBody)
        key = key_of(request, body.get("key"))
        if body.get("signal") is not None:
            asked = read_start(MessageKind.SIGNAL, body, key=key, actor=request.user)
            return run_answer(request, start_with_signal(asked, signal_key=body["signal"].get("key")))
        if body.get("update") is not None:
            asked = read_start(MessageKind.UPDATE, body, key=key, actor=request.user)
            return _updated_answer(request, asked, body["update"].get("id"))
        delay = body.get("delay")
        run = start(
            request,
            body["workflow"],
            key=key,
            input=body["input"],
            version=body.get("version"),
            delay=None if delay is None else timedelta(seconds=delay),
            reason=body["reason"],
        )
        return run_answer(request, run)


def _updated_answer(request: Request, asked: StartWithMessage, update_id: str | None) -> Response:
    run, sent, answered, headers = start_with_update(request, asked, update_id=update_id)
    context = {"request": request}
    answer = {**RunSerializer(run, context=context).data, "update": UpdateSerializer(sent, context=context).data}
    code = status.HTTP_200_OK if answered else status.HTTP_202_ACCEPTED
    return Response(answer, status=code, headers={"Location": address_of(request, run.id), **headers})


class OneRun(ApiView):
    """One run."""

    required = VIEW

    @extend_schema(operation_id="runs_read", summary="One run", responses=RunSerializer)
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The run as it stands."""
        return Response(RunSerializer(queries.get_run(run_id), context={"request": request}).data)


class RunSteps(ApiView):
    """The steps of one run."""

    required = VIEW

    @extend_schema(operation_id="runs_steps", summary="Steps of a run", responses=page_schema(StepSerializer))
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Its steps in the order they were asked for, each with its tries."""
        return page(request, StepSerializer, queries.list_steps(run_id))


class RunHistory(ApiView):
    """The history of one run."""

    required = VIEW

    @extend_schema(
        operation_id="runs_history", summary="History of a run", responses=page_schema(HistoryEntrySerializer)
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Every event, in order."""
        return page(request, HistoryEntrySerializer, queries.get_history(run_id))


class RunPlan(ApiView):
    """The compensation plan of one run."""

    required = VIEW

    @extend_schema(
        operation_id="runs_compensation_plan",
        summary="Compensation plan of a run",
        responses=page_schema(PlanItemSerializer),
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """What would be, is being or was undone, in the order it runs."""
        return page(request, PlanItemSerializer, queries.get_compensation_plan(run_id))
