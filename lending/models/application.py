"""Applicants, their applications, what was found about these, and how they were decided."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from lending import contracts
from lending.contracts import (
    OPEN_APPLICATIONS,
    PRODUCT,
    ApplicationStatus,
    Attributes,
    CheckKind,
    Document,
    Facts,
    ReviewCause,
    Score,
    ScoreReason,
    Verdict,
)
from lending.models.values import ValueOf

#: Longest name of who entered or decided something.
ACTOR_LENGTH = 150
_STATUSES = [(status.value, status.value) for status in ApplicationStatus]
_OPEN = [status.value for status in OPEN_APPLICATIONS]
_CENT = Decimal("0.01")


class Applicant(models.Model):
    """A person, told by a keyed hash of the SSN. Whoever decides about money for the person holds this row's lock."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: HMAC over the normalised SSN, keyed outside the database; hex.
    identity = models.CharField(max_length=64, unique=True)
    known_since = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)


class Application(models.Model):
    """An application as it stands; one run carries it. The SSN is not part of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run_id = models.UUIDField(unique=True)
    applicant = models.ForeignKey(Applicant, on_delete=models.PROTECT, related_name="applications")
    product = models.CharField(max_length=40, default=PRODUCT)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, blank=True, default="")
    currency = currency_code()
    income_minor = minor_units()
    amount_minor = minor_units()
    term_months = models.PositiveIntegerField()
    documents_json = models.TextField()
    attributes_json = models.TextField()
    status = models.CharField(max_length=12, choices=_STATUSES, default=ApplicationStatus.SUBMITTED.value)
    entered_by = models.CharField(max_length=ACTOR_LENGTH)
    submitted_at = models.DateTimeField()
    review_deadline = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    income = MoneyOf("income_minor")
    amount = MoneyOf("amount_minor")
    documents = ValueOf[tuple[Document, ...]]("documents_json", tuple[Document, ...])
    attributes = ValueOf[Attributes]("attributes_json", Attributes)

    class Meta:
        default_permissions = ("add", "view")
        permissions = [("decide_application", "Can decide a review")]
        constraints = [
            models.UniqueConstraint(
                fields=["applicant", "product"], condition=Q(status__in=_OPEN), name="lending_application_one_open"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in ApplicationStatus]),
                name="lending_application_status_known",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="lending_application_amount"),
            models.CheckConstraint(
                condition=Q(status__in=_OPEN, closed_at__isnull=True)
                | (~Q(status__in=_OPEN) & Q(closed_at__isnull=False)),
                name="lending_application_closed_at",
            ),
            models.CheckConstraint(
                condition=~Q(status=ApplicationStatus.IN_REVIEW.value) | Q(review_deadline__isnull=False),
                name="lending_application_deadline",
            ),
        ]
        indexes = [
            models.Index(fields=["submitted_at", "id"], name="lending_application_newest"),
            models.Index(fields=["name"], name="lending_application_name"),
            models.Index(
                fields=["review_deadline", "id"],
                condition=Q(status=ApplicationStatus.IN_REVIEW.value),
                name="lending_application_queue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.amount} ({self.status.replace('_', ' ')})"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_APPLICATIONS

    @property
    def facts(self) -> Facts:
        return Facts(
            applicant=self.name,
            income=self.income,
            amount=self.amount,
            term_months=self.term_months,
            documents=self.documents,
            attributes=self.attributes,
        )


class Review(Application):
    """An application that a person has to decide: the same rows, as a queue."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = "review"


class Check(models.Model):
    """What a third party found about an application; asked once of each, so also the one pull of the bureau."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="checks")
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in CheckKind])
    finding_json = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["application", "kind"], name="lending_check_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in CheckKind]), name="lending_check_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.application_id}"


class Assessment(models.Model):
    """The score of an application and what the policy made of it, once."""

    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="assessment")
    policy_version = models.CharField(max_length=60)
    #: Hundredths of a point, and millionths: SQLite would keep decimals as floats.
    score_hundredths = models.PositiveIntegerField()
    pd_millionths = models.PositiveIntegerField()
    score_json = models.TextField()
    causes_json = models.TextField()
    assessed_at = models.DateTimeField()

    score = ValueOf[Score]("score_json", Score)
    causes = ValueOf[tuple[ReviewCause, ...]]("causes_json", tuple[ReviewCause, ...])

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(score_hundredths__lte=10_000, pd_millionths__lte=1_000_000), name="lending_score_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.risk_score} for {self.application_id}"

    @property
    def risk_score(self) -> Decimal:
        return Decimal(self.score_hundredths).scaleb(-2).quantize(_CENT)


class Decision(models.Model):
    """A decision: the policy's, and where that was a review, the officer's."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=[(verdict.value, verdict.value) for verdict in Verdict])
    #: Who decided; empty for the policy.
    officer = models.CharField(max_length=ACTOR_LENGTH, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    policy_version = models.CharField(max_length=60)
    score_hundredths = models.PositiveIntegerField()
    causes_json = models.TextField()
    #: What a notice of a decline says, as it was decided then.
    reasons_json = models.TextField()
    decided_at = models.DateTimeField()

    causes = ValueOf[tuple[ReviewCause, ...]]("causes_json", tuple[ReviewCause, ...])
    reasons = ValueOf[tuple[ScoreReason, ...]]("reasons_json", tuple[ScoreReason, ...])

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(officer=""), name="lending_decision_one_by_policy"
            ),
            models.UniqueConstraint(
                fields=["application"], condition=~Q(officer=""), name="lending_decision_one_by_officer"
            ),
            models.CheckConstraint(
                condition=Q(officer="", verdict__in=[Verdict.APPROVE.value, Verdict.REVIEW.value])
                | (~Q(officer="") & ~Q(reason="") & Q(verdict__in=[Verdict.APPROVE.value, Verdict.DECLINE.value])),
                name="lending_decision_whose",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} of {self.application_id}"

    def as_contract(self) -> contracts.Decision:
        return contracts.Decision(
            verdict=Verdict(self.verdict),
            actor=self.officer or "policy",
            reason=self.reason,
            risk_score=Decimal(self.score_hundredths).scaleb(-2).quantize(_CENT),
            policy_version=self.policy_version,
            causes=self.causes,
            reasons=self.reasons,
            decided_at=self.decided_at,
        )
