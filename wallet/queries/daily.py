"""The withdrawals of a day: those that were requested on it, and those whose money its transfers moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from wallet import contracts
from wallet.models import Withdrawal

_CHUNK = 500


def list_daily_withdrawals(
    *, begins: datetime, ends: datetime, moved_by: Sequence[UUID] = ()
) -> list[contracts.Withdrawal]:
    """Withdrawals that were requested from `begins` until before `ends`, or that one of these runs carries.

    Runs that carry no withdrawal are passed over. By the time of their request.
    """
    rows = Withdrawal.objects.select_related("account__customer", "destination")
    found = {row.id: row for row in rows.filter(requested_at__gte=begins, requested_at__lt=ends)}
    for start in range(0, len(moved_by), _CHUNK):
        found.update({row.id: row for row in rows.filter(run_id__in=moved_by[start : start + _CHUNK])})
    return [row.as_contract() for row in sorted(found.values(), key=lambda row: (row.requested_at, row.id))]
