"""Compliance as values: account holders, movements, thresholds, findings, and the cases that officers decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from finaegis.shared.money import Money

#: The cause of a freeze that a rejected case placed.
REJECTED_CAUSE = "compliance case rejected"
#: How long an officer has. 31 CFR 1020.320(b)(3): a report is due 30 days after a suspicion arose.
CASE_PERIOD = timedelta(days=30)

_TOLD = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Document(BaseModel):
    """A document that shows who an account holder is: its kind and the number under which it lies."""

    model_config = _TOLD

    kind: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[\w \-]+$")]
    reference: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w \-/.]+$")]


class HolderFacts(BaseModel):
    """What is told about an account's holder at its opening; `country` by ISO 3166 alpha-2."""

    model_config = _TOLD

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    documents: Annotated[tuple[Document, ...], Field(max_length=20)] = ()


class Direction(StrEnum):
    """Which way money moved, seen from the account."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that came into an account from outside, or went out of it."""

    id: UUID
    account_id: UUID
    direction: Direction
    amount: Money
    counterparty: str
    country: str | None
    moved_at: datetime
    recorded_by: str
    created: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AmlThreshold:
    """More than `reporting` is examined, at once or as a sum of so many days; from a day, until before another."""

    reporting: Money
    window_days: int
    valid_from: date
    valid_to: date | None
    source: str

    @property
    def window(self) -> timedelta:
        """The time within which smaller movements are added up."""
        return timedelta(days=self.window_days)


class FindingKind(StrEnum):
    """What a check found."""

    IDENTITY_NOT_PROVEN = "identity_not_proven"
    DOCUMENTS_INCOMPLETE = "documents_incomplete"
    SANCTIONS_MATCH = "sanctions_match"
    ABOVE_THRESHOLD = "above_threshold"
    STRUCTURING = "structuring"
    #: No threshold is valid for the currency, so nobody can say that a movement is small.
    THRESHOLD_MISSING = "threshold_missing"
    #: A check could not be made, so a person makes it.
    IDENTITY_UNCHECKED = "identity_unchecked"
    SANCTIONS_UNCHECKED = "sanctions_unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an officer has to look at."""

    kind: FindingKind
    detail: str


class CaseTrigger(StrEnum):
    """What a case is about."""

    OPENING = "opening"
    MOVEMENT = "movement"


class CaseStatus(StrEnum):
    """An open case ends once: as an officer decides, or with the rejection of another, or undone with its run.

    A void one was undone before it was opened.
    """

    OPEN = "open"
    CLEARED = "cleared"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    VOID = "void"


class CaseDecision(StrEnum):
    """What an officer decides."""

    CLEAR = "clear"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCase:
    """A case as the saga keeps it. `involved` are the people who may not decide it."""

    case_id: UUID
    deadline: datetime
    involved: tuple[str, ...] = ()
    overdue: bool = False
    status: CaseStatus = CaseStatus.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRuling:
    """An officer's decision as the run records it."""

    case_id: UUID
    account_id: UUID
    decision: CaseDecision
    officer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceCase:
    """A case as it stands."""

    id: UUID
    account_id: UUID
    trigger: CaseTrigger
    movement_id: UUID | None
    findings: tuple[Finding, ...]
    status: CaseStatus
    opened_at: datetime
    deadline: datetime
    overdue_at: datetime | None
    involved: tuple[str, ...]
    decided_by: str
    reason: str
    closed_at: datetime | None
    run_id: UUID | None


class ComplianceStatus(StrEnum):
    """How an account stands."""

    CHECKING = "checking"
    MONITORING = "monitoring"
    IN_REVIEW = "in_review"
    OVERDUE = "overdue"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What one link of a saga hands to the next."""

    cases: tuple[OpenedCase, ...] = ()
    movements: tuple[UUID, ...] = ()
    examined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceState:
    """What a saga answers: how its account stands, its open cases, the movements it examined, its steps in order.

    `steps` are those of the present link of the chain.
    """

    account_id: UUID | None
    status: ComplianceStatus
    cases: tuple[OpenedCase, ...]
    examined: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceResult:
    """How a saga ended: only a rejection ends one."""

    account_id: UUID
    status: ComplianceStatus
    case_id: UUID
