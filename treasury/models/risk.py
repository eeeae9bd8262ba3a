"""What risk management records: assessments of accounts, and hedges."""

from __future__ import annotations

import uuid

from django.db import models
from pydantic import TypeAdapter

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from treasury import contracts
from treasury.contracts import HedgeStatus, RiskCause, RiskComponent, RiskInputs, RiskReason, RiskScore
from treasury.models.account import TreasuryAccount
from treasury.models.fields import RateField

_CAUSES = [(cause.value, cause.value) for cause in RiskCause]
_STATUSES = [(status.value, status.value) for status in HedgeStatus]
_COMPONENTS: TypeAdapter[tuple[RiskComponent, ...]] = TypeAdapter(tuple[RiskComponent, ...])
_INPUTS: TypeAdapter[RiskInputs] = TypeAdapter(RiskInputs)


class RiskAssessment(models.Model):
    """One assessment with its inputs, as it was made; never edited."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(TreasuryAccount, on_delete=models.PROTECT, related_name="risk_assessments")
    key = models.CharField(max_length=255, unique=True)
    cause = models.CharField(max_length=20, choices=_CAUSES)
    score = RateField()
    #: Reasons, heaviest first, with commas between.
    reasons = models.CharField(max_length=100, blank=True)
    components = models.TextField()
    inputs = models.TextField()
    run_id = models.UUIDField(null=True)
    assessed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "assessed_at"], name="treasury_risk_newest")]
        constraints = [
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=100), name="treasury_risk_score_range")
        ]

    def __str__(self) -> str:
        return f"{self.score} of {self.account_id}"

    def take(self, scored: RiskScore, inputs: RiskInputs) -> None:
        """Fill in what was found and what it was found by."""
        self.score = scored.score
        self.reasons = ",".join(scored.reasons)
        self.components = _COMPONENTS.dump_json(scored.components).decode()
        self.inputs = _INPUTS.dump_json(inputs).decode()

    def as_contract(self) -> contracts.RiskAssessment:
        return contracts.RiskAssessment(
            id=self.id,
            account_id=self.account_id,
            cause=RiskCause(self.cause),
            score=self.score,
            reasons=tuple(RiskReason(name) for name in self.reasons.split(",") if name),
            components=_COMPONENTS.validate_json(self.components),
            inputs=_INPUTS.validate_json(self.inputs),
            run_id=self.run_id,
            assessed_at=self.assessed_at,
        )


class HedgePosition(models.Model):
    """One hedge. It is only recorded: no broker is told and no margin moves, since the platform has no port for one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(TreasuryAccount, on_delete=models.PROTECT, related_name="hedges")
    key = models.CharField(max_length=255, unique=True)
    instrument = models.CharField(max_length=40)
    currency = currency_code()
    notional_minor = minor_units()
    status = models.CharField(max_length=10, choices=_STATUSES, default=HedgeStatus.OPEN.value)
    run_id = models.UUIDField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    notional = MoneyOf("notional_minor")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=HedgeStatus.VOID.value, notional_minor=0)
                | models.Q(~models.Q(status=HedgeStatus.VOID.value), notional_minor__gt=0),
                name="treasury_hedge_notional",
            ),
            models.CheckConstraint(
                condition=models.Q(status=HedgeStatus.OPEN.value, closed_at__isnull=True)
                | models.Q(status__in=[HedgeStatus.CLOSED.value, HedgeStatus.VOID.value], closed_at__isnull=False),
                name="treasury_hedge_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notional} of {self.account_id} ({self.status})"

    def as_contract(self) -> contracts.HedgePosition:
        return contracts.HedgePosition(
            id=self.id,
            account_id=self.account_id,
            instrument=self.instrument,
            notional=self.notional,
            status=HedgeStatus(self.status),
            run_id=self.run_id,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
        )
