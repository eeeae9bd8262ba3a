"""The transfer of a loan's money to the borrower: by the rail, and in the ledger around it.

The ledger goes first: the reserved money is taken into transit under the payment's key, then the rail carries it, then
it reaches the borrower's account. An undo voids the key at both, so an attempt that wakes up after its undo is refused
by the ledger before it says a word to the rail, and by the rail if it had got that far. Money in doubt stands in
transit.

Calls to the rail stand outside any transaction: no lock waits for it, and a rollback does not make it forget.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from finaegis.shared.money import Money
from finaegis.shared.third_party import Refused, ThirdPartyError
from ledger import operations as ledger
from ledger.contracts import Leg
from ledger.errors import InsufficientFunds
from lending.contracts import (
    CURRENT,
    DEBT,
    FUNDING,
    RECEIVABLE,
    DisbursementStatus,
    Payment,
    PaymentOrder,
    PaymentStatus,
    Recovery,
    Transferred,
)
from lending.errors import PaymentNotCarried, PaymentUnaccounted, WrongStatus
from lending.models import Disbursement, ReceivableCase
from lending.operations.booking import credit_borrower, is_in_transit_or_beyond, take_into_transit
from lending.operations.rows import borrower_account, lending_account, locked_disbursement
from lending.ports import chosen
from lending.rules.keys import capture_key, credit_key, part, payment_key, recovery_key
from workflows import Outcome, clock

_TAKEN = (PaymentStatus.PENDING, PaymentStatus.ACCEPTED)
_TOO_LATE = "too_late"
#: How often the recovery looks again when the borrower spends money in between.
_LOOKS = 5


class RecoveryRaced(Exception):
    """The borrower's account changed each time it was looked at. Try again."""

    code = "recovery_raced"


def transfer_funds(*, transaction_id: UUID, run_id: UUID | None) -> Transferred:
    """Bring the reserved money to the borrower, once for the disbursement.

    Raises UnknownDisbursement, WrongStatus, PaymentNotCarried, the ledger's refusals (KeyVoided: it was undone before),
    and the errors of `finaegis.shared.third_party`, after which only `reconcile_transfer` knows what happened.
    """
    with transaction.atomic():
        row = locked_disbursement(transaction_id)
        take_into_transit(row, run_id=run_id)
        if row.status != DisbursementStatus.PENDING:
            raise WrongStatus("disbursement", row.id, row.status)
    order = PaymentOrder(
        amount=row.amount,
        beneficiary=row.loan.borrower,
        account=f"{row.loan.ledger_owner}/{CURRENT}",
        text=f"Loan {str(row.loan_id)[:8]}",
    )
    payment = chosen.payment_rail().pay(key=payment_key(transaction_id), order=order)
    if payment.status not in _TAKEN:
        raise PaymentNotCarried(f"the payment is {payment.status}")
    return _arrived(transaction_id, payment, run_id)


def reconcile_transfer(*, transaction_id: UUID, run_id: UUID | None) -> Outcome:
    """What became of the transfer: the rail is asked by its key, and where it took the payment the books follow it.

    Not done while the rail never saw the key: the undo that follows voids it there. Unknown while the rail cannot be
    asked, or carried what the ledger does not know of.
    """
    try:
        payment = chosen.payment_rail().inquire(key=payment_key(transaction_id))
    except ThirdPartyError:
        return Outcome.unknown()
    if payment.status not in _TAKEN:
        return Outcome.not_done()
    if not is_in_transit_or_beyond(transaction_id):
        return Outcome.unknown()
    return Outcome.happened(_arrived(transaction_id, payment, run_id))


def reverse_transfer(*, transaction_id: UUID, run_id: UUID | None) -> Recovery:
    """Undo the transfer, however far it got; nothing under its key moves money any more.

    The rail is told first: it takes the payment back, or says that it is too late. Then the money returns from the
    borrower's account to lending's funds. Of what the borrower has spent, a receivable is made with a case. Repeating
    it gives the same outcome. Raises UnknownDisbursement, PaymentUnaccounted, RecoveryRaced, the errors of
    `finaegis.shared.third_party`.
    """
    try:
        chosen.payment_rail().recall(key=payment_key(transaction_id))
    except Refused as refusal:
        if refusal.code != _TOO_LATE:
            raise
        _follow_rail(transaction_id, run_id)
    for _ in range(_LOOKS):
        try:
            return _bring_back(transaction_id, run_id)
        except InsufficientFunds:
            continue
    raise RecoveryRaced


def _arrived(transaction_id: UUID, payment: Payment, run_id: UUID | None) -> Transferred:
    with transaction.atomic():
        row = locked_disbursement(transaction_id)
        credit_borrower(row, run_id=run_id)
    return Transferred(amount=row.amount, rail_reference=payment.reference)


def _follow_rail(transaction_id: UUID, run_id: UUID | None) -> None:
    """The rail has paid for good, so the borrower has the money: the books say so before it is called back."""
    payment = chosen.payment_rail().inquire(key=payment_key(transaction_id))
    if not is_in_transit_or_beyond(transaction_id):
        raise PaymentUnaccounted(f"the rail carried payment {payment.reference}, which no reservation stands for")
    _arrived(transaction_id, payment, run_id)


def _bring_back(transaction_id: UUID, run_id: UUID | None) -> Recovery:
    key = payment_key(transaction_id)
    with transaction.atomic():
        row = locked_disbursement(transaction_id)
        known = ReceivableCase.objects.filter(disbursement=row).first()
        if known is not None:
            return _recovery(known)
        try:
            with transaction.atomic():
                ledger.reverse_transfer(
                    key=part(key, "credit-back"),
                    undone_key=credit_key(transaction_id),
                    description=f"loan {row.loan_id} called back",
                    run_id=run_id,
                )
        except InsufficientFunds:
            return _recovery(_recover_in_part(row, run_id))
        taken = ledger.reverse_transfer(
            key=part(key, "capture-back"),
            undone_key=capture_key(transaction_id),
            description=f"loan {row.loan_id} taken back from transit",
            run_id=run_id,
        )
        nothing = Money.zero(row.currency)
        if taken.outcome == "void":
            return Recovery(outcome="void", recovered=nothing, receivable=nothing)
        return Recovery(outcome="reversed", recovered=row.amount, receivable=nothing)


def _recover_in_part(row: Disbursement, run_id: UUID | None) -> ReceivableCase:
    """Take what the borrower still has; the rest is what the borrower owes, and a case says so."""
    current = borrower_account(row.loan, CURRENT)
    nothing = Money.zero(row.currency)
    recovered = max(min(current.available, row.amount), nothing)
    owed = row.amount - recovered
    if not owed:
        raise InsufficientFunds(account_id=current.id, available=current.available, needed=row.amount)
    legs = [
        Leg(borrower_account(row.loan, DEBT).id, -owed),
        Leg(lending_account(RECEIVABLE, row.currency).id, owed),
    ]
    if recovered:
        legs += [Leg(current.id, -recovered), Leg(lending_account(FUNDING, row.currency).id, recovered)]
    ledger.transfer(
        key=recovery_key(row.id),
        legs=legs,
        description=f"loan {row.loan_id} called back in part",
        run_id=run_id,
    )
    return ReceivableCase.objects.create(
        disbursement=row,
        currency=row.currency,
        amount_minor=owed.to_minor(),
        recovered_minor=recovered.to_minor(),
        opened_at=clock.now(),
    )


def _recovery(case: ReceivableCase) -> Recovery:
    return Recovery(outcome="reversed", recovered=case.recovered, receivable=case.amount, case_id=case.id)
