"""The ledger as it stood at the end of a business day: the trial balance, and which transfers stood then.

A day is that of the value date, so a closed day never changes. Who asks for several of these takes them from one
snapshot (`snapshot`), else transfers that are posted meanwhile come between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from django.db import connections, router, transaction
from django.db.models import Q, QuerySet

from finaegis.shared.money import Money
from ledger import contracts, models
from ledger.models import TransferStatus
from ledger.queries.reading import transfer_value

T = TypeVar("T")

#: Keys or rows of one statement.
_BATCH = 500
_ROWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Up to where the ledger was read: how many transfers are posted, and the newest of them."""

    transfers: int
    newest: UUID | None
    posted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """An account's postings up to a day: what was added, what was taken (negative), and their sum."""

    account_id: UUID
    owner: str
    kind: str
    currency: str
    added: Money
    taken: Money
    balance: Money


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything that is read inside comes from one moment, and nothing can be written.

    On Postgres a repeatable-read, read-only transaction; on SQLite a transaction, which writers wait for. Inside a
    transaction that is under way already it is that one's isolation that counts.
    """
    connection = connections[router.db_for_read(models.Transfer)]
    outermost = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias):
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def read_position() -> Position:
    """Where the ledger stands now."""
    posted = models.Transfer.objects.filter(status=TransferStatus.POSTED)
    newest = posted.order_by("-posted_at", "-id").values_list("id", "posted_at").first()
    transfer_id, posted_at = newest or (None, None)
    return Position(transfers=posted.count(), newest=transfer_id, posted_at=posted_at)


def read_trial_balance(*, until: date, since: date | None = None) -> list[Turnover]:
    """Every account that was opened by `until`, with its postings of the days from `since` to `until`, both included.

    By owner, kind and currency. It is added up from the postings, not taken from the accounts' balances. All balances
    of a currency sum to zero.
    Sums are built in Python: a sum in SQLite overflows where a sum in Postgres does not.
    """
    postings = models.Posting.objects.filter(transfer__status=TransferStatus.POSTED, transfer__value_date__lte=until)
    if since is not None:
        postings = postings.filter(transfer__value_date__gte=since)
    added: dict[UUID, int] = defaultdict(int)
    taken: dict[UUID, int] = defaultdict(int)
    for account_id, minor in postings.values_list("account_id", "amount_minor").iterator(chunk_size=_ROWS):
        (added if minor > 0 else taken)[account_id] += minor
    found = []
    for row in models.Account.objects.iterator(chunk_size=_ROWS):
        plus, minus = added[row.id], taken[row.id]
        if plus or minus or row.opened_at.date() <= until:
            found.append(
                Turnover(
                    account_id=row.id,
                    owner=row.owner,
                    kind=row.kind,
                    currency=row.currency,
                    added=Money.from_minor(plus, row.currency),
                    taken=Money.from_minor(minus, row.currency),
                    balance=Money.from_minor(plus + minus, row.currency),
                )
            )
    return sorted(found, key=lambda item: (item.owner, item.kind, item.currency))


def read_standing(keys: Iterable[str], *, until: date) -> dict[str, contracts.Transfer]:
    """Those of these transfers, by key, that were posted for a day up to `until` and not reversed by then."""
    reversed_by_then = Q(reversed_by__status=TransferStatus.POSTED, reversed_by__value_date__lte=until)
    found = {}
    for some in _chunks(list(keys)):
        rows = _posted().filter(key__in=some, value_date__lte=until).exclude(reversed_by_then)
        found.update({row.key: transfer_value(row) for row in rows})
    return found


def list_day(day: date) -> list[contracts.Transfer]:
    """Every transfer of one value date, oldest first."""
    rows = _posted().filter(value_date=day).order_by("posted_at", "id")
    return [transfer_value(row) for row in rows.iterator(chunk_size=_ROWS)]


def read_held(account_ids: Sequence[UUID]) -> dict[UUID, Money]:
    """What is held now on each of these accounts."""
    found = {}
    for ids in _chunks(list(account_ids)):
        for row in models.Account.objects.filter(pk__in=ids):
            found[row.id] = row.held
    return found


def _posted() -> QuerySet[models.Transfer]:
    return models.Transfer.objects.filter(status=TransferStatus.POSTED).prefetch_related("postings")


def _chunks(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
