"""Refusals of lending, each with a stable `code`. Trying again cannot change any, so the engine never retries them.

What a third party's call can come to beside its answer stands in `finaegis.shared.third_party`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from finaegis.shared.money import Money
from workflows import NonRetryable


class LendingError(NonRetryable):
    """A request to lending that cannot be done as asked."""

    code = "lending_refused"


class InvalidApplication(LendingError):
    """The facts given do not make an application."""

    code = "invalid_application"


class InvalidSsn(LendingError):
    """Not the form of a social security number. The text never shows what was given."""

    code = "invalid_ssn"

    def __init__(self) -> None:
        super().__init__("a social security number has nine digits, as AAA-GG-SSSS")


class CurrencyNotLent(LendingError):
    """Nothing is lent in this currency."""

    code = "currency_not_lent"

    def __init__(self, currency: str) -> None:
        super().__init__(f"nothing is lent in {currency}")
        self.currency = currency


class AmountNotPositive(LendingError):
    """The amount must be more than zero."""

    code = "amount_not_positive"


class InvalidTerm(LendingError):
    """The term is not one that is lent for."""

    code = "invalid_term"


class InvalidSchedule(LendingError):
    """Principal, rate, fees and dates given do not make a schedule."""

    code = "invalid_schedule"


class InvalidCreditFile(LendingError):
    """The file does not hold applications in the form of the credit data."""

    code = "invalid_credit_file"


class InvalidKey(LendingError):
    """A key is a text of 1 to 240 printable characters."""

    code = "invalid_key"


class IdempotencyConflict(LendingError):
    """The key was used before with another payload."""

    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key!r} was used before with another payload")
        self.key = key


class UndoneKeyMissing(LendingError):
    """An undo runs only as the undo of a step: without that step's key it cannot know what to undo."""

    code = "undone_key_missing"


class UnknownApplication(LendingError):
    """There is no such application."""

    code = "unknown_application"

    def __init__(self, application_id: UUID) -> None:
        super().__init__(f"there is no application {application_id}")
        self.application_id = application_id


class UnknownLoan(LendingError):
    """There is no such loan."""

    code = "unknown_loan"

    def __init__(self, loan_id: UUID) -> None:
        super().__init__(f"there is no loan {loan_id}")
        self.loan_id = loan_id


class UnknownDisbursement(LendingError):
    """There is no such disbursement."""

    code = "unknown_disbursement"

    def __init__(self, disbursement_id: UUID) -> None:
        super().__init__(f"there is no disbursement {disbursement_id}")
        self.disbursement_id = disbursement_id


class UnknownCase(LendingError):
    """There is no such case."""

    code = "unknown_case"

    def __init__(self, case_id: UUID) -> None:
        super().__init__(f"there is no case {case_id}")
        self.case_id = case_id


class ApplicationOpen(LendingError):
    """The applicant has an open application for the product already."""

    code = "application_open"

    def __init__(self, product: str) -> None:
        super().__init__(f"the applicant has an open application for {product} already")
        self.product = product


class WrongStatus(LendingError):
    """The application, offer, loan or disbursement does not stand where this act expects it."""

    code = "wrong_status"

    def __init__(self, subject: str, subject_id: UUID, status: str) -> None:
        super().__init__(f"{subject} {subject_id} is {status}")
        self.subject = subject
        self.subject_id = subject_id
        self.status = status


class NotInReview(WrongStatus):
    """Nobody is asked to decide this application."""

    code = "not_in_review"


class AlreadyDecided(LendingError):
    """The review was decided before."""

    code = "already_decided"


class SameOfficer(LendingError):
    """Whoever entered an application does not decide it."""

    code = "same_officer"

    def __init__(self) -> None:
        super().__init__("whoever entered an application does not decide it")


class OfficerUnknown(LendingError):
    """A decision needs a person who makes it."""

    code = "officer_unknown"


class ReasonMissing(LendingError):
    """An officer's act needs a reason."""

    code = "reason_required"


class InvalidDecision(LendingError):
    """A review is approved or declined."""

    code = "invalid_decision"


class NoOffer(LendingError):
    """The application has no offer."""

    code = "no_offer"


class OfferExpired(LendingError):
    """The offer stood until a moment that has passed."""

    code = "offer_expired"

    def __init__(self, offer_id: UUID, expired_at: datetime) -> None:
        super().__init__(f"offer {offer_id} expired at {expired_at.isoformat()}")
        self.offer_id = offer_id
        self.expired_at = expired_at


class DisbursementExists(LendingError):
    """The loan has a live or completed disbursement already."""

    code = "disbursement_exists"

    def __init__(self, loan_id: UUID) -> None:
        super().__init__(f"loan {loan_id} has a live or completed disbursement already")
        self.loan_id = loan_id


class FundsMissing(LendingError):
    """Lending has not enough money of that currency available."""

    code = "funds_missing"

    def __init__(self, needed: Money) -> None:
        super().__init__(f"lending has less than {needed} available")
        self.needed = needed


class PaymentNotCarried(LendingError):
    """The rail refused the payment or sent it back."""

    code = "payment_not_carried"


class PaymentUnaccounted(LendingError):
    """The rail carried a payment that the ledger knows nothing of: a person has to look."""

    code = "payment_unaccounted"


class CaseClosed(LendingError):
    """The case was closed before."""

    code = "case_closed"


class DecisionUnproven(LendingError):
    """The decision did not come through lending's own door, so nobody answers for its officer."""

    code = "decision_unproven"


class LetterRefused(LendingError):
    """The mail system will never take this letter."""

    code = "letter_refused"
