"""Talking to runs: signals, queries and updates. Each reads its body, calls its operation, tells what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import operations, queries
from workflows.api.answers import act_answer, applied, turn_to_wait
from workflows.api.headers import IDEMPOTENCY_KEY, PREFER_ANSWER, WAITS, key_of, preferred_wait
from workflows.api.message_serializers import (
    AnswerSerializer,
    QueryBody,
    SignalBody,
    UpdateBody,
    UpdateQuery,
    UpdateSerializer,
    address_of_update,
)
from workflows.api.openapi import LOCATION, PREFERENCE_APPLIED
from workflows.api.reading import read_body
from workflows.api.serializers import RunSerializer
from workflows.api.views import ApiView
from workflows.core.errors import UpdatePending
from workflows.core.messages import MessageKind
from workflows.queries.messages import Given

#: How long an update's answer is waited for unless the request says.
UPDATE_WAIT = timedelta(seconds=10)


class Signals(ApiView):
    """A signal to a run."""

    required = {"POST": ("workflows.signal_run",)}

    @extend_schema(
        operation_id="runs_signal",
        summary="Signal a run",
        request=SignalBody,
        parameters=[IDEMPOTENCY_KEY, *WAITS],
        responses={
            200: RunSerializer,
            202: OpenApiResponse(RunSerializer, description="Stored: it is delivered in its order, and never lost."),
        },
    )
    def post(self, request: Request, run_id: uuid.UUID, name: str) -> Response:
        """It is stored and delivered in its order; a key that signalled this run before does nothing."""
        body = read_body(request, SignalBody)
        key = key_of(request, body.get("key"))
        signal = queries.bind_message(queries.get_run(run_id), MessageKind.SIGNAL, name, body["input"])
        run = operations.signal_run(run_id, name, *signal.arguments, actor=request.user, reason=body["reason"], key=key)
        return act_answer(request, run, is_done=False)


class Queries(ApiView):
    """A question that a run's code answers."""

    required = {"GET": ("workflows.query_run",), "POST": ("workflows.query_run",)}

    @extend_schema(
        operation_id="runs_query",
        summary="Query a run without arguments",
        responses={200: AnswerSerializer, 409: None, 422: None},
    )
    def get(self, request: Request, run_id: uuid.UUID, name: str) -> Response:
        """The answer from the run's state as recorded, also after its end."""
        return _answer(request, run_id, name, {})

    @extend_schema(
        operation_id="runs_query_with_arguments",
        summary="Query a run",
        request=QueryBody,
        responses={200: AnswerSerializer},
    )
    def post(self, request: Request, run_id: uuid.UUID, name: str) -> Response:
        """The same with arguments; nothing is written."""
        return _answer(request, run_id, name, read_body(request, QueryBody)["input"])


def _answer(request: Request, run_id: uuid.UUID, name: str, given: Given) -> Response:
    query = queries.bind_message(queries.get_run(run_id), MessageKind.QUERY, name, given)
    answer = operations.query_run(run_id, name, *query.arguments, actor=request.user)
    return Response(AnswerSerializer({"result": query.shown(answer)}).data)


class Updates(ApiView):
    """An update: a message that a run answers."""

    required = {"GET": ("workflows.view_run",), "POST": ("workflows.update_run",)}
    query = UpdateQuery

    @extend_schema(
        operation_id="runs_update_read",
        summary="What became of an update",
        parameters=[UpdateQuery],
        responses=UpdateSerializer,
    )
    def get(self, request: Request, run_id: uuid.UUID, name: str) -> Response:
        """The update of this id as it stands."""
        sent = queries.get_update(run_id, name, self.asked["id"])
        return Response(UpdateSerializer(sent, context={"request": request}).data)

    @extend_schema(
        operation_id="runs_update",
        summary="Update a run",
        request=UpdateBody,
        parameters=[IDEMPOTENCY_KEY, PREFER_ANSWER, LOCATION, PREFERENCE_APPLIED],
        responses={
            200: OpenApiResponse(UpdateSerializer, description="Answered."),
            202: OpenApiResponse(UpdateSerializer, description="Stored, no answer yet: look again at `Location`."),
        },
    )
    def post(self, request: Request, run_id: uuid.UUID, name: str) -> Response:
        """It is sent and its answer waited for; a known id gives its stored answer."""
        body = read_body(request, UpdateBody)
        update_id = key_of(request, body.get("id")) or str(uuid.uuid4())
        update = queries.bind_message(queries.get_run(run_id), MessageKind.UPDATE, name, body["input"])
        answered, headers = wait_for_answer(
            request,
            lambda timeout: operations.update_run(
                run_id,
                name,
                *update.arguments,
                id=update_id,
                actor=request.user,
                reason=body["reason"],
                timeout=timeout,
            ),
        )
        sent = queries.get_update(run_id, name, update_id)
        return Response(
            UpdateSerializer(sent, context={"request": request}).data,
            status=status.HTTP_200_OK if answered else status.HTTP_202_ACCEPTED,
            headers={"Location": address_of_update(request, sent), **headers},
        )


def wait_for_answer(request: Request, send: Callable[[timedelta], Any]) -> tuple[bool, dict[str, str]]:
    """Call `send` with the time that the request may wait; whether it was answered in it, and the headers to tell."""
    asked = preferred_wait(request)
    wait = UPDATE_WAIT if asked is None else asked
    with turn_to_wait(wait) as left:
        try:
            send(left or timedelta())
            answered = True
        except UpdatePending:
            answered = False
    return answered, applied(wait) if asked is not None and left is not None else {}
