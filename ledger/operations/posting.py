"""Posting: legs become a sealed transfer and new balances. Called by the operations, inside their transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from finaegis.shared.money import MAXIMUM_MINOR, Money
from ledger import contracts, models, rules
from ledger.contracts import Leg
from ledger.errors import BalanceTooLarge, CurrencyMismatch, InsufficientFunds, InvalidDescription, UnknownAccount
from ledger.models import DESCRIPTION_LENGTH, TransferStatus
from ledger.operations.business_day import value_date_of
from ledger.operations.keys import is_storable
from workflows import clock


def check_description(description: object) -> None:
    """Refuse a description that cannot be stored."""
    if not is_storable(description, longest=DESCRIPTION_LENGTH):
        raise InvalidDescription()


def post(
    *,
    transfer_id: UUID,
    key: str,
    legs: Sequence[Leg],
    description: str,
    run_id: UUID | None,
    value_date: date | None = None,
    reverses: UUID | None = None,
    no_longer_held: Mapping[UUID, int] | None = None,
) -> contracts.Transfer:
    """Write the transfer with its postings, seal it, and move the balances; the key is the caller's already.

    `no_longer_held` takes minor units off what accounts hold, in the same update (a capture). Raises
    `BusinessDayClosed`, `UnknownAccount`, `CurrencyMismatch`, `InsufficientFunds`, `BalanceTooLarge`.
    """
    posted = contracts.Transfer(
        id=transfer_id,
        key=key,
        legs=tuple(legs),
        description=description,
        run_id=run_id,
        value_date=value_date_of(value_date),
        posted_at=clock.now(),
        reverses=reverses,
    )
    rows = lock_accounts(leg.account_id for leg in legs)
    for leg in legs:
        check_currency(rows[leg.account_id], leg.amount)
    for account_id, change in rules.net_by_account(legs).items():
        move(rows[account_id], change, held=-(no_longer_held or {}).get(account_id, 0))
    _write(posted)
    columns = ["balance_minor", "held_minor"] if no_longer_held else ["balance_minor"]
    models.Account.objects.bulk_update(rows.values(), columns)
    return posted


def lock_accounts(account_ids: Iterable[UUID]) -> dict[UUID, models.Account]:
    """The rows of these accounts, locked in the order of their ids; raises `UnknownAccount`."""
    wanted = set(account_ids)
    found = models.Account.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    rows = {row.id: row for row in found}
    for account_id in sorted(wanted - rows.keys()):
        raise UnknownAccount(account_id)
    return rows


def check_currency(row: models.Account, amount: Money) -> None:
    """Refuse an amount in another currency than the account's."""
    if amount.currency != row.currency:
        raise CurrencyMismatch(account_id=row.id, expected=row.currency, found=amount.currency)


def move(row: models.Account, change: int, *, held: int = 0) -> None:
    """Change the row's balance and what it holds, by minor units; refuse what it does not have available.

    Only in memory: the caller holds the row's lock and stores it.
    """
    takes = held - change
    if takes > 0 and takes > row.available_minor and not row.may_go_negative:
        raise InsufficientFunds(
            account_id=row.id,
            available=Money.from_minor(row.available_minor, row.currency),
            needed=Money.from_minor(takes, row.currency),
        )
    row.balance_minor += change
    row.held_minor += held
    for figure in (row.balance_minor, row.held_minor, row.available_minor):
        if abs(figure) > MAXIMUM_MINOR:
            raise BalanceTooLarge(row.id)


def _write(posted: contracts.Transfer) -> None:
    """Draft, postings, then the step to posted, at which the database checks the sums and seals them."""
    draft = models.Transfer(
        id=posted.id,
        key=posted.key,
        status=TransferStatus.DRAFT,
        description=posted.description,
        run_id=posted.run_id,
        value_date=posted.value_date,
        posted_at=posted.posted_at,
        reverses_id=posted.reverses,
        digest=rules.seal(
            key=posted.key,
            legs=posted.legs,
            description=posted.description,
            run_id=posted.run_id,
            value_date=posted.value_date,
            posted_at=posted.posted_at,
            reverses=posted.reverses,
        ),
    )
    draft.save(force_insert=True)
    models.Posting.objects.bulk_create(
        models.Posting(
            transfer_id=posted.id,
            position=position,
            account_id=leg.account_id,
            currency=leg.amount.currency,
            amount_minor=leg.amount.to_minor(),
        )
        for position, leg in enumerate(posted.legs)
    )
    models.Transfer.objects.filter(pk=posted.id).update(status=TransferStatus.POSTED)
