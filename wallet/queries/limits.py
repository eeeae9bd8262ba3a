"""The limits of an account, and what counts toward them already."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from finaegis.shared.money import Money
from wallet import contracts
from wallet.contracts import WithdrawalStatus
from wallet.errors import LimitsMissing
from wallet.models import LimitSet, Withdrawal
from wallet.rules.limits import day_of, month_of

#: The money of these is back, or never left.
_UNCOUNTED = (WithdrawalStatus.CANCELLED.value, WithdrawalStatus.REJECTED.value)


def get_limits(account: contracts.WalletAccount) -> contracts.Limits:
    """The account's own limits, else its currency's; raises LimitsMissing where neither are set."""
    found = LimitSet.objects.filter(
        Q(account_id=account.id) | Q(account__isnull=True), currency=account.currency
    ).order_by("account_id")
    sets = {row.account_id: row for row in found}
    row = sets.get(account.id) or sets.get(None)
    if row is None:
        raise LimitsMissing(account.currency)
    return row.as_contract()


def get_usage(
    account: contracts.WalletAccount,
    limits: contracts.Limits,
    *,
    destination_id: UUID,
    at: datetime,
    leaving_out: UUID | None = None,
) -> contracts.Usage:
    """What counts toward the limits of a withdrawal requested at this instant.

    A withdrawal counts from its validation on: pending, in transit, settled, or returned later. A cancelled or rejected
    one counts for the velocity alone. `leaving_out` is the withdrawal that is judged.
    """
    rows = Withdrawal.objects.filter(account_id=account.id, hold_key__isnull=False)
    if leaving_out is not None:
        rows = rows.exclude(pk=leaving_out)
    counted = rows.exclude(status__in=_UNCOUNTED)
    today = counted.filter(_within(day_of(at)))
    return contracts.Usage(
        today=_sum(today, account.currency),
        this_month=_sum(counted.filter(_within(month_of(at))), account.currency),
        to_destination_today=_sum(today.filter(destination_id=destination_id), account.currency),
        begun_in_window=rows.filter(requested_at__gt=at - limits.velocity_window, requested_at__lte=at).count(),
    )


def _within(span: tuple[datetime, datetime]) -> Q:
    begin, end = span
    return Q(requested_at__gte=begin, requested_at__lt=end)


def _sum(rows: QuerySet[Withdrawal], currency: str) -> Money:
    return Money.from_minor(int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0), currency)
