"""Which findings checks of a holder and of a movement give. Sources: 31 CFR 1010.311, 1010.313 and 1010.314.

A movement is examined when it is more than the reporting threshold of its currency (1010.311 says *more than* 10,000
USD), or when those within the threshold that moved the same way in the window before it, itself included, add up to
more (1010.314 forbids to break a sum up; 1010.313 adds money in and money out apart, over one business day). The window
of a threshold is a policy of the house, longer than that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import ValidationError

from treasury.contracts import (
    AmlThreshold,
    CaseDecision,
    DocumentCheck,
    DocumentStatus,
    Finding,
    FindingKind,
    HolderFacts,
    Movement,
    Screening,
)
from treasury.errors import CaseDecisionInvalid, InvalidHolder

_DETAIL_LENGTH = 1000


def threshold_on(thresholds: Iterable[AmlThreshold], *, currency: str, day: date) -> AmlThreshold | None:
    """The threshold of a currency that is valid on `day`, of several the one that began last; None without one."""
    valid = [
        item
        for item in thresholds
        if item.reporting.currency == currency
        and item.valid_from <= day
        and (item.valid_to is None or day < item.valid_to)
    ]
    return max(valid, key=lambda item: item.valid_from, default=None)


def movement_findings(
    movement: Movement, others: Sequence[Movement], threshold: AmlThreshold | None
) -> tuple[Finding, ...]:
    """What is to be found about a movement, given the account's others of any time and direction."""
    if threshold is None:
        told = f"no threshold is valid for {movement.amount.currency}"
        return (Finding(kind=FindingKind.THRESHOLD_MISSING, detail=told),)
    if movement.amount > threshold.reporting:
        told = f"{movement.amount} {movement.direction} is more than {threshold.reporting}"
        return (Finding(kind=FindingKind.ABOVE_THRESHOLD, detail=told),)
    parts = [
        other
        for other in others
        if other.id != movement.id
        and other.direction == movement.direction
        and movement.moved_at - threshold.window <= other.moved_at <= movement.moved_at
        and other.amount <= threshold.reporting
    ]
    total = sum((part.amount for part in parts), start=movement.amount)
    if total <= threshold.reporting:
        return ()
    told = (
        f"{len(parts) + 1} movements {movement.direction} of at most {threshold.reporting} each within "
        f"{threshold.window_days} days make {total}"
    )
    return (Finding(kind=FindingKind.STRUCTURING, detail=told),)


def identity_findings(check: DocumentCheck) -> tuple[Finding, ...]:
    """What is to be found about a holder's documents; nothing where all are verified."""
    if check.status == DocumentStatus.VERIFIED:
        return ()
    failed = check.status == DocumentStatus.FAILED
    kind = FindingKind.IDENTITY_NOT_PROVEN if failed else FindingKind.DOCUMENTS_INCOMPLETE
    wrong = ", ".join(f"{item.reference}: {item.code}" for item in check.findings)
    return (Finding(kind=kind, detail=(wrong or "no documents")[:_DETAIL_LENGTH]),)


def screening_findings(name: str, screening: Screening) -> tuple[Finding, ...]:
    """What is to be found about a name; nothing where no list names it."""
    if screening.clear:
        return ()
    told = f"{name} is like {', '.join(screening.matches)} (list {screening.list_version})"
    return (Finding(kind=FindingKind.SANCTIONS_MATCH, detail=told[:_DETAIL_LENGTH]),)


def unchecked(kind: FindingKind, why: str) -> tuple[Finding, ...]:
    """The finding of a check that could not be made."""
    return (Finding(kind=kind, detail=f"the check could not be made: {why}"[:_DETAIL_LENGTH]),)


def holder_facts(*, country: object = None, documents: object = ()) -> HolderFacts:
    """The facts as told at a door; raises InvalidHolder, without repeating them."""
    try:
        return HolderFacts.model_validate({"country": country, "documents": documents})
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InvalidHolder(f"{where or 'the holder'} does not fit") from None


def decision_of(word: str) -> CaseDecision:
    """The decision of this word; raises CaseDecisionInvalid."""
    try:
        return CaseDecision(word)
    except ValueError:
        raise CaseDecisionInvalid from None
