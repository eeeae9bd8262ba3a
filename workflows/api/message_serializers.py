"""What is said to runs and what they answer, as JSON: starts, signals, queries, updates, and updates as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from workflows.api.reading import Declared, Text, Whole
from workflows.api.serializers import ErrorSerializer, Reason, RunSerializer, address_of
from workflows.contracts import SentMessage

UPDATE_STATES = [(state, state) for state in ("waiting", "running", "completed", "failed", "rejected")]
_GIVEN = "The message's arguments: an object by name, or a list in order. Its JSON Schema stands in `workflows/`."
_ARGUMENTS = {"input": {"<argument>": "<value>"}, "reason": "called in"}


@extend_schema_field({"oneOf": [{"type": "object", "additionalProperties": {}}, {"type": "array", "items": {}}]})
class MessageInput(serializers.JSONField):
    """Arguments by name or in order; the message's own types judge them."""

    default_error_messages = {"shape": "An object of arguments by name, or a list of them in order."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping | list):
            self.fail("shape")
        return data


class MessageBody(Declared):
    """What every message takes."""

    input = MessageInput(default=dict, help_text=_GIVEN)


@extend_schema_serializer(
    examples=[OpenApiExample("With arguments", {"input": {"<argument>": "<value>"}}, request_only=True)]
)
class QueryBody(MessageBody):
    """A question."""


@extend_schema_serializer(examples=[OpenApiExample("Once", {**_ARGUMENTS, "key": "mail-4711"}, request_only=True)])
class SignalBody(MessageBody):
    """A signal; a `key` that signalled this run before does nothing."""

    key = Text(required=False, allow_null=True, max_length=255, trim_whitespace=False, help_text="Once for this run.")
    reason = Reason(required=False, allow_blank=True, default="")


@extend_schema_serializer(examples=[OpenApiExample("Once", {**_ARGUMENTS, "id": "decision-4711"}, request_only=True)])
class UpdateBody(MessageBody):
    """An update; a known `id` gives its stored answer, whatever else was sent."""

    id = Text(required=False, allow_null=True, max_length=255, trim_whitespace=False, help_text="Once for this run.")
    reason = Reason(required=False, allow_blank=True, default="")


class SignalOfStart(MessageBody):
    """A signal that a start brings along."""

    name = Text(max_length=200)
    key = Text(required=False, allow_null=True, max_length=255, trim_whitespace=False)


class UpdateOfStart(MessageBody):
    """An update that a start brings along."""

    name = Text(max_length=200)
    id = Text(required=False, allow_null=True, max_length=255, trim_whitespace=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A start",
            {"workflow": "<a name from workflows/>", "input": {"<parameter>": "<value>"}, "reason": "month end"},
            request_only=True,
        )
    ]
)
class StartBody(Declared):
    """A start: `input` is an object of the workflow's parameters by name."""

    workflow = Text(max_length=200)
    input = serializers.DictField(default=dict)
    key = Text(required=False, allow_null=True, max_length=255, trim_whitespace=False, help_text="Unique for ever.")
    version = Whole(required=False, min_value=1, max_value=2**31 - 1)
    delay = Whole(required=False, min_value=0, max_value=315_360_000, help_text="Seconds.")
    reason = Reason(required=False, allow_blank=True, default="")
    signal = SignalOfStart(required=False, allow_null=True, help_text="Sent to the run, which is started or found.")
    update = UpdateOfStart(  # type: ignore[assignment]  # the field's name shadows the base's method
        required=False, allow_null=True, help_text="Sent likewise, and its answer waited for."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("signal") is not None and attrs.get("update") is not None:
            raise serializers.ValidationError("A start brings a signal or an update along, not both.", code="both")
        return attrs


class UpdateQuery(Declared):
    """Which update is meant."""

    id = Text(max_length=255, trim_whitespace=False, help_text="The update's id.")


class AnswerSerializer(serializers.Serializer[Any]):
    """What a query answered."""

    result = serializers.JSONField()


def address_of_update(request: Request, sent: SentMessage) -> str:
    """Where an update is read."""
    path = reverse("api-run-update", kwargs={"run_id": sent.run_id, "name": sent.name})
    return request.build_absolute_uri(f"{path}?{urlencode({'id': sent.key or ''})}")


class UpdateSerializer(serializers.Serializer[SentMessage]):
    """An update as it stands: `waiting` and `running` have no answer yet."""

    id = serializers.CharField(source="key")
    name = serializers.CharField()
    run_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=UPDATE_STATES)
    input = serializers.DictField(source="arguments")
    result = serializers.JSONField()
    error = ErrorSerializer(allow_null=True)
    actor = serializers.CharField()
    arrived_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    url = serializers.SerializerMethodField(help_text="Where it is read.")
    run_url = serializers.SerializerMethodField(help_text="Where the run's state is read.")

    def get_url(self, sent: SentMessage) -> str:
        return address_of_update(self.context["request"], sent)

    def get_run_url(self, sent: SentMessage) -> str:
        return address_of(self.context["request"], sent.run_id)


class StartedRunSerializer(RunSerializer):
    """A run that was started or found, with the update that the start brought along."""

    update = UpdateSerializer(required=False, help_text="Only of a start with an update.")  # type: ignore[assignment]
