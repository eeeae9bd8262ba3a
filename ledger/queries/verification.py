"""`verify`: reads the whole ledger and says what does not add up.

Sums are built in Python: a sum in SQLite overflows where a sum in Postgres does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.db import connections, router, transaction
from django.db.models import Exists, OuterRef, QuerySet

from finaegis.shared.money import MoneyError
from ledger import models, rules
from ledger.contracts import Finding, HoldStatus
from ledger.models import Act, TransferStatus
from ledger.queries.reading import transfer_value

_BATCH = 2000
#: Acts that make a row under their own key.
_OF_TRANSFERS = (Act.TRANSFER, Act.REVERSAL, Act.CAPTURE)
_OF_HOLDS = (Act.HOLD,)


def verify(*, run_is_open: Callable[[UUID], bool] | None = None) -> list[Finding]:
    """Everything that is wrong with the ledger; an empty list if it is sound.

    Each transfer sums to zero in every currency and is what was sealed; each balance is the sum of its postings, each
    `held` the sum of its open holds, all balances of a currency zero; no draft was left; keys and what they made belong
    together; and, with `run_is_open`, no open hold belongs to a closed run.

    The seal of a transfer is a plain digest: it finds edits, not forgeries by someone who computes it anew; the keyed
    chain is the engine's history. Reads one snapshot, unless it is called inside a transaction that is not one.
    """
    connection = connections[router.db_for_read(models.Account)]
    outermost = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias):
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        balances: dict[UUID, int] = defaultdict(int)
        held: dict[UUID, int] = defaultdict(int)
        findings = [*_transfers(balances), *_holds(held, run_is_open)]
        findings += _accounts(balances, held)
        findings += _keys()
    return findings


def _transfers(balances: dict[UUID, int]) -> Iterator[Finding]:
    currencies = dict(models.Account.objects.values_list("id", "currency"))
    rows = models.Transfer.objects.order_by("posted_at", "id").prefetch_related("postings")
    for row in rows.iterator(chunk_size=_BATCH):
        if row.status != TransferStatus.POSTED:
            yield _found("draft_left", "transfer", row.key, "was never posted")
            continue
        for posting in row.postings.all():
            balances[posting.account_id] += posting.amount_minor
            if currencies.get(posting.account_id) != posting.currency:
                yield _found("currency_mismatch", "transfer", row.key, f"posts {posting.currency} to another currency")
        yield from _sums(row)
        if not _is_as_sealed(row):
            yield _found("seal_broken", "transfer", row.key, "is not what was sealed when it was posted")


def _sums(row: models.Transfer) -> Iterator[Finding]:
    sums: dict[str, int] = defaultdict(int)
    for posting in row.postings.all():
        sums[posting.currency] += posting.amount_minor
    for currency, total in sums.items():
        if total:
            yield _found("unbalanced", "transfer", row.key, f"sums to {total} minor units of {currency}, not to zero")


def _is_as_sealed(row: models.Transfer) -> bool:
    try:
        value = transfer_value(row)
    except MoneyError:
        return False
    sealed = rules.seal(
        key=value.key,
        legs=value.legs,
        description=value.description,
        run_id=value.run_id,
        value_date=value.value_date,
        posted_at=value.posted_at,
        reverses=value.reverses,
    )
    return sealed == row.digest


def _holds(held: dict[UUID, int], run_is_open: Callable[[UUID], bool] | None) -> Iterator[Finding]:
    for row in models.Hold.objects.order_by("placed_at", "id").iterator(chunk_size=_BATCH):
        if row.status == HoldStatus.HELD:
            held[row.account_id] += row.amount_minor
            if run_is_open is not None and row.run_id is not None and not run_is_open(row.run_id):
                yield _found("hold_without_run", "hold", row.key, f"is open, but its run {row.run_id} is closed")
        elif row.status == HoldStatus.CAPTURED and row.capture_id is None:
            yield _found("capture_missing", "hold", row.key, "is captured, but no transfer says so")


def _accounts(balances: dict[UUID, int], held: dict[UUID, int]) -> Iterator[Finding]:
    totals: dict[str, int] = defaultdict(int)
    for row in models.Account.objects.order_by("id").iterator(chunk_size=_BATCH):
        totals[row.currency] += row.balance_minor
        for code, of, says, adds_up in (
            ("balance_wrong", "postings", row.balance_minor, balances[row.id]),
            ("held_wrong", "open holds", row.held_minor, held[row.id]),
        ):
            if says != adds_up:
                what = f"says {says} minor units of {row.currency}, its {of} {adds_up}"
                yield _found(code, "account", str(row.id), what)
    for currency, total in sorted(totals.items()):
        if total:
            what = f"all balances sum to {total} minor units, not to zero"
            yield _found("total_not_zero", "currency", currency, what)


def _keys() -> Iterator[Finding]:
    """A transfer or hold without its key could happen again; a key without what it made lost it."""
    made: Iterable[tuple[str, QuerySet[models.Transfer] | QuerySet[models.Hold], tuple[Act, ...]]] = (
        ("transfer", models.Transfer.objects.all(), _OF_TRANSFERS),
        ("hold", models.Hold.objects.all(), _OF_HOLDS),
    )
    for subject, rows, acts in made:
        used = models.UsedKey.objects.filter(act__in=acts)
        for key in rows.exclude(Exists(used.filter(key=OuterRef("key")))).values_list("key", flat=True):
            yield _found("key_missing", subject, key, "has no record of its key")
        lost = used.filter(subject_id__isnull=False).exclude(Exists(rows.filter(pk=OuterRef("subject_id"))))
        for key in lost.values_list("key", flat=True):
            yield _found("record_missing", subject, key, "is on record by its key, but is gone")


def _found(code: str, subject: str, subject_id: str, what: str) -> Finding:
    return Finding(code=code, subject=subject, subject_id=subject_id, message=f"{subject} {subject_id} {what}")
