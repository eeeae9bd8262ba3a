"""Whether an amount may leave: account, destination, money, and the limits with what counts toward them already."""

from __future__ import annotations

from datetime import datetime, timedelta

from finaegis.shared.money import Money
from wallet.contracts import AccountStatus, Destination, DestinationStatus, Limits, Usage, WalletAccount
from wallet.errors import (
    AccountFrozen,
    AmountNotPositive,
    CurrencyMismatch,
    DestinationCoolingOff,
    DestinationNotAllowed,
    InsufficientFunds,
    LimitExceeded,
    TooManyWithdrawals,
    UnknownDestination,
)


def check_amount(account: WalletAccount, amount: Money, available: Money) -> None:
    """Refuse what the account cannot give.

    Raises CurrencyMismatch, AmountNotPositive, AccountFrozen, InsufficientFunds.
    """
    check_form(account, amount)
    check_account(account)
    if amount > available:
        raise InsufficientFunds(f"{available} is available, {amount} is needed")


def check_form(account: WalletAccount, amount: Money) -> None:
    """Refuse an amount that no withdrawal of the account can have. Raises CurrencyMismatch, AmountNotPositive."""
    if amount.currency != account.currency:
        raise CurrencyMismatch(expected=account.currency, found=amount.currency)
    if amount <= Money.zero(account.currency):
        raise AmountNotPositive(f"a withdrawal is more than zero, not {amount}")


def check_account(account: WalletAccount) -> None:
    """Raise AccountFrozen unless money may leave."""
    if account.status != AccountStatus.ACTIVE:
        raise AccountFrozen(account.id)


def check_destination(account: WalletAccount, destination: Destination, now: datetime) -> None:
    """Refuse a destination that takes no money of this account now.

    Raises UnknownDestination, DestinationNotAllowed, DestinationCoolingOff.
    """
    if destination.account_id != account.id:
        raise UnknownDestination(destination.id)
    if destination.status != DestinationStatus.ALLOWED:
        raise DestinationNotAllowed(destination.id, destination.status)
    if now < destination.usable_from:
        raise DestinationCoolingOff(destination.id, destination.usable_from)


def check_limits(limits: Limits, usage: Usage, amount: Money) -> None:
    """Refuse an amount that goes over a limit together with what counts already; reaching a limit is allowed.

    Raises LimitExceeded with the first limit it breaks, TooManyWithdrawals.
    """
    nothing = Money.zero(amount.currency)
    for name, allowed, used in (
        ("transaction", limits.per_transaction, nothing),
        ("day", limits.per_day, usage.today),
        ("month", limits.per_month, usage.this_month),
        ("destination", limits.per_destination, usage.to_destination_today),
    ):
        if used + amount > allowed:
            raise LimitExceeded(limit=name, allowed=allowed, left=max(allowed - used, nothing))
    if usage.begun_in_window >= limits.velocity_count:
        raise TooManyWithdrawals(
            f"{usage.begun_in_window} withdrawals began in the last {limits.velocity_window}; "
            f"{limits.velocity_count} may"
        )


def day_of(at: datetime) -> tuple[datetime, datetime]:
    """The calendar day of an instant (UTC): its first instant, and that of the next one."""
    begin = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return begin, begin + timedelta(days=1)


def month_of(at: datetime) -> tuple[datetime, datetime]:
    """The calendar month of an instant (UTC): its first instant, and that of the next one."""
    begin = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begin, (begin + timedelta(days=32)).replace(day=1)
