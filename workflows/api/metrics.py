"""Figures of what runs did, over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import queries
from workflows.api.runs import VIEW
from workflows.api.views import ApiView
from workflows.queries import TypeMetrics

_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class DurationsSerializer(serializers.Serializer[Any]):
    """How long the latest completed runs took, in seconds from their start."""

    latest = serializers.ListField(child=serializers.FloatField(), help_text="At most 1,000, newest last.")
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)


class TypeMetricsSerializer(serializers.Serializer[TypeMetrics]):
    """Figures of one workflow."""

    workflow = serializers.CharField()
    started = serializers.IntegerField()
    active = serializers.IntegerField(help_text="Runs that are not closed, held ones too.")
    completed = serializers.IntegerField()
    closed = serializers.DictField(
        child=serializers.IntegerField(), source="figures.closed", help_text="By the state in which runs closed."
    )
    attempts = serializers.IntegerField(source="figures.attempts", help_text="Attempts that closed runs made.")
    taken_over = serializers.IntegerField(
        source="figures.taken_over", help_text="Times that a run was taken over from a process that fell silent."
    )
    durations = serializers.SerializerMethodField()

    @extend_schema_field(DurationsSerializer)
    def get_durations(self, metrics: TypeMetrics) -> Any:
        told = {name: metrics.quantile(share) for name, share in _SHARES.items()}
        return {"latest": list(metrics.figures.durations), **told}


class RunErrorSerializer(serializers.Serializer[Any]):
    """The error with which a run closed."""

    at = serializers.DateTimeField()
    workflow = serializers.CharField()
    run_id = serializers.UUIDField()
    type = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class FailedAttemptsSerializer(serializers.Serializer[Any]):
    """Failed attempts of one activity; `lost` and `timed_out` ones nobody knows the end of."""

    activity = serializers.CharField()
    how = serializers.ChoiceField(choices=[(how, how) for how in ("failed", "timed_out", "lost")])
    number = serializers.IntegerField()


class MetricsSerializer(serializers.Serializer[Any]):
    """Figures of all runs."""

    at = serializers.DateTimeField()
    is_counted = serializers.BooleanField(
        help_text="False while Redis is away: then the figures tell how the runs stand now, not all that happened."
    )
    workflows = TypeMetricsSerializer(many=True)
    failed_attempts = FailedAttemptsSerializer(many=True)
    errors = RunErrorSerializer(  # type: ignore[assignment]  # the field's name shadows the base's property
        many=True, help_text="At most 1,000, newest first."
    )


class Metrics(ApiView):
    """Figures of what runs did."""

    required = VIEW

    @extend_schema(operation_id="metrics", summary="Figures of runs", responses=MetricsSerializer)
    def get(self, request: Request) -> Response:
        """Started, active, completed and closed runs by workflow, how long they took, and their last errors."""
        found = queries.read_metrics()
        told = {
            "at": found.at,
            "is_counted": found.is_counted,
            "workflows": found.types,
            "failed_attempts": [
                {"activity": activity, "how": how, "number": number}
                for (activity, how), number in sorted(found.failed_attempts.items())
            ],
            "errors": found.errors[::-1],
        }
        return Response(MetricsSerializer(told).data)
