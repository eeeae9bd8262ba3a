"""The wallet's values as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from wallet.contracts import (
    AccountStatus,
    Case,
    CaseKind,
    CaseStatus,
    Customer,
    Destination,
    DestinationStatus,
    Event,
    EventKind,
    Progress,
    Resolution,
    WalletAccount,
    Withdrawal,
    WithdrawalStatus,
)
from wallet.rules.progress import progress_of
from workflows import clock
from workflows.api.fields import MoneyField, MoneyText
from workflows.api.panel_serializers import WithRuns

ACCOUNT_STATUSES = [(item.value, item.value) for item in AccountStatus]
DESTINATION_STATUSES = [(item.value, item.value) for item in DestinationStatus]
WITHDRAWAL_STATUSES = [(item.value, item.value) for item in WithdrawalStatus]
EVENT_KINDS = [(item.value, item.value) for item in EventKind]
CASE_KINDS = [(item.value, item.value) for item in CaseKind]
CASE_STATUSES = [(item.value, item.value) for item in CaseStatus]
RESOLUTIONS = [(item.value, item.value) for item in Resolution]


class WalletCustomerSerializer(serializers.Serializer[Customer]):
    """Whose wallet it is."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.EmailField()


class WalletAccountSerializer(serializers.Serializer[WalletAccount]):
    """A wallet account; opening one starts no run, so `run_id` is null."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(default=None, allow_null=True, read_only=True)
    status = serializers.ChoiceField(choices=ACCOUNT_STATUSES)
    customer = WalletCustomerSerializer()
    currency = serializers.CharField()
    opened_at = serializers.DateTimeField()


class WalletBalanceSerializer(serializers.Serializer[Any]):
    """A ledger account of a wallet account."""

    id = serializers.UUIDField()
    owner = serializers.CharField()
    kind = serializers.CharField()
    currency = serializers.CharField()
    balance = MoneyText()
    held = MoneyText()
    available = MoneyText()


class WalletAccountOverviewSerializer(WalletAccountSerializer, WithRuns):
    """A wallet account with its balances and runs."""

    record_kind = "wallet.walletaccount"

    ledger_accounts = WalletBalanceSerializer(many=True)


class DestinationSerializer(serializers.Serializer[Destination]):
    """An entry of an account's allow-list; adding one starts no run, so `run_id` is null."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(default=None, allow_null=True, read_only=True)
    status = serializers.ChoiceField(choices=DESTINATION_STATUSES)
    account = serializers.UUIDField(source="account_id")
    label = serializers.CharField()  # type: ignore[assignment]  # the field's name shadows the base's attribute
    beneficiary = serializers.CharField()
    address = serializers.CharField()
    usable_from = serializers.DateTimeField(help_text="It takes money from then on.")
    added_at = serializers.DateTimeField()


class WithdrawalProgressSerializer(serializers.Serializer[Progress]):
    """A withdrawal in its customer's words."""

    headline = serializers.CharField()
    happened = serializers.CharField()
    next = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class WithdrawalSerializer(serializers.Serializer[Withdrawal]):
    """A withdrawal as it stands; its run is at `runs/{run_id}/`."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=WITHDRAWAL_STATUSES)
    reason = serializers.CharField(allow_null=True, help_text="Why it ended otherwise than completed.")
    account = serializers.UUIDField(source="account_id")
    destination = serializers.UUIDField(source="destination.id")
    amount = MoneyField()
    requested_at = serializers.DateTimeField()
    deadline = serializers.DateTimeField(allow_null=True, help_text="Until when it can be confirmed.")
    confirmed_at = serializers.DateTimeField(allow_null=True)
    processed_at = serializers.DateTimeField(allow_null=True)
    settles_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.SerializerMethodField()

    @extend_schema_field(WithdrawalProgressSerializer)
    def get_progress(self, withdrawal: Withdrawal) -> Any:
        return WithdrawalProgressSerializer(progress_of(withdrawal, now=clock.now())).data


class WalletEventSerializer(serializers.Serializer[Event]):
    """What happened to a withdrawal, and who did it."""

    kind = serializers.ChoiceField(choices=EVENT_KINDS)
    actor = serializers.CharField()
    detail = serializers.CharField()
    at = serializers.DateTimeField()


class WithdrawalDetailSerializer(WithdrawalSerializer, WithRuns):
    """A withdrawal with everything that happened to it, and its runs."""

    record_kind = "wallet.withdrawal"

    events = serializers.SerializerMethodField()

    @extend_schema_field(WalletEventSerializer(many=True))
    def get_events(self, withdrawal: Withdrawal) -> Any:
        return WalletEventSerializer(self.context["events"], many=True).data


class WithdrawalCaseSerializer(serializers.Serializer[Case]):
    """Something about a withdrawal that an officer decides; it has no run of its own, so `run_id` is null."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(default=None, allow_null=True, read_only=True)
    status = serializers.ChoiceField(choices=CASE_STATUSES)
    withdrawal = serializers.UUIDField(source="withdrawal_id")
    kind = serializers.ChoiceField(choices=CASE_KINDS)
    details = serializers.CharField()
    opened_at = serializers.DateTimeField()
    resolution = serializers.ChoiceField(choices=RESOLUTIONS, allow_null=True)
    resolution_reason = serializers.CharField()
    resolved_by = serializers.CharField()
    resolved_at = serializers.DateTimeField(allow_null=True)
