"""Compliance, as values: holders, movements, thresholds and cases."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from treasury import contracts
from treasury.contracts import REJECTED_CAUSE, CaseStatus, Finding, FreezeStatus, HolderFacts
from treasury.errors import UnknownCase, UnknownMovement
from treasury.models import AccountHolder, AmlThreshold, ComplianceCase, Freeze, Movement
from treasury.rules import compliance as rules

Place = tuple[datetime, UUID]


def get_holder(account_id: UUID) -> HolderFacts:
    """What was told about the account's holder; nothing for an account that was opened without."""
    row = AccountHolder.objects.filter(pk=account_id).first()
    return HolderFacts() if row is None else row.facts


def get_movement(movement_id: UUID) -> contracts.Movement:
    """The movement; raises UnknownMovement."""
    row = Movement.objects.filter(pk=movement_id).first()
    if row is None:
        raise UnknownMovement(movement_id)
    return row.as_contract()


def judge_movement(movement_id: UUID) -> tuple[Finding, ...]:
    """What the rules find about a movement, with the account's others up to it; raises UnknownMovement."""
    movement = get_movement(movement_id)
    rows = AmlThreshold.objects.filter(currency=movement.amount.currency)
    threshold = rules.threshold_on(
        [row.as_contract() for row in rows], currency=movement.amount.currency, day=movement.moved_at.date()
    )
    if threshold is None:
        return rules.movement_findings(movement, (), None)
    others = Movement.objects.filter(
        account_id=movement.account_id,
        direction=movement.direction,
        moved_at__gte=movement.moved_at - threshold.window,
        moved_at__lte=movement.moved_at,
    ).exclude(pk=movement.id)
    return rules.movement_findings(movement, [row.as_contract() for row in others], threshold)


def is_rejected(account_id: UUID) -> bool:
    """Whether a rejected case keeps the account frozen."""
    placed = Freeze.objects.filter(account_id=account_id, status=FreezeStatus.PLACED, cause=REJECTED_CAUSE)
    return placed.exists()


def get_case(case_id: UUID) -> contracts.ComplianceCase:
    """The case; raises UnknownCase."""
    row = _cases().filter(pk=case_id).first()
    if row is None:
        raise UnknownCase(case_id)
    return row.as_contract()


def page_cases(
    *, limit: int, status: str | None = None, account_id: UUID | None = None, after: Place | None = None
) -> tuple[list[contracts.ComplianceCase], Place | None]:
    """Cases, newest first, and where the next page begins (None after the last)."""
    rows = _cases()
    if status is not None:
        rows = rows.filter(status=status)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    if after is not None:
        opened_at, case_id = after
        rows = rows.filter(Q(opened_at__lt=opened_at) | Q(opened_at=opened_at, id__lt=case_id))
    found = list(rows.order_by("-opened_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].opened_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def page_movements(
    *, account_id: UUID, limit: int, after: Place | None = None
) -> tuple[list[contracts.Movement], Place | None]:
    """An account's movements, newest first, and where the next page begins (None after the last)."""
    rows = Movement.objects.filter(account_id=account_id)
    if after is not None:
        moved_at, movement_id = after
        rows = rows.filter(Q(moved_at__lt=moved_at) | Q(moved_at=moved_at, id__lt=movement_id))
    found = list(rows.order_by("-moved_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].moved_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def _cases() -> QuerySet[ComplianceCase]:
    """Cases that were opened, with what they show."""
    opened = ComplianceCase.objects.exclude(status=CaseStatus.VOID)
    return opened.select_related("account__holder", "movement").prefetch_related("findings")
