"""Refusals and failures of the wallet, each with a stable `code`.

A `WalletError` is a refusal: trying again cannot change it, so the engine never retries it. The failures of third
parties at the end are no refusals: they say whether to try again or to ask.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from finaegis.shared.money import Money
from workflows import NonRetryable


class WalletError(NonRetryable):
    """A wallet request that cannot be done as asked."""

    code = "wallet_refused"


class InvalidCustomer(WalletError):
    """The facts given do not make a customer: a name and an e-mail address."""

    code = "invalid_customer"


class InvalidDestination(WalletError):
    """The facts given do not make a destination."""

    code = "invalid_destination"


class InvalidKey(WalletError):
    """A key is a text of 1 to 240 printable characters."""

    code = "invalid_key"


class IdempotencyConflict(WalletError):
    """The key was used before with another payload."""

    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key!r} was used before with another payload")
        self.key = key


class UndoneKeyMissing(WalletError):
    """An undo runs only as the undo of a step: without that step's key it cannot know what to undo."""

    code = "undone_key_missing"


class UnknownAccount(WalletError):
    """There is no such wallet account."""

    code = "unknown_account"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"there is no wallet account {account_id}")
        self.account_id = account_id


class UnknownDestination(WalletError):
    """The account has no such destination."""

    code = "unknown_destination"

    def __init__(self, destination_id: UUID) -> None:
        super().__init__(f"the account has no destination {destination_id}")
        self.destination_id = destination_id


class UnknownWithdrawal(WalletError):
    """There is no such withdrawal."""

    code = "unknown_withdrawal"

    def __init__(self, withdrawal_id: UUID) -> None:
        super().__init__(f"there is no withdrawal {withdrawal_id}")
        self.withdrawal_id = withdrawal_id


class UnknownCase(WalletError):
    """There is no such case."""

    code = "unknown_case"

    def __init__(self, case_id: UUID) -> None:
        super().__init__(f"there is no case {case_id}")
        self.case_id = case_id


class AccountFrozen(WalletError):
    """The account is frozen: no money leaves it."""

    code = "account_frozen"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"wallet account {account_id} is frozen")
        self.account_id = account_id


class DestinationNotAllowed(WalletError):
    """The destination is blocked or was removed from the allow-list."""

    code = "destination_not_allowed"

    def __init__(self, destination_id: UUID, status: str) -> None:
        super().__init__(f"destination {destination_id} is {status}")
        self.destination_id = destination_id
        self.status = status


class DestinationCoolingOff(WalletError):
    """The destination is new: it takes no money yet."""

    code = "destination_cooling_off"

    def __init__(self, destination_id: UUID, usable_from: datetime) -> None:
        super().__init__(f"destination {destination_id} takes money from {usable_from.isoformat()} on")
        self.destination_id = destination_id
        self.usable_from = usable_from


class CurrencyMismatch(WalletError):
    """The amount is in another currency than the account."""

    code = "currency_mismatch"

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(f"the account is in {expected}, the amount in {found}")
        self.expected = expected
        self.found = found


class AmountNotPositive(WalletError):
    """The amount must be more than zero."""

    code = "amount_not_positive"


class InsufficientFunds(WalletError):
    """The account does not have the amount available."""

    code = "insufficient_funds"


class LimitsMissing(WalletError):
    """No limits are set for the currency, so nothing may leave."""

    code = "limits_missing"

    def __init__(self, currency: str) -> None:
        super().__init__(f"no withdrawal limits are set for {currency}")
        self.currency = currency


class LimitExceeded(WalletError):
    """The amount is over one of the account's limits; `limit` names it, `left` is what it still allows."""

    code = "limit_exceeded"

    def __init__(self, *, limit: str, allowed: Money, left: Money) -> None:
        super().__init__(f"the {limit} limit is {allowed}, {left} of it is left")
        self.limit = limit
        self.allowed = allowed
        self.left = left


class TooManyWithdrawals(WalletError):
    """Too many withdrawals began in a short time."""

    code = "too_many_withdrawals"


class TokenUnknown(WalletError):
    """No withdrawal waits for this token: it never existed, or belongs to somebody else, or to other facts."""

    code = "unknown_token"


