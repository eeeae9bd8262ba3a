"""Paying out, operation by operation: funds, the one disbursement of a loan, its schedule, and each of these undone."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from ledger.errors import KeyVoided
from lending import operations, queries
from lending.contracts import DisbursementStatus, LoanStatus
from lending.errors import DisbursementExists, FundsMissing, IdempotencyConflict, OfferExpired, UnknownLoan, WrongStatus
from lending.models import Disbursement
from tests.lending.applying import balance, fund

pytestmark = pytest.mark.django_db

AMOUNT = Money("2096.00", "EUR")


@pytest.fixture
def loan(funded, applicants):
    return applicants.lent()


def reserve(loan, key="r-1"):
    return operations.reserve_funds(key=key, loan_id=loan.id, run_id=None)


def create(loan, key="c-1", reservation_key="r-1"):
    reservation = reserve(loan, reservation_key)
    return operations.create_disbursement(key=key, loan_id=loan.id, reservation=reservation, run_id=None).transaction_id


def funds():
    account = ledger_queries.find_account(owner="lending", kind="funding", currency="EUR")
    return account.balance.to_text(), account.available.to_text()


def test_lending_is_funded_once_per_key(env):
    fund()
    fund()

    assert funds() == ("100000.00", "100000.00")
    assert balance("external", "external") == "-100000.00"


def test_funds_are_set_aside_and_nothing_moves(loan):
    reservation = reserve(loan)

    assert reservation.amount == AMOUNT
    assert funds() == ("100000.00", "97904.00")


def test_the_same_key_sets_aside_once(loan):
    assert reserve(loan) == reserve(loan)
    assert funds()[1] == "97904.00"


def test_a_reservation_is_released(loan):
    reserve(loan)

    operations.release_reservation(key="u-1", undone_key="r-1")
    operations.release_reservation(key="u-1", undone_key="r-1")

    assert funds() == ("100000.00", "100000.00")


def test_a_reservation_that_was_undone_before_it_came_sets_nothing_aside(loan):
    operations.release_reservation(key="u-1", undone_key="r-1")

    with pytest.raises(KeyVoided):
        reserve(loan)

    assert funds() == ("100000.00", "100000.00")


def test_what_lending_does_not_have_is_not_reserved(applicants):
    fund("2095.99")

    with pytest.raises(FundsMissing):
        reserve(applicants.lent())


def test_an_unknown_loan_is_refused(env):
    with pytest.raises(UnknownLoan):
        operations.reserve_funds(key="r-1", loan_id="00000000-0000-0000-0000-000000000001", run_id=None)


def test_a_loan_is_not_paid_out_after_its_offer_expired(loan, env):
    env.now += timedelta(days=30)

    with pytest.raises(OfferExpired):
        reserve(loan)


def test_a_loan_has_one_live_disbursement(loan):
    create(loan)

    with pytest.raises(DisbursementExists):
        reserve(loan, "r-2")


def test_the_database_keeps_one_live_disbursement_whoever_forgets_to_look(loan):
    row = Disbursement.objects.get(pk=create(loan))
    row.pk, row.key = None, "c-2"

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_same_key_creates_one_disbursement(loan):
    assert create(loan) == create(loan)
    assert Disbursement.objects.count() == 1


def test_the_same_key_for_another_reservation_is_a_conflict(loan):
    create(loan)
    reservation = reserve(loan)
    changed = type(reservation)(hold_key="another", amount=reservation.amount)

    with pytest.raises(IdempotencyConflict):
        operations.create_disbursement(key="c-1", loan_id=loan.id, reservation=changed, run_id=None)


def test_completing_makes_the_loan_active_and_its_schedule_binding(loan, env):
    created = create(loan)

    operations.complete_disbursement(transaction_id=created, run_id=None)
    operations.complete_disbursement(transaction_id=created, run_id=None)

    overview = queries.get_loan_overview(loan.id)
    assert (overview.status, overview.disbursed_on) == (LoanStatus.ACTIVE, date(2026, 1, 5))
    assert [entry.number for entry in overview.schedule] == list(range(1, 13))
    assert (overview.schedule[0].due_on, overview.schedule[-1].due_on) == (date(2026, 2, 5), date(2027, 1, 5))
    assert Money.total((entry.principal for entry in overview.schedule), "EUR") == AMOUNT
    assert overview.schedule[-1].balance == Money.zero("EUR")
    assert overview.terms.total_of_payments == Money.total((entry.instalment for entry in overview.schedule), "EUR")


def test_a_loan_without_a_payout_has_no_schedule(loan):
    assert queries.get_loan_overview(loan.id).schedule == ()


def test_voiding_a_completed_disbursement_lets_the_loan_wait_again(loan):
    created = create(loan)
    operations.complete_disbursement(transaction_id=created, run_id=None)

    operations.void_disbursement(transaction_id=created)
    operations.void_disbursement(transaction_id=created)

    overview = queries.get_loan_overview(loan.id)
    assert (overview.status, overview.disbursed_on, overview.schedule) == (LoanStatus.ACCEPTED, None, ())
    assert overview.terms == loan.terms
    assert [item.status for item in overview.disbursements] == [DisbursementStatus.VOIDED]


def test_a_voided_disbursement_leaves_room_for_another(loan):
    operations.void_disbursement(transaction_id=create(loan))

    assert create(loan, "c-2", "r-2") != create(loan)


def test_a_voided_disbursement_is_not_completed(loan):
    created = create(loan)
    operations.void_disbursement(transaction_id=created)

    with pytest.raises(WrongStatus):
        operations.complete_disbursement(transaction_id=created, run_id=None)
