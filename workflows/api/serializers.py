"""The engine's values as JSON. Sensitive fields come masked from the queries; nothing here decides anything."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from workflows.api.reading import Declared, Flag, Moment, PageQuery, Text
from workflows.contracts import (
    AttemptView,
    EvidenceView,
    HistoryEntry,
    MessageType,
    PlanItemView,
    StepView,
    TimerView,
    WorkerView,
    WorkflowRun,
    WorkflowType,
)
from workflows.core.errors import InvalidInput
from workflows.core.status import HoldReason, RunStatus, StepKind, StepStatus
from workflows.operations.authority import MAX_REASON
from workflows.queries.runs import filter_runs

RUN_STATUSES = [(item.value, item.value) for item in RunStatus]
HOLD_REASONS = [(item.value, item.value) for item in HoldReason]
STEP_STATUSES = [(item.value, item.value) for item in StepStatus]
STEP_KINDS = [(item.value, item.value) for item in StepKind]
TIMER_KINDS = [(kind, kind) for kind in ("timer", "wait", "retry")]
OUTCOMES = [("happened", "happened"), ("not_done", "not_done")]
REQUESTS = [("cancel", "cancel"), ("pause", "pause")]


#: Begins the parameters that filter runs by their attributes, and how such a parameter is written.
ATTRIBUTE = "attr."
_ATTRIBUTE_NAME = re.compile(r"attr\.[^\W\d]((?!__)\w)*(__(lt|lte|gt|gte))?")


def plain(value: Any) -> Any:
    """An attribute as JSON: what JSON has no exact type for is a text."""
    return (
        value if isinstance(value, bool | int | str) else value.isoformat() if isinstance(value, date) else str(value)
    )


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
    parent_id = serializers.UUIDField(allow_null=True, help_text="The run whose child it is.")
    parent_seq = serializers.IntegerField(allow_null=True, help_text="The step of the parent that started it.")
    chain_id = serializers.UUIDField(help_text="First run of its chain: its own id unless it continues another run.")
    link = serializers.IntegerField(help_text="Its place in the chain, from 1.")
    continued_by = serializers.UUIDField(allow_null=True, help_text="The run that goes on where it continued as new.")
    attributes = serializers.SerializerMethodField(
        help_text="Its search attributes, as JSON: numbers that are not whole, ids, dates and times as texts."
    )
    url = serializers.SerializerMethodField(help_text="Where its state is read.")

    @extend_schema_field(
        {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}, "readOnly": True}
    )
    def get_attributes(self, run: WorkflowRun) -> dict[str, Any]:
        return {name: plain(value) for name, value in run.attributes.items()}

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


class MessageTypeSerializer(serializers.Serializer[MessageType]):
    """A signal, query or update that a workflow takes."""

    name = serializers.CharField()
    summary = serializers.CharField()
    input_schema = serializers.DictField(help_text="JSON Schema of its arguments as one object.")
    result_schema = serializers.DictField(
        allow_null=True, help_text="JSON Schema of its answer; null for a signal, which has none."
    )


def _message_types(workflow: WorkflowType, kind: str) -> list[Any]:
    return [MessageTypeSerializer(message).data for message in workflow.of_kind(kind)]


class WorkflowTypeSerializer(serializers.Serializer[WorkflowType]):
    """A registered workflow."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    summary = serializers.CharField()
    on_failure = serializers.CharField()
    input_schema = serializers.DictField(help_text="JSON Schema of the input object.")
    signals = serializers.SerializerMethodField()
    queries = serializers.SerializerMethodField()
    updates = serializers.SerializerMethodField()

    @extend_schema_field(MessageTypeSerializer(many=True))
    def get_signals(self, workflow: WorkflowType) -> list[Any]:
        return _message_types(workflow, "signal")

    @extend_schema_field(MessageTypeSerializer(many=True))
    def get_queries(self, workflow: WorkflowType) -> list[Any]:
        return _message_types(workflow, "query")

    @extend_schema_field(MessageTypeSerializer(many=True))
    def get_updates(self, workflow: WorkflowType) -> list[Any]:
        return _message_types(workflow, "update")


class AttemptSerializer(serializers.Serializer[AttemptView]):
    """One try of a step."""

    number = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    error = ErrorSerializer(allow_null=True)


class WorkerSerializer(serializers.Serializer[WorkerView]):
    """The process that runs an attempt."""

    host = serializers.CharField()
    pid = serializers.IntegerField()
    is_alive = serializers.BooleanField()