class TokenVoid(WalletError):
    """A newer link was sent, so this one counts no more."""

    code = "token_void"


class TokenUsed(WalletError):
    """The token was used before; it confirms once."""

    code = "token_used"


class ConfirmationExpired(WalletError):
    """The time to confirm is over."""

    code = "confirmation_expired"


class NotCancellable(WalletError):
    """The withdrawal is being processed or has ended, so it can no longer be cancelled."""

    code = "not_cancellable"

    def __init__(self, withdrawal_id: UUID, status: str) -> None:
        super().__init__(f"withdrawal {withdrawal_id} is {status}")
        self.withdrawal_id = withdrawal_id
        self.status = status


class NotAwaitingConfirmation(WalletError):
    """The withdrawal does not wait for a confirmation, so nothing is sent or confirmed."""

    code = "not_awaiting_confirmation"

    def __init__(self, withdrawal_id: UUID, status: str) -> None:
        super().__init__(f"withdrawal {withdrawal_id} is {status}")
        self.withdrawal_id = withdrawal_id
        self.status = status


class ResentTooOften(WalletError):
    """A link was sent a moment ago, or very often already."""

    code = "resent_too_often"


class WrongStatus(WalletError):
    """The withdrawal does not stand where this step expects it."""

    code = "unexpected_status"

    def __init__(self, withdrawal_id: UUID, status: str) -> None:
        super().__init__(f"withdrawal {withdrawal_id} is {status}")
        self.withdrawal_id = withdrawal_id
        self.status = status


class NotReturnable(WalletError):
    """The withdrawal is not completed, so nothing of it can have come back."""

    code = "not_returnable"

    def __init__(self, withdrawal_id: UUID, status: str) -> None:
        super().__init__(f"withdrawal {withdrawal_id} is {status}")
        self.withdrawal_id = withdrawal_id
        self.status = status


class SanctionsHit(WalletError):
    """The beneficiary matches a sanctions list."""

    code = "sanctions_hit"


class NotDue(WalletError):
    """The withdrawal settles later."""

    code = "not_due"


class NotAccepted(WalletError):
    """The rail has not accepted the payment yet, so it does not settle."""

    code = "not_accepted"


class CaseResolved(WalletError):
    """The case was resolved before, in another way."""

    code = "case_resolved"


class InvalidResolution(WalletError):
    """A case of this kind does not end that way."""

    code = "invalid_resolution"


class ReasonMissing(WalletError):
    """An officer's act needs a reason."""

    code = "reason_missing"


class MailRefused(WalletError):
    """The mail server will not take the e-mail, however often it is sent."""

    code = "mail_refused"


class PaymentRefused(WalletError):
    """The rail will never pay this: it refused, returned or recalled it."""

    code = "rail_refused"


class InquiryRefused(WalletError):
    """The rail does not answer this inquiry, which tells nothing about the payment."""

    code = "inquiry_refused"


class NotRecalled(WalletError):
    """The rail did not take the payment back."""

    code = "not_recalled"


# --- Third parties ---------------------------------------------------------------------------------------------------


class RailRefused(WalletError):
    """The rail will not carry the payment, or carries it too far to take it back."""

    code = "rail_refused"


class RailUnavailable(Exception):
    """The rail cannot be reached; it did nothing. Try again."""

    code = "rail_unavailable"


class RailOutcomeUnknown(Exception):
    """The rail got the order and gave no answer that can be understood: ask it by the key before anything else."""

    code = "rail_outcome_unknown"


class ScreeningUnavailable(Exception):
    """The sanctions screening cannot be reached or gave no answer. Try again."""

    code = "screening_unavailable"


#: Refusals at processing, by the name of their class, and the reason they give a withdrawal: the payment may not or
#: will not be made, so what was done is undone. Everything else that stops a confirmed withdrawal waits for a person.
PROCESSING_REFUSALS: dict[str, str] = {
    refusal.__name__: refusal.code
    for refusal in (AccountFrozen, DestinationNotAllowed, SanctionsHit, RailRefused, PaymentRefused)
}
