"""Lists of the ledger page by page, by keyset: stable while new rows arrive, and it costs the same however deep."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from ledger import contracts, models
from ledger.models import TransferStatus
from ledger.queries.reading import account_value, transfer_value


def page_accounts(
    *, limit: int, after: tuple[str, str, str] | None = None, owner: str | None = None, currency: str | None = None
) -> tuple[list[contracts.Account], tuple[str, str, str] | None]:
    """Accounts by owner, kind and currency, and where the next page begins (None after the last).

    A domain's accounts are owned by `<domain>:<id>`; the id alone finds them too.
    """
    rows = models.Account.objects.all()
    if owner is not None:
        rows = rows.filter(owner__in=[owner, *(f"{app.label}:{owner}" for app in apps.get_app_configs())])
    if currency is not None:
        rows = rows.filter(currency=currency)
    if after is not None:
        of, kind, code = after
        rows = rows.filter(Q(owner__gt=of) | Q(owner=of, kind__gt=kind) | Q(owner=of, kind=kind, currency__gt=code))
    found = list(rows.order_by("owner", "kind", "currency")[: limit + 1])
    page = found[:limit]
    following = (page[-1].owner, page[-1].kind, page[-1].currency) if len(found) > limit else None
    return [account_value(row) for row in page], following


def page_transfers(
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    account_id: UUID | None = None,
    run_id: UUID | None = None,
) -> tuple[list[contracts.Transfer], tuple[datetime, UUID] | None]:
    """Posted transfers, newest first, and where the next page begins (None after the last)."""
    rows = models.Transfer.objects.filter(status=TransferStatus.POSTED).prefetch_related("postings")
    if account_id is not None:
        rows = rows.filter(Exists(models.Posting.objects.filter(transfer=OuterRef("pk"), account_id=account_id)))
    if run_id is not None:
        rows = rows.filter(run_id=run_id)
    if after is not None:
        at, transfer_id = after
        rows = rows.filter(Q(posted_at__lt=at) | Q(posted_at=at, id__lt=transfer_id))
    found = list(rows.order_by("-posted_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].posted_at, page[-1].id) if len(found) > limit else None
    return [transfer_value(row) for row in page], following
