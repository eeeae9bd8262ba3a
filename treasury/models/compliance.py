"""Rows of compliance: who holds an account, what moved, from how much on it is examined, and cases with findings."""

from __future__ import annotations

import json
import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from finaegis.shared.money import UnknownCurrency, scale_of
from treasury import contracts
from treasury.contracts import CaseStatus, CaseTrigger, Direction, Document, FindingKind, HolderFacts
from treasury.models.account import TreasuryAccount

_NAME_LENGTH = 200
_KEY_LENGTH = 255


def _choices(kinds: type[CaseStatus | CaseTrigger | Direction | FindingKind]) -> list[tuple[str, str]]:
    return [(item.value, item.value) for item in kinds]


class AccountHolder(models.Model):
    """What was told about an account's holder at its opening, and who opened it (empty: the system)."""

    account = models.OneToOneField(TreasuryAccount, on_delete=models.PROTECT, related_name="holder", primary_key=True)
    country = models.CharField(max_length=2, blank=True, default="")
    #: JSON: `[{"kind": ..., "reference": ...}]`.
    documents_json = models.TextField(default="[]")
    opened_by = models.CharField(max_length=_NAME_LENGTH, blank=True, default="")

    def __str__(self) -> str:
        return f"holder of {self.account_id}"

    @property
    def facts(self) -> HolderFacts:
        """What was told."""
        documents = tuple(Document.model_validate(item) for item in json.loads(self.documents_json))
        return HolderFacts(country=self.country or None, documents=documents)

    @staticmethod
    def documents_text(facts: HolderFacts) -> str:
        """The text that is stored for documents."""
        return json.dumps([item.model_dump() for item in facts.documents], ensure_ascii=False)


class Movement(models.Model):
    """Money between an account and the world outside; one ledger transfer each, and never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(TreasuryAccount, on_delete=models.PROTECT, related_name="movements")
    key = models.CharField(max_length=_KEY_LENGTH, unique=True)
    direction = models.CharField(max_length=3, choices=_choices(Direction))
    currency = currency_code()
    amount_minor = minor_units()
    #: Who is on the other side, where that is known; looked up in the sanctions lists.
    counterparty = models.CharField(max_length=_NAME_LENGTH, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    moved_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=_NAME_LENGTH, blank=True, default="")

    amount = MoneyOf("amount_minor")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="treasury_movement_amount"),
            models.CheckConstraint(
                condition=Q(direction__in=[item.value for item in Direction]), name="treasury_movement_direction"
            ),
        ]
        indexes = [models.Index(fields=["account", "moved_at"], name="treasury_movement_at")]

    def __str__(self) -> str:
        return f"{self.amount} {self.direction}, {self.account_id}"

    def as_contract(self) -> contracts.Movement:
        return contracts.Movement(
            id=self.id,
            account_id=self.account_id,
            direction=Direction(self.direction),
            amount=self.amount,
            counterparty=self.counterparty,
            country=self.country or None,
            moved_at=self.moved_at,
            recorded_by=self.recorded_by,
        )


class AmlThreshold(models.Model):
    """From how much on movements of a currency are examined; a newer row takes over from its own day."""

    currency = currency_code()
    reporting_minor = models.BigIntegerField(
        "reporting threshold",
        validators=[MinValueValidator(1)],
        help_text="Minor units; more than this is examined.",
    )
    window_days = models.PositiveSmallIntegerField(
        "window", validators=[MinValueValidator(1)], help_text="Days within which smaller movements are added up."
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text="First day on which this row no longer holds.")
    source = models.CharField(max_length=300)

    reporting = MoneyOf("reporting_minor")

    class Meta:
        verbose_name = "AML threshold"
        constraints = [
            models.UniqueConstraint(fields=["currency", "valid_from"], name="treasury_amlthreshold_from"),
            models.CheckConstraint(
                condition=Q(reporting_minor__gte=1, window_days__gte=1), name="treasury_amlthreshold_positive"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="treasury_amlthreshold_valid_to_later",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} from {self.valid_from}"

    def clean(self) -> None:
        try:
            scale_of(self.currency)
        except UnknownCurrency as error:
            raise ValidationError({"currency": str(error)}) from None

    def as_contract(self) -> contracts.AmlThreshold:
        return contracts.AmlThreshold(
            reporting=self.reporting,
            window_days=self.window_days,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            source=self.source,
        )


class ComplianceCase(models.Model):
    """What was found at an opening or about a movement: an officer clears or rejects it, once, with a reason.

    A void one keeps a late attempt from opening it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(TreasuryAccount, on_delete=models.PROTECT, related_name="cases")
    #: The idempotency key it was opened with.
    key = models.CharField(max_length=_KEY_LENGTH, unique=True)
    trigger = models.CharField(max_length=10, choices=_choices(CaseTrigger))
    movement = models.ForeignKey(Movement, on_delete=models.PROTECT, null=True, related_name="cases")
    status = models.CharField(max_length=12, choices=_choices(CaseStatus), default=CaseStatus.OPEN.value)
    opened_at = models.DateTimeField()
    deadline = models.DateTimeField()
    overdue_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=_NAME_LENGTH, blank=True, default="")
    reason = models.CharField(max_length=2000, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    run_id = models.UUIDField(null=True)

    class Meta:
        permissions = [("decide_compliancecase", "Can decide a compliance case")]
        constraints = [
            models.UniqueConstraint(fields=["movement"], name="treasury_compliancecase_movement"),
            models.CheckConstraint(
                condition=Q(status=CaseStatus.OPEN.value, closed_at__isnull=True)
                | (Q(closed_at__isnull=False) & ~Q(status=CaseStatus.OPEN.value)),
                name="treasury_compliancecase_closed",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[CaseStatus.CLEARED.value, CaseStatus.REJECTED.value])
                | (~Q(decided_by="") & ~Q(reason="")),
                name="treasury_compliancecase_decided",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "deadline"], name="treasury_compliancecase_due"),
            models.Index(fields=["opened_at", "id"], name="treasury_compliancecase_at"),
            models.Index(fields=["run_id"], name="treasury_compliancecase_run"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} of {self.account.name}"

    @property
    def involved(self) -> tuple[str, ...]:
        """Who may not decide it: whoever opened the account or recorded the movement."""
        holder = getattr(self.account, "holder", None)
        named = ["" if holder is None else holder.opened_by, "" if self.movement is None else self.movement.recorded_by]
        return tuple(sorted({name for name in named if name}))

    def as_contract(self) -> contracts.ComplianceCase:
        return contracts.ComplianceCase(
            id=self.id,
            account_id=self.account_id,
            trigger=CaseTrigger(self.trigger),
            movement_id=self.movement_id,
            findings=tuple(item.as_contract() for item in self.findings.all()),
            status=CaseStatus(self.status),
            opened_at=self.opened_at,
            deadline=self.deadline,
            overdue_at=self.overdue_at,
            involved=self.involved,
            decided_by=self.decided_by,
            reason=self.reason,
            closed_at=self.closed_at,
            run_id=self.run_id,
        )


class CaseFinding(models.Model):
    """One thing that an officer has to look at, in the order in which it was found."""

    case = models.ForeignKey(ComplianceCase, on_delete=models.PROTECT, related_name="findings")
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=24, choices=_choices(FindingKind))
    detail = models.CharField(max_length=1000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "place"], name="treasury_casefinding_place")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.case_id}"

    def as_contract(self) -> contracts.Finding:
        return contracts.Finding(kind=FindingKind(self.kind), detail=self.detail)
