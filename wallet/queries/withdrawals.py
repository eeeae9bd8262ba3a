"""Withdrawals as they stand, what a link shows, and whether a withdrawal may go on."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.encoding import force_bytes

from finaegis.shared.money import Money
from wallet import contracts
from wallet.contracts import CONFIRMABLE_STATUSES, TokenReading, TokenState
from wallet.errors import TokenUnknown, UnknownWithdrawal
from wallet.models import ConfirmationToken, Event, Withdrawal
from wallet.queries.accounts import Place, get_account, get_available, get_destination
from wallet.queries.limits import get_limits, get_usage
from wallet.rules import limits as rules
from wallet.rules import tokens
from workflows import clock

_SALT = b"wallet.confirmation:"


def get_withdrawal(withdrawal_id: UUID) -> contracts.Withdrawal:
    """The withdrawal as it stands; raises UnknownWithdrawal."""
    row = _rows().filter(pk=withdrawal_id).first()
    if row is None:
        raise UnknownWithdrawal(withdrawal_id)
    return row.as_contract()


def find_by_run(run_id: UUID) -> contracts.Withdrawal | None:
    """The withdrawal that a run carries, if there is one yet."""
    row = _rows().filter(run_id=run_id).first()
    return None if row is None else row.as_contract()


def page_withdrawals(
    *, limit: int, account_id: UUID | None = None, status: str | None = None, after: Place | None = None
) -> tuple[list[contracts.Withdrawal], Place | None]:
    """Withdrawals, newest first, and where the next page begins (None after the last)."""
    rows = _rows()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        requested_at, withdrawal_id = after
        rows = rows.filter(Q(requested_at__lt=requested_at) | Q(requested_at=requested_at, id__lt=withdrawal_id))
    found = list(rows.order_by("-requested_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].requested_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def list_events(withdrawal_id: UUID) -> list[contracts.Event]:
    """What happened to a withdrawal, oldest first."""
    return [row.as_contract() for row in Event.objects.filter(withdrawal_id=withdrawal_id).order_by("id")]


def check_withdrawal(*, account_id: UUID, amount: Money, destination_id: UUID) -> None:
    """Refuse what could not be withdrawn now; validation judges again, under the account's lock.

    Raises UnknownAccount, UnknownDestination, and what the rules of limits, amount and destination raise.
    """
    account, destination = get_account(account_id), get_destination(destination_id)
    now = clock.now()
    rules.check_amount(account, amount, get_available(account))
    rules.check_destination(account, destination, now)
    limits = get_limits(account)
    rules.check_limits(limits, get_usage(account, limits, destination_id=destination_id, at=now), amount)


def recheck(withdrawal_id: UUID) -> None:
    """Refuse to process a withdrawal whose account or destination changed meanwhile.

    Raises UnknownWithdrawal, AccountFrozen, DestinationNotAllowed, DestinationCoolingOff.
    """
    withdrawal = get_withdrawal(withdrawal_id)
    account = get_account(withdrawal.account_id)
    rules.check_account(account)
    rules.check_destination(account, withdrawal.destination, clock.now())


def find_by_token(token: str) -> tuple[ConfirmationToken, contracts.Withdrawal]:
    """The token's row and its withdrawal; for operations, which lock it next.

    Raises TokenUnknown: nobody was ever sent it, or customer, amount or destination are no longer those it was made
    for.
    """
    if not token.isascii():
        raise TokenUnknown
    row = (
        ConfirmationToken.objects.select_related("withdrawal__account__customer", "withdrawal__destination")
        .filter(digest=tokens.digest(token))
        .first()
    )
    if row is None:
        raise TokenUnknown
    withdrawal = row.withdrawal.as_contract()
    if not tokens.is_same(token, derive_token(row, withdrawal)):
        raise TokenUnknown
    return row, withdrawal


def read_token(token: str) -> TokenReading:
    """What a link is good for now, and the withdrawal it belongs to; raises TokenUnknown."""
    row, withdrawal = find_by_token(token)
    return TokenReading(withdrawal=withdrawal, state=_state_of(row, withdrawal))


def derive_token(row: ConfirmationToken, withdrawal: contracts.Withdrawal) -> str:
    """The token that a row stands for: the same in every mail."""
    return tokens.derive(
        _SALT + force_bytes(settings.SECRET_KEY), withdrawal=withdrawal, serial=row.serial, nonce=row.nonce
    )


def _state_of(row: ConfirmationToken, withdrawal: contracts.Withdrawal) -> TokenState:
    if row.used_at is not None:
        return TokenState.USED
    late = withdrawal.deadline is not None and clock.now() > withdrawal.deadline
    if late or withdrawal.status not in CONFIRMABLE_STATUSES:
        return TokenState.EXPIRED
    return TokenState.LIVE if row.voided_at is None else TokenState.VOID


def _rows() -> QuerySet[Withdrawal]:
    return Withdrawal.objects.select_related("account__customer", "destination")
