"""The transfer: by the rail and in the ledger, undone however far it got, and asked about when its answer was lost."""

from datetime import timedelta

import pytest

from finaegis.shared.money import Money
from finaegis.shared.third_party import OutcomeUnknown, Refused, Unavailable
from finaegis.simulators.conditions import impose, lift
from finaegis.simulators.models import Failure
from ledger.errors import KeyVoided
from lending import operations, queries
from lending.contracts import CaseStatus, PaymentStatus
from lending.errors import CaseClosed, OfficerUnknown, PaymentUnaccounted, ReasonMissing, UnknownCase
from lending.models import ReceivableCase
from lending.ports import chosen
from lending.rules.keys import payment_key
from tests.lending.applying import balance, spend

pytestmark = pytest.mark.django_db

RAIL = "disbursement_rail"
BEFORE = {"funding": "100000.00", "in_transit": None, "current": "0.00", "debt": None, "receivable": None}


@pytest.fixture
def loan(funded, applicants):
    return applicants.lent()


@pytest.fixture
def transaction(loan):
    reservation = operations.reserve_funds(key="r-1", loan_id=loan.id, run_id=None)
    created = operations.create_disbursement(key="c-1", loan_id=loan.id, reservation=reservation, run_id=None)
    return created.transaction_id


def transfer(transaction):
    return operations.transfer_funds(transaction_id=transaction, run_id=None)


def reverse(transaction):
    return operations.reverse_transfer(transaction_id=transaction, run_id=None)


def reconcile(transaction):
    return operations.reconcile_transfer(transaction_id=transaction, run_id=None)


def at_the_rail(transaction):
    return chosen.payment_rail().inquire(key=payment_key(transaction)).status


def books(loan):
    """Where the money stands."""
    return {
        "funding": balance("lending", "funding"),
        "in_transit": balance("lending", "in_transit"),
        "current": balance(loan.ledger_owner, "current"),
        "debt": balance(loan.ledger_owner, "debt"),
        "receivable": balance("lending", "receivable"),
    }


def restored(loan):
    """Every account as before; those opened on the way are empty."""
    return {kind: amount or "0.00" for kind, amount in books(loan).items()} == {
        kind: amount or "0.00" for kind, amount in BEFORE.items()
    }


def test_the_money_reaches_the_borrower(loan, transaction):
    done = transfer(transaction)

    assert done.amount == Money("2096.00", "EUR")
    assert done.rail_reference.startswith("SIM-")
    assert books(loan) == {**BEFORE, "funding": "97904.00", "in_transit": "0.00", "current": "2096.00"}
    assert at_the_rail(transaction) is PaymentStatus.PENDING


def test_a_transfer_that_is_repeated_moves_money_once(loan, transaction):
    assert transfer(transaction) == transfer(transaction)
    assert books(loan)["current"] == "2096.00"


def test_money_whose_answer_was_lost_stands_in_transit(loan, transaction):
    impose(party=RAIL, call="submit", failure=Failure.ANSWER_LOST)

    with pytest.raises(OutcomeUnknown):
        transfer(transaction)

    assert books(loan) == {**BEFORE, "funding": "97904.00", "in_transit": "2096.00"}


def test_a_transfer_is_reversed_and_every_balance_is_as_before(loan, transaction):
    transfer(transaction)

    undone = reverse(transaction)

    assert (undone.outcome, undone.recovered, undone.case_id) == ("reversed", Money("2096.00", "EUR"), None)
    assert restored(loan)
    assert at_the_rail(transaction) is PaymentStatus.RECALLED


def test_an_undo_that_is_repeated_moves_money_once(loan, transaction):
    transfer(transaction)

    assert reverse(transaction) == reverse(transaction)
    assert restored(loan)


def test_a_zombie_that_wakes_after_its_undo_is_refused_by_the_ledger(loan, transaction):
    assert reverse(transaction).outcome == "void"

    with pytest.raises(KeyVoided):
        transfer(transaction)

    assert restored(loan)
    assert at_the_rail(transaction) is PaymentStatus.RECALLED


def test_a_zombie_is_refused_too_after_the_whole_plan_ran(loan, transaction):
    reverse(transaction)
    operations.void_disbursement(transaction_id=transaction)
    operations.release_reservation(key="u-3", undone_key="r-1")

    with pytest.raises(KeyVoided):
        transfer(transaction)

    assert restored(loan)


def test_a_zombie_that_had_got_to_the_rail_is_refused_there(loan, transaction):
    """It had taken the money into transit; the undo came while it was on its way to the rail."""
    impose(party=RAIL, call="submit", failure=Failure.CALL_LOST)
    with pytest.raises(OutcomeUnknown):
        transfer(transaction)
    reverse(transaction)

    with pytest.raises(Refused) as refused:
        transfer(transaction)

    assert refused.value.code == "key_voided"
    assert restored(loan)


def test_a_zombie_whose_payment_was_recalled_under_its_hands_credits_nobody(loan, transaction, monkeypatch):
    rail = chosen.payment_rail()

    class Slow:
        """The undo runs after the rail took the payment and before its answer is heard."""

        def pay(self, *, key, order):
            payment = rail.pay(key=key, order=order)
            monkeypatch.setattr(chosen, "payment_rail", lambda: rail)
            reverse(transaction)
            return payment

    monkeypatch.setattr(chosen, "payment_rail", Slow)

    with pytest.raises(KeyVoided):
        transfer(transaction)

    assert restored(loan)


