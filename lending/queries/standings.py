"""Where many applications stand at once, without their facts: what a batch needs to follow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from lending.contracts import ApplicationStatus
from lending.models import Application

_CHUNK = 1000
#: Places of a probability of default; it is stored in millionths.
_PD_PLACES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An application's status, and the probability of default it was scored at (None before)."""

    run_id: UUID
    status: ApplicationStatus
    pd: Decimal | None


def standings_of(run_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """The standing of the application of each run that has one."""
    found = {}
    for start in range(0, len(run_ids), _CHUNK):
        rows = Application.objects.filter(run_id__in=run_ids[start : start + _CHUNK])
        for run_id, status, millionths in rows.values_list("run_id", "status", "assessment__pd_millionths"):
            pd = None if millionths is None else Decimal(millionths).scaleb(-_PD_PLACES)
            found[run_id] = Standing(run_id=run_id, status=ApplicationStatus(status), pd=pd)
    return found
