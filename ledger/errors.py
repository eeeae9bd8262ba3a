"""Refusals of the ledger, each with a stable `code`. Trying again cannot change any of them; nothing was written."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from finaegis.shared.money import Money
from workflows import NonRetryable


class LedgerError(NonRetryable):
    """A request to the ledger that cannot be done as asked."""

    code = "ledger_refused"


class UnknownAccount(LedgerError):
    """There is no such account."""

    code = "unknown_account"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"there is no ledger account {account_id}")
        self.account_id = account_id


class UnknownTransfer(LedgerError):
    """No transfer was posted under that key."""

    code = "unknown_transfer"

    def __init__(self, transfer_key: str) -> None:
        super().__init__(f"no transfer was posted under key {transfer_key!r}")
        self.key = transfer_key


class UnknownHold(LedgerError):
    """No hold was placed under that key."""

    code = "unknown_hold"

    def __init__(self, hold_key: str) -> None:
        super().__init__(f"no hold was placed under key {hold_key!r}")
        self.key = hold_key


class AccountConflict(LedgerError):
    """The account exists with another rule about going negative."""

    code = "account_conflict"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"account {account_id} exists with another rule about going negative")
        self.account_id = account_id


class InvalidAccount(LedgerError):
    """The facts given do not make an account."""

    code = "invalid_account"


class UnknownCurrency(LedgerError):
    """No currency or asset of that code is known."""

    code = "unknown_currency"


class InvalidKey(LedgerError):
    """A key is a text of 1 to 300 characters that every database can store."""

    code = "invalid_key"


class InvalidDescription(LedgerError):
    """A description is a text of at most 500 characters that every database can store."""

    code = "invalid_description"


class InvalidTransfer(LedgerError):
    """A transfer needs at least two legs, none of them zero."""

    code = "invalid_transfer"


class Unbalanced(LedgerError):
    """The legs do not sum to zero in every currency."""

    code = "unbalanced"

    def __init__(self, excess_minor: int, currency: str) -> None:
        super().__init__(f"the legs do not sum to zero: {excess_minor} minor units of {currency} are left over")
        self.excess_minor = excess_minor
        self.currency = currency


class CurrencyMismatch(LedgerError):
    """The amount is in another currency than the account."""

    code = "currency_mismatch"

    def __init__(self, *, account_id: UUID, expected: str, found: str) -> None:
        super().__init__(f"account {account_id} is in {expected}, the amount in {found}")
        self.account_id = account_id
        self.expected = expected
        self.found = found


class AmountNotPositive(LedgerError):
    """The amount must be more than zero."""

    code = "amount_not_positive"


class InsufficientFunds(LedgerError):
    """The account does not have that much available."""

    code = "insufficient_funds"

    def __init__(self, *, account_id: UUID, available: Money, needed: Money) -> None:
        super().__init__(f"account {account_id} has {available} available, {needed} is needed")
        self.account_id = account_id
        self.available = available
        self.needed = needed


class BalanceTooLarge(LedgerError):
    """The balance would no longer fit a signed 64-bit count of minor units."""

    code = "balance_too_large"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"the balance of account {account_id} would be too large to store")
        self.account_id = account_id


class IdempotencyConflict(LedgerError):
    """The key was used before with another payload."""

    code = "idempotency_conflict"

    def __init__(self, used_key: str) -> None:
        super().__init__(f"key {used_key!r} was used before with another payload")
        self.key = used_key


class KeyVoided(LedgerError):
    """The key was undone before it was ever used, so it moves nothing any more."""

    code = "key_voided"

    def __init__(self, voided_key: str) -> None:
        super().__init__(f"key {voided_key!r} was undone before it was used")
        self.key = voided_key


class NotReversible(LedgerError):
    """The key belongs to something that is not undone by a transfer."""

    code = "not_reversible"

    def __init__(self, undone_key: str, act: str) -> None:
        super().__init__(f"key {undone_key!r} belongs to a {act}, which no transfer can reverse")
        self.key = undone_key
        self.act = act


class HoldNotOpen(LedgerError):
    """The hold was resolved already."""

    code = "hold_not_open"

    def __init__(self, hold_key: str, status: str) -> None:
        super().__init__(f"hold {hold_key!r} is {status}")
        self.key = hold_key
        self.status = status


class CaptureTooLarge(LedgerError):
    """More would be captured than is held."""

    code = "capture_too_large"

    def __init__(self, *, held: Money, asked: Money) -> None:
        super().__init__(f"{held} is held, {asked} was asked for")
        self.held = held
        self.asked = asked


class BusinessDayClosed(LedgerError):
    """The value date lies in a business day that is closed."""

    code = "business_day_closed"

    def __init__(self, *, value_date: date, open_date: date) -> None:
        super().__init__(f"business day {value_date} is closed; {open_date} is open")
        self.value_date = value_date
        self.open_date = open_date
