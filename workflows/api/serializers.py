"""The engine's values as JSON. Sensitive fields come masked from the queries; nothing here decides anything."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from workflows.api.reading import Declared, Flag, PageQuery, Text, Whole
from workflows.contracts import AttemptView, HistoryEntry, PlanItemView, StepView, WorkflowRun, WorkflowType
from workflows.core.status import HoldReason, RunStatus, StepKind, StepStatus
from workflows.operations.authority import MAX_REASON

RUN_STATUSES = [(item.value, item.value) for item in RunStatus]
HOLD_REASONS = [(item.value, item.value) for item in HoldReason]
STEP_STATUSES = [(item.value, item.value) for item in StepStatus]
STEP_KINDS = [(item.value, item.value) for item in StepKind]
REQUESTS = [("cancel", "cancel"), ("pause", "pause")]


def address_of(request: Request, run_id: UUID) -> str:
    """Where the run's state is read."""
    return request.build_absolute_uri(reverse("api-run", kwargs={"run_id": run_id}))


class ErrorSerializer(serializers.Serializer[Any]):
    """Why something failed; `cause` is an error of the same form."""

    type = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    cause = serializers.JSONField()


class RunSerializer(serializers.Serializer[WorkflowRun]):
    """A run as it stands."""

    id = serializers.UUIDField()
    workflow = serializers.CharField()
    version = serializers.IntegerField()
    key = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=RUN_STATUSES)
    hold_reason = serializers.ChoiceField(choices=HOLD_REASONS, allow_null=True)
    requested = serializers.ChoiceField(
        choices=REQUESTS, allow_null=True, help_text="An act that waits for the run's driver."
    )
    input = serializers.DictField()
    result = serializers.JSONField(source="result_json")
    error = ErrorSerializer(allow_null=True)
    actor = serializers.CharField()
    attempt = serializers.IntegerField()
    rerun_of = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    wake_at = serializers.DateTimeField(allow_null=True, help_text="When it goes on by itself.")
    url = serializers.SerializerMethodField(help_text="Where its state is read.")

    def get_url(self, run: WorkflowRun) -> str:
        return address_of(self.context["request"], run.id)


class DomainRunSerializer(serializers.Serializer[WorkflowRun]):
    """A run that a domain's own door started; `id` and `run_id` are the same."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(source="id")
    status = serializers.ChoiceField(choices=RUN_STATUSES)
    result = serializers.JSONField(source="result_json")
    error = ErrorSerializer(allow_null=True)
    url = serializers.SerializerMethodField(help_text="Where the run's state is read.")

    def get_url(self, run: WorkflowRun) -> str:
        return address_of(self.context["request"], run.id)


class WorkflowTypeSerializer(serializers.Serializer[WorkflowType]):
    """A registered workflow."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    summary = serializers.CharField()
    on_failure = serializers.CharField()
    input_schema = serializers.DictField(help_text="JSON Schema of the input object.")


class AttemptSerializer(serializers.Serializer[AttemptView]):
    """One try of a step."""

    number = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    error = ErrorSerializer(allow_null=True)


class StepSerializer(serializers.Serializer[StepView]):
    """One step of a run; `attempts` counts its tries."""

    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=STEP_KINDS)
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=STEP_STATUSES)
    attempts = serializers.IntegerField()
    tries = AttemptSerializer(many=True)
    key = serializers.CharField(help_text="Its idempotency key.")
    arguments = serializers.DictField()
    result = serializers.JSONField()
    error = ErrorSerializer(allow_null=True)
    undoes = serializers.IntegerField(allow_null=True)
    scheduled_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)


class HistoryEntrySerializer(serializers.Serializer[HistoryEntry]):
    """One event of a run's history."""

    position = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    data = serializers.JSONField()  # type: ignore[assignment]  # the field's name shadows the base's property


class AmountSerializer(serializers.Serializer[Any]):
    """An amount of money."""

    amount = serializers.CharField()
    currency = serializers.CharField()


class PlanItemSerializer(serializers.Serializer[PlanItemView]):
    """One undo, in the order they run."""

    seq = serializers.IntegerField()
    activity = serializers.CharField()
    arguments = serializers.DictField()
    undoes = serializers.IntegerField(allow_null=True)
    undone_activity = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    amounts = AmountSerializer(many=True)


@extend_schema_field({"type": "string", "maxLength": MAX_REASON, "description": "It is recorded with the act."})
class Reason(Text):
    """Why; the operation judges it."""


@extend_schema_field(
    {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_REASON,
        "pattern": r"\S",
        "description": "It is recorded with the act.",
    }
)
class RequiredReason(Text):
    """Why; the operation judges it, so that a missing one is refused by its own code."""


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


@extend_schema_serializer(examples=[OpenApiExample("With its reason", {"reason": "wrong account"}, request_only=True)])
class ActBody(Declared):
    """An act on a run, with its reason."""

    told_required = ("reason",)

    reason = RequiredReason(required=False, allow_blank=True, default="")


@extend_schema_serializer(
    examples=[
        OpenApiExample("Once more", {"reason": "the bank is back"}, request_only=True),
        OpenApiExample(
            "With edited input", {"reason": "mistyped", "input": {"<argument>": "<value>"}}, request_only=True
        ),
    ]
)
class RetryBody(ActBody):
    """A retry; `input` merges over the failed step's arguments."""

    input = serializers.DictField(required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample("The plan only", {"reason": "wrong account", "dry_run": True}, request_only=True),
        OpenApiExample("The plan runs", {"reason": "wrong account"}, request_only=True),
    ]
)
class CompensateBody(ActBody):
    """A compensation; `dry_run` gives the plan and changes nothing."""

    dry_run = Flag(default=False)


class RunQuery(PageQuery):
    """Filters of the list of runs; `text` is a run's id or its key."""

    workflow = Text(required=False)
    status = serializers.MultipleChoiceField(choices=RUN_STATUSES, required=False)
    hold_reason = serializers.ChoiceField(choices=HOLD_REASONS, required=False)
    key = Text(required=False, trim_whitespace=False)
    text = Text(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False, help_text="Not included.")
