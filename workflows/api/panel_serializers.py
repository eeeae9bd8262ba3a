"""Panels as JSON: records of domains, their runs, money of runs, queues."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from workflows import queries
from workflows.api.fields import MoneyField
from workflows.api.reading import Declared, Text
from workflows.api.serializers import HOLD_REASONS, RUN_STATUSES, address_of
from workflows.contracts import WorkflowRun
from workflows.panels import MoneyAccount, MoneyHold, MoneyLeg, MoneyTransfer, NetEffect, Record
from workflows.queries import MoneyPanel, QueueView, RelatedRecords, RunsOfRecord

MONEY_KINDS = [(kind, kind) for kind in ("transfer", "capture", "reversal")]
_UNREAD = "What could not be read just now; its absence says nothing."


class RelatedRunSerializer(serializers.Serializer[WorkflowRun]):
    """A run as a record names it."""

    id = serializers.UUIDField()
    workflow = serializers.CharField()
    status = serializers.ChoiceField(choices=RUN_STATUSES)
    hold_reason = serializers.ChoiceField(choices=HOLD_REASONS, allow_null=True)
    key = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    url = serializers.SerializerMethodField(help_text="Where its state is read.")

    def get_url(self, run: WorkflowRun) -> str:
        return address_of(self.context["request"], run.id)


def runs_json(found: RunsOfRecord, request: Any) -> Any:
    """A record's runs as JSON."""
    runs: Any = found.runs
    return RelatedRunSerializer(runs, many=True, context={"request": request}).data


class RecordSerializer(serializers.Serializer[Record]):
    """A record of a domain; `kind` is `<app>.<model>`."""

    kind = serializers.CharField()
    label = serializers.SerializerMethodField(method_name="label_of", help_text="The kind in words.")  # type: ignore[assignment]  # the field's name shadows the base's attribute
    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    url = serializers.SerializerMethodField(help_text="Where it is read; null where REST has no path of its own.")

    def label_of(self, record: Record) -> str:
        return queries.kind_of(record.kind).label

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_url(self, record: Record) -> str | None:
        address = queries.kind_of(record.kind).address
        if address is None:
            return None
        path = reverse(address.route, kwargs={address.parameter: record.id})
        url: str = self.context["request"].build_absolute_uri(path)
        return url


def records_json(found: RelatedRecords, request: Any) -> Any:
    """Records as JSON."""
    records: Any = found.records
    return RecordSerializer(records, many=True, context={"request": request}).data


class HitSerializer(RecordSerializer):
    """A record that was searched for, with runs that it belongs to."""

    run_ids = serializers.ListField(child=serializers.UUIDField())


class RelatedSerializer(serializers.Serializer[Any]):
    """Records of domains that belong to a run."""

    records = RecordSerializer(many=True)
    unread = serializers.ListField(child=serializers.CharField(), help_text=_UNREAD)


class HitsSerializer(serializers.Serializer[Any]):
    """What was found."""

    results = HitSerializer(many=True, source="records")
    unread = serializers.ListField(child=serializers.CharField(), help_text=_UNREAD)


class MoneyAccountSerializer(serializers.Serializer[MoneyAccount]):
    """A ledger account; `owner_title` says in words whose it is, where the caller may know."""

    id = serializers.UUIDField()
    owner = serializers.CharField()
    owner_title = serializers.SerializerMethodField()
    kind = serializers.CharField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_owner_title(self, account: MoneyAccount) -> str | None:
        owner = self.context["panel"].owners.get(account.owner)
        return None if owner is None else owner.title


class MoneyLegSerializer(serializers.Serializer[MoneyLeg]):
    """One side of a transfer; negative is taken from the account."""

    account = MoneyAccountSerializer()
    amount = MoneyField()


class MoneyTransferSerializer(serializers.Serializer[MoneyTransfer]):
    """Money that was moved."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=MONEY_KINDS)
    description = serializers.CharField()
    run_id = serializers.UUIDField(allow_null=True)
    posted_at = serializers.DateTimeField()
    legs = MoneyLegSerializer(many=True)
    reverses = serializers.UUIDField(allow_null=True, help_text="The transfer that it undoes.")
    reversed_by = serializers.UUIDField(allow_null=True, help_text="The transfer that undid it.")


class MoneyHoldSerializer(serializers.Serializer[MoneyHold]):
    """Money that was set aside."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    account = MoneyAccountSerializer()
    amount = MoneyField()
    captured = MoneyField()
    status = serializers.CharField()
    is_open = serializers.BooleanField()
    run_id = serializers.UUIDField(allow_null=True)
    placed_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class NetEffectSerializer(serializers.Serializer[NetEffect]):
    """What all transfers and open holds together changed for one account."""

    account = MoneyAccountSerializer()
    balance = MoneyField()
    held = MoneyField(help_text="What open holds keep there.")


class MoneySerializer(serializers.Serializer[Any]):
    """Money of runs, oldest first; `net` counts what is left out of the lists too."""

    transfers = MoneyTransferSerializer(many=True)
    holds = MoneyHoldSerializer(many=True)
    net = NetEffectSerializer(many=True)
    transfers_left_out = serializers.IntegerField(help_text="Older transfers that are not listed.")
    holds_left_out = serializers.IntegerField(help_text="Older holds that are not listed.")


def money_json(panel: MoneyPanel, request: Any) -> Any:
    """A panel's money as JSON; it was read."""
    return MoneySerializer(panel.money, context={"request": request, "panel": panel}).data


class RecordPanelsSerializer(RecordSerializer):
    """A record with its runs, the records related by them, and the money of them."""

    runs = RelatedRunSerializer(many=True)
    more_runs = serializers.BooleanField(help_text="There may be older runs than the newest ones listed.")
    related = RecordSerializer(many=True)
    money = MoneySerializer(allow_null=True, help_text="Null for who may not see it, and when it could not be read.")
    unread = serializers.ListField(child=serializers.CharField(), help_text=_UNREAD)


class QueueSerializer(serializers.Serializer[QueueView]):
    """Work that waits for a person."""

    name = serializers.CharField(source="queue.name")
    label = serializers.CharField(source="queue.label")  # type: ignore[assignment]  # the field's name shadows the base's attribute
    number = serializers.IntegerField(
        source="count.number", default=None, allow_null=True, help_text="Null when it could not be read."
    )
    oldest_at = serializers.DateTimeField(source="count.oldest_at", default=None, allow_null=True)
    overdue = serializers.IntegerField(source="count.overdue", default=None, allow_null=True)


class SearchQuery(Declared):
    """What is looked for: the whole id, reference or name of a record."""

    text = Text(min_length=2, max_length=200)


class WithRuns(serializers.Serializer[Any]):
    """For a domain's detail of one record: its runs, newest first. The view gives the request as context."""

    record_kind: ClassVar[str]

    runs = serializers.SerializerMethodField(
        help_text="Its newest runs; null when they could not be read, and for who may not view runs."
    )

    @extend_schema_field(RelatedRunSerializer(many=True, allow_null=True))
    def get_runs(self, record: Any) -> Any:
        request = self.context["request"]
        found = queries.list_runs_of(self.record_kind, record.id, user=request.user)
        if found.unread or not request.user.has_perm("workflows.view_run"):
            return None
        return runs_json(found, request)
