"""Offers, and the loans and schedules that come of them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from lending import contracts
from lending.contracts import LoanStatus, OfferStatus, Terms
from lending.models.application import ACTOR_LENGTH, Applicant, Application
from lending.models.values import ValueOf

_OFFER_STATUSES = [(status.value, status.value) for status in OfferStatus]
_LOAN_STATUSES = [(status.value, status.value) for status in LoanStatus]


class Offer(models.Model):
    """Terms that an applicant may accept; an application has at most one offer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="offer")
    currency = currency_code()
    principal_minor = minor_units()
    terms_json = models.TextField()
    status = models.CharField(max_length=10, choices=_OFFER_STATUSES, default=OfferStatus.OPEN.value)
    offered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    principal = MoneyOf("principal_minor")
    terms = ValueOf[Terms]("terms_json", Terms)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(principal_minor__gt=0), name="lending_offer_principal"),
            models.CheckConstraint(
                condition=Q(status=OfferStatus.ACCEPTED.value, accepted_at__isnull=False)
                | (
                    Q(status__in=[status.value for status in OfferStatus if status != OfferStatus.ACCEPTED])
                    & Q(accepted_at__isnull=True)
                ),
                name="lending_offer_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.principal} for {self.application_id} ({self.status})"

    def as_contract(self) -> contracts.Offer:
        return contracts.Offer(
            id=self.id,
            application_id=self.application_id,
            terms=self.terms,
            status=OfferStatus(self.status),
            offered_at=self.offered_at,
            expires_at=self.expires_at,
            accepted_at=self.accepted_at,
        )


class Loan(models.Model):
    """An accepted offer. Its terms are an estimate until it is active."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="loan")
    applicant = models.ForeignKey(Applicant, on_delete=models.PROTECT, related_name="loans")
    borrower = models.CharField(max_length=200)
    currency = currency_code()
    principal_minor = minor_units()
    terms_json = models.TextField()
    status = models.CharField(max_length=10, choices=_LOAN_STATUSES, default=LoanStatus.ACCEPTED.value)
    accepted_at = models.DateTimeField()
    accepted_by = models.CharField(max_length=ACTOR_LENGTH)
    disbursed_on = models.DateField(null=True)

    principal = MoneyOf("principal_minor")
    terms = ValueOf[Terms]("terms_json", Terms)

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(status=LoanStatus.ACCEPTED.value, disbursed_on__isnull=True)
                | Q(status=LoanStatus.ACTIVE.value, disbursed_on__isnull=False),
                name="lending_loan_status",
            ),
        ]
        indexes = [
            models.Index(fields=["accepted_at", "id"], name="lending_loan_newest"),
            models.Index(fields=["borrower"], name="lending_loan_borrower"),
        ]

    def __str__(self) -> str:
        return f"{self.principal} to {self.borrower} ({self.status})"

    @property
    def ledger_owner(self) -> str:
        """Under which owner the ledger keeps the borrower's money."""
        return f"borrower:{self.applicant_id}"

    def as_contract(self) -> contracts.Loan:
        return contracts.Loan(
            id=self.id,
            application_id=self.offer.application_id,
            borrower=self.borrower,
            status=LoanStatus(self.status),
            terms=self.terms,
            ledger_owner=self.ledger_owner,
            accepted_at=self.accepted_at,
            disbursed_on=self.disbursed_on,
        )