def test_what_the_borrower_spent_becomes_a_receivable_with_a_case(loan, transaction):
    transfer(transaction)
    spend(loan, "1500.00")

    undone = reverse(transaction)

    assert (undone.recovered, undone.receivable) == (Money("596.00", "EUR"), Money("1500.00", "EUR"))
    assert books(loan) == {
        "funding": "98500.00",
        "in_transit": "0.00",
        "current": "0.00",
        "debt": "-1500.00",
        "receivable": "1500.00",
    }
    (case,) = queries.get_loan_overview(loan.id).receivables
    assert (case.id, case.status) == (undone.case_id, CaseStatus.OPEN)


def test_where_everything_was_spent_everything_is_owed(loan, transaction):
    transfer(transaction)
    spend(loan, "2096.00")

    undone = reverse(transaction)

    assert undone.recovered == Money.zero("EUR")
    assert books(loan)["receivable"] == "2096.00"


def test_a_recovery_that_is_repeated_takes_nothing_more(loan, transaction):
    transfer(transaction)
    spend(loan, "1500.00")
    first = reverse(transaction)
    spend(loan, "-700.00", key="test:wages")

    again = reverse(transaction)

    assert again == first
    assert books(loan)["current"] == "700.00"
    assert ReceivableCase.objects.count() == 1


def test_a_payment_that_the_rail_no_longer_gives_back_is_taken_from_the_borrower(loan, transaction, env):
    transfer(transaction)
    env.now += timedelta(hours=1)

    assert reverse(transaction).outcome == "reversed"
    assert restored(loan)


def test_a_payment_in_transit_that_arrived_after_all_is_taken_from_the_borrower(loan, transaction, env):
    impose(party=RAIL, call="submit", failure=Failure.ANSWER_LOST)
    with pytest.raises(OutcomeUnknown):
        transfer(transaction)
    env.now += timedelta(hours=1)

    assert reverse(transaction).outcome == "reversed"
    assert restored(loan)


def test_a_rail_that_cannot_be_reached_leaves_the_undo_for_later(loan, transaction):
    transfer(transaction)
    impose(party=RAIL, call="recall", failure=Failure.NOT_TAKEN)

    with pytest.raises(Unavailable):
        reverse(transaction)

    assert books(loan)["current"] == "2096.00"
    reverse(transaction)
    assert restored(loan)


def test_a_payment_that_no_reservation_stands_for_is_for_a_person(loan, transaction, monkeypatch):
    class Strange:
        def recall(self, *, key):
            raise Refused(party=RAIL, call="recall", code="too_late", status=409)

        def inquire(self, *, key):
            return type(chosen_payment)(key=key, status=PaymentStatus.ACCEPTED, reference="X-1")

    chosen_payment = chosen.payment_rail().inquire(key="never")
    monkeypatch.setattr(chosen, "payment_rail", Strange)

    with pytest.raises(PaymentUnaccounted):
        reverse(transaction)


def test_a_lost_answer_is_found_to_have_happened_and_the_books_follow(loan, transaction):
    impose(party=RAIL, call="submit", failure=Failure.ANSWER_LOST)
    with pytest.raises(OutcomeUnknown):
        transfer(transaction)

    outcome = reconcile(transaction)

    assert (outcome.state, outcome.result.amount) == ("happened", Money("2096.00", "EUR"))
    assert books(loan)["current"] == "2096.00"
    assert reconcile(transaction) == outcome
    assert books(loan)["current"] == "2096.00"


def test_a_lost_call_is_found_not_to_have_happened(loan, transaction):
    impose(party=RAIL, call="submit", failure=Failure.CALL_LOST)
    with pytest.raises(OutcomeUnknown):
        transfer(transaction)

    assert reconcile(transaction).state == "not_done"


def test_while_the_rail_cannot_be_asked_nothing_is_known(loan, transaction):
    impose(party=RAIL, call="inquire", failure=Failure.NOT_TAKEN, times=None)

    assert reconcile(transaction).state == "unknown"
    lift(party=RAIL)


def test_a_payment_that_a_person_found_out_about_is_booked_when_it_is_completed(loan, transaction):
    impose(party=RAIL, call="submit", failure=Failure.ANSWER_LOST)
    with pytest.raises(OutcomeUnknown):
        transfer(transaction)

    operations.complete_disbursement(transaction_id=transaction, run_id=None)

    assert books(loan)["current"] == "2096.00"
    assert books(loan)["in_transit"] == "0.00"


def test_a_case_is_closed_once_with_a_reason_and_a_name(loan, transaction, env):
    transfer(transaction)
    spend(loan, "1500.00")
    case_id = reverse(transaction).case_id

    closed = operations.close_case(case_id, reason=" written off ", actor="os:olga")

    assert (closed.status, closed.reason, closed.closed_by, closed.closed_at) == (
        CaseStatus.CLOSED,
        "written off",
        "os:olga",
        env.now,
    )
    with pytest.raises(CaseClosed):
        operations.close_case(case_id, reason="again", actor="os:olga")


@pytest.mark.parametrize(
    ("reason", "actor", "refusal"), [(" ", "os:olga", ReasonMissing), ("because", None, OfficerUnknown)]
)
def test_a_case_is_not_closed_without_reason_or_name(loan, transaction, reason, actor, refusal):
    transfer(transaction)
    spend(loan, "1500.00")

    with pytest.raises(refusal):
        operations.close_case(reverse(transaction).case_id, reason=reason, actor=actor)


def test_an_unknown_case_is_refused(env):
    with pytest.raises(UnknownCase):
        operations.close_case("00000000-0000-0000-0000-000000000001", reason="because", actor="os:olga")
