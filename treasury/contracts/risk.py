"""Risk of a treasury account as values: what it is judged by, its score, the measures against it, the saga's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from finaegis.shared.money import Money

#: A score above it starts mitigation.
RISK_LIMIT = Decimal(70)
#: How long the saga waits between two assessments of an account.
MONITORING_PERIOD = timedelta(days=1)
#: Steps that the saga's state remembers; older ones stand in the histories of its chain.
REMEMBERED_STEPS = 50


class RiskReason(StrEnum):
    """What a score is made of, and so the reason for a high one."""

    CONCENTRATION = "concentration"
    LIQUIDITY = "liquidity"
    VOLATILITY = "volatility"
    SIZE = "size"


class RiskCause(StrEnum):
    """Who asked for an assessment."""

    OPENING = "opening"
    MONITORING = "monitoring"
    MITIGATION = "mitigation"
    REQUEST = "request"


class RiskMeasure(StrEnum):
    """What is done against a high score, in this order."""

    FREEZE = "freeze_allocations"
    REBALANCE = "rebalance"
    RAISE_LIQUIDITY = "raise_liquidity"
    HEDGE = "hedge"


class HedgeStatus(StrEnum):
    """A hedge is open until it is closed; a void one was undone before it was ever opened."""

    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"


class SagaStatus(StrEnum):
    """Where the risk management of an account stands."""

    ASSESSING = "assessing"
    MITIGATING = "mitigating"
    MONITORING = "monitoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskInputs:
    """What an assessment goes by: balances of the ledger, open hedges, figures of the classes' instruments.

    Durations in years, liquid shares from 0 to 1; `hedged` is the notional of open hedges against equities.
    """

    operating: Money
    cash: Money
    bonds: Money
    equities: Money
    hedged: Money
    cash_duration: Decimal
    bond_duration: Decimal
    cash_liquid_share: Decimal
    bond_liquid_share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskComponent:
    """One part of a score: what was measured, and the points it gives out of `weight`."""

    reason: RiskReason
    measure: Decimal
    points: Decimal
    weight: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskScore:
    """A score from 0 to 100, its four components, and the reasons for it, heaviest first."""

    score: Decimal
    components: tuple[RiskComponent, ...]
    reasons: tuple[RiskReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAssessment:
    """A recorded assessment of an account, with all that it was judged by."""

    id: UUID
    account_id: UUID
    cause: RiskCause
    score: Decimal
    reasons: tuple[RiskReason, ...]
    components: tuple[RiskComponent, ...]
    inputs: RiskInputs
    run_id: UUID | None
    assessed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Money that goes into a ledger account of the treasury account (negative: out of it), named by its kind."""

    kind: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationPlan:
    """The measures against an account's score; a measure without amounts is not taken."""

    score: Decimal
    reasons: tuple[RiskReason, ...]
    freeze: bool
    rebalance: tuple[Shift, ...]
    raise_liquidity: tuple[Shift, ...]
    hedge: Money | None
    #: The score that the measures lead to, if nothing else changes.
    expected_score: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureUndone:
    """How the undo of a measure ended: `undone`, or `void` where there was nothing to undo."""

    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgePosition:
    """A hedge against the equities of an account."""

    id: UUID
    account_id: UUID
    instrument: str
    notional: Money
    status: HedgeStatus
    run_id: UUID | None
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationResult:
    """What a mitigation run did: measures taken in order, score before and after."""

    account_id: UUID
    run_id: UUID
    measures: tuple[RiskMeasure, ...]
    score_before: Decimal
    score_after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaStep:
    """Something the saga did: an assessment or a mitigation, with the run that did it and the score it led to.

    `assessment_failed` has neither: the run that failed is a child of the saga's.
    """

    name: str
    run_id: UUID | None
    score: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSagaState:
    """The state of an account's risk management: `id` names the saga for ever, `workflow_id` its present run."""

    id: UUID
    account_id: UUID
    status: SagaStatus
    steps: tuple[SagaStep, ...]
    created_at: datetime
    workflow_id: UUID
    mitigation_workflow: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskOverview:
    """Risk of an account: its saga as it stands (None without one), its newest assessment, its open hedges.

    `run_status` is the state of the saga's present run.
    """

    account_id: UUID
    run_status: str | None
    saga: RiskSagaState | None
    assessment: RiskAssessment | None
    hedges: tuple[HedgePosition, ...]