class EvidenceSerializer(serializers.Serializer[EvidenceView]):
    """An outcome that came after its attempt was given up."""

    at = serializers.DateTimeField()
    result = serializers.JSONField()
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
    due_at = serializers.DateTimeField(allow_null=True, help_text="Of a timer, a wait, or the next attempt.")
    queue = serializers.CharField(allow_null=True, help_text="Whose workers run it (empty: any); null where it runs.")
    batch = serializers.IntegerField(allow_null=True, help_text="First step of the gather that it belongs to.")
    worker = WorkerSerializer(allow_null=True, help_text="Who runs the present attempt.")
    awaits_token = serializers.BooleanField(help_text="The present attempt is ended from outside.")
    deadline_at = serializers.DateTimeField(allow_null=True, help_text="When the present attempt is overdue.")
    beat_by = serializers.DateTimeField(allow_null=True, help_text="When its heartbeat is overdue.")
    start_by = serializers.DateTimeField(allow_null=True, help_text="Until when a worker must have begun it.")
    heartbeat = serializers.JSONField(help_text="Details of the last heartbeat.")
    in_doubt = serializers.BooleanField(help_text="Nobody knows what its last attempt did.")
    evidence = EvidenceSerializer(allow_null=True)
    child_id = serializers.UUIDField(allow_null=True, help_text="The run that a child step started.")


class TimerSerializer(serializers.Serializer[TimerView]):
    """A due time that a run waits for."""

    run_id = serializers.UUIDField()
    workflow = serializers.CharField()
    key = serializers.CharField(allow_null=True)
    run_status = serializers.ChoiceField(choices=RUN_STATUSES)
    hold_reason = serializers.ChoiceField(choices=HOLD_REASONS, allow_null=True)
    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(
        choices=TIMER_KINDS, help_text="A sleep, the end of a wait, or the next attempt of a step."
    )
    name = serializers.CharField()
    attempts = serializers.IntegerField()
    arguments = serializers.DictField()
    scheduled_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    is_overdue = serializers.BooleanField()
    is_movable = serializers.BooleanField()
    run_url = serializers.SerializerMethodField(help_text="Where the run's state is read.")

    def get_run_url(self, timer: TimerView) -> str:
        return address_of(self.context["request"], timer.run_id)


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


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "It happened",
            {"outcome": "happened", "result": {"<field>": "<value>"}, "reason": "the bank's statement shows it"},
            request_only=True,
        ),
        OpenApiExample(
            "It did not", {"outcome": "not_done", "reason": "the bank knows no such key"}, request_only=True
        ),
    ]
)
class ResolveBody(ActBody):
    """What a step in doubt did; `result` is what it would have given."""

    outcome = serializers.ChoiceField(choices=OUTCOMES)
    result = serializers.JSONField(required=False, allow_null=True, default=None)


@extend_schema_serializer(
    examples=[
        OpenApiExample("Later", {"due_at": "2026-11-25T08:00:00Z", "reason": "the rail opens late"}, request_only=True)
    ]
)
class MoveBody(ActBody):
    """Another due time; one in the past is over at once."""

    due_at = Moment()


class TimerQuery(PageQuery):
    """Filters of the list of timers."""

    kind = serializers.ChoiceField(choices=TIMER_KINDS, required=False)
    workflow = Text(required=False)
    run = serializers.UUIDField(required=False)
    overdue = serializers.ChoiceField(
        choices=[("true", "true"), ("false", "false")], required=False, help_text="Whether its time is over."
    )
    due_before = serializers.DateTimeField(required=False, help_text="Not included.")


class RunQuery(PageQuery):
    """Filters of the list of runs; `text` is a run's id, its key, or the whole name, id or reference of a record."""

    workflow = Text(required=False)
    status = serializers.MultipleChoiceField(choices=RUN_STATUSES, required=False)
    hold_reason = serializers.ChoiceField(choices=HOLD_REASONS, required=False)
    key = Text(required=False, trim_whitespace=False)
    text = Text(required=False)
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False, help_text="Not included.")
    parent = serializers.UUIDField(  # type: ignore[assignment]  # the field's name shadows the base's property
        required=False, help_text="The run whose children are asked for."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Beside the fields it takes `attr.<name>`, whose values are `attribute_texts`."""
        asked = {name: text for name, text in data.items() if name.startswith(ATTRIBUTE)}
        texts, refused = {}, {}
        for name, text in asked.items():
            try:
                texts[name.removeprefix(ATTRIBUTE)] = _attribute_text(name, text)
            except serializers.ValidationError as error:
                refused[name] = error.detail
        if refused:
            raise serializers.ValidationError(refused)
        values = super().to_internal_value({name: text for name, text in data.items() if name not in asked})
        return {**values, "attribute_texts": texts} if texts else values


def _attribute_text(name: str, text: str) -> str:
    """The text that an attribute is compared with; raises ValidationError."""
    if _ATTRIBUTE_NAME.fullmatch(name) is None:
        said = "An attribute is asked for as attr.<name>, or with __lt, __lte, __gt or __gte behind the name."
        raise serializers.ValidationError(said, code="unknown_field")
    value: str = Text(trim_whitespace=False).run_validation(text)
    try:
        filter_runs(attribute_texts={name.removeprefix(ATTRIBUTE): value})
    except InvalidInput as refusal:
        raise serializers.ValidationError(str(refusal), code="invalid") from None
    return value
