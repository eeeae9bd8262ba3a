"""Disbursements of loans, the schedules they bring, and receivables where the money was spent before its recall."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from lending import contracts
from lending.contracts import LIVE_OR_COMPLETED, CaseStatus, DisbursementStatus
from lending.models.application import ACTOR_LENGTH
from lending.models.loan import Loan

_STATUSES = [(status.value, status.value) for status in DisbursementStatus]


class Disbursement(models.Model):
    """The payout of a loan: pending until it is completed or voided."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="disbursements")
    #: The step that created it, and the ledger's key of the hold it is paid from.
    key = models.CharField(max_length=255, unique=True)
    hold_key = models.CharField(max_length=255)
    currency = currency_code()
    amount_minor = minor_units()
    status = models.CharField(max_length=10, choices=_STATUSES, default=DisbursementStatus.PENDING.value)
    run_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    amount = MoneyOf("amount_minor")

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["loan"],
                condition=Q(status__in=[status.value for status in LIVE_OR_COMPLETED]),
                name="lending_disbursement_one_live",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="lending_disbursement_amount"),
            models.CheckConstraint(
                condition=Q(status=DisbursementStatus.PENDING.value, closed_at__isnull=True)
                | Q(
                    status__in=[DisbursementStatus.COMPLETED.value, DisbursementStatus.VOIDED.value],
                    closed_at__isnull=False,
                ),
                name="lending_disbursement_status",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="lending_disbursement_newest"),
            models.Index(fields=["run_id"], name="lending_disbursement_of_run"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} ({self.status})"

    def as_contract(self) -> contracts.Disbursement:
        return contracts.Disbursement(
            id=self.id,
            loan_id=self.loan_id,
            amount=self.amount,
            status=DisbursementStatus(self.status),
            run_id=self.run_id,
            created_at=self.created_at,
            closed_at=self.closed_at,
        )


class ScheduleEntry(models.Model):
    """One instalment of the schedule that a disbursement made binding."""

    disbursement = models.ForeignKey(Disbursement, on_delete=models.PROTECT, related_name="schedule")
    number = models.PositiveIntegerField()
    due_on = models.DateField()
    currency = currency_code()
    instalment_minor = minor_units()
    interest_minor = minor_units()
    principal_minor = minor_units()
    balance_minor = minor_units()

    instalment = MoneyOf("instalment_minor")
    interest = MoneyOf("interest_minor")
    principal = MoneyOf("principal_minor")
    balance = MoneyOf("balance_minor")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["disbursement", "number"], name="lending_schedule_number"),
            models.CheckConstraint(
                condition=Q(instalment_minor=models.F("interest_minor") + models.F("principal_minor")),
                name="lending_schedule_sums",
            ),
            models.CheckConstraint(
                condition=Q(interest_minor__gte=0, principal_minor__gte=0, balance_minor__gte=0),
                name="lending_schedule_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.instalment} on {self.due_on}"

    def as_contract(self) -> contracts.ScheduleEntry:
        return contracts.ScheduleEntry(
            number=self.number,
            due_on=self.due_on,
            instalment=self.instalment,
            interest=self.interest,
            principal=self.principal,
            balance=self.balance,
        )


class ReceivableCase(models.Model):
    """What a borrower owes because a payout was called back after its money was spent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    disbursement = models.OneToOneField(Disbursement, on_delete=models.PROTECT, related_name="case")
    currency = currency_code()
    amount_minor = minor_units()
    recovered_minor = minor_units()
    status = models.CharField(
        max_length=10, choices=[(status.value, status.value) for status in CaseStatus], default=CaseStatus.OPEN.value
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=ACTOR_LENGTH, blank=True, default="")
    reason = models.TextField(blank=True, default="")

    amount = MoneyOf("amount_minor")
    recovered = MoneyOf("recovered_minor")

    class Meta:
        default_permissions = ("change", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, recovered_minor__gte=0), name="lending_receivable_amounts"
            ),
            models.CheckConstraint(
                condition=Q(status=CaseStatus.OPEN.value, closed_at__isnull=True)
                | (Q(status=CaseStatus.CLOSED.value, closed_at__isnull=False) & ~Q(closed_by="") & ~Q(reason="")),
                name="lending_receivable_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} ({self.status})"

    def as_contract(self) -> contracts.ReceivableCase:
        return contracts.ReceivableCase(
            id=self.id,
            loan_id=self.disbursement.loan_id,
            amount=self.amount,
            recovered=self.recovered,
            status=CaseStatus(self.status),
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            closed_by=self.closed_by,
            reason=self.reason,
        )
