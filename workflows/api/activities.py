"""Steps that somebody outside ends: their token is the authority, and it is told to nobody, no log either."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import operations
from workflows.api.reading import Declared, Flag, Text, read_body
from workflows.api.serializers import Reason
from workflows.api.views import ApiView
from workflows.core.errors import RemoteError

_LONGEST_ERROR = 10_000


@extend_schema_serializer(
    examples=[OpenApiExample("Done", {"result": {"<field>": "<value>"}, "reason": "file received"}, request_only=True)]
)
class CompleteBody(Declared):
    """The step's result, as its activity would have returned it."""

    result = serializers.JSONField(required=False, allow_null=True, default=None)
    reason = Reason(required=False, allow_blank=True, default="")


@extend_schema_serializer(
    examples=[
        OpenApiExample("Once more", {"error": "the printer is out of paper"}, request_only=True),
        OpenApiExample(
            "For good", {"error": "no such customer", "code": "unknown_customer", "retryable": False}, request_only=True
        ),
    ]
)
class FailBody(Declared):
    """Why the attempt failed; it is tried again as its policy says, unless `retryable` is false."""

    error = Text(max_length=_LONGEST_ERROR)
    code = serializers.RegexField(
        r"^[a-z][a-z0-9_]{0,99}$", default="step_failed", help_text="Stable: workflows decide by it."
    )
    retryable = Flag(default=True)
    reason = Reason(required=False, allow_blank=True, default="")


@extend_schema_serializer(examples=[OpenApiExample("How far it is", {"details": {"page": 7}}, request_only=True)])
class HeartbeatBody(Declared):
    """How far it is; the next attempt finds the details."""

    details = serializers.JSONField(required=False, allow_null=True, default=None)


class ReceivedSerializer(serializers.Serializer[Any]):
    """What was taken down. What becomes of the run stands with the run."""

    received = serializers.ChoiceField(choices=[("complete", "complete"), ("fail", "fail"), ("heartbeat", "heartbeat")])


def _received(what: str) -> Response:
    return Response(ReceivedSerializer({"received": what}).data)


class CompleteActivity(ApiView):
    """The step of a token is done."""

    @extend_schema(
        operation_id="activities_complete",
        summary="End a step with its result",
        request=CompleteBody,
        responses=ReceivedSerializer,
    )
    def post(self, request: Request, token: str) -> Response:
        """The step gets this result. One of the wrong type is refused, and the token stays open."""
        body = read_body(request, CompleteBody)
        operations.complete_step(token, result=body["result"], actor=request.user, reason=body["reason"])
        return _received("complete")


class FailActivity(ApiView):
    """The attempt of a token has failed."""

    @extend_schema(
        operation_id="activities_fail",
        summary="End an attempt with an error",
        request=FailBody,
        responses=ReceivedSerializer,
    )
    def post(self, request: Request, token: str) -> Response:
        """The attempt failed; the step is tried again as its policy says."""
        body = read_body(request, FailBody)
        error = RemoteError(body["error"], type="StepFailed", code=body["code"])
        operations.fail_step(token, error=error, retryable=body["retryable"], actor=request.user, reason=body["reason"])
        return _received("fail")


class HeartbeatActivity(ApiView):
    """The work behind a token goes on."""

    @extend_schema(
        operation_id="activities_heartbeat",
        summary="Say that the work goes on",
        request=HeartbeatBody,
        responses=ReceivedSerializer,
    )
    def post(self, request: Request, token: str) -> Response:
        """The attempt lives; its details are found by the next one."""
        operations.heartbeat_step(token, details=read_body(request, HeartbeatBody)["details"])
        return _received("heartbeat")
