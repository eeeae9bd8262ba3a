"""Cases, as values."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from wallet import contracts
from wallet.errors import UnknownCase
from wallet.models import Case
from wallet.queries.accounts import Place


def get_case(case_id: UUID) -> contracts.Case:
    """The case; raises UnknownCase."""
    row = Case.objects.filter(pk=case_id).first()
    if row is None:
        raise UnknownCase(case_id)
    return row.as_contract()


def page_cases(
    *, limit: int, status: str | None = None, after: Place | None = None
) -> tuple[list[contracts.Case], Place | None]:
    """Cases, newest first, and where the next page begins (None after the last)."""
    rows: QuerySet[Case] = Case.objects.all()
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        opened_at, case_id = after
        rows = rows.filter(Q(opened_at__lt=opened_at) | Q(opened_at=opened_at, id__lt=case_id))
    found = list(rows.order_by("-opened_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].opened_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following
