"""Returned payments, and what an officer decides."""

from datetime import timedelta
from uuid import uuid4

import pytest

from ledger import queries as ledger_queries
from tests.wallet.factories import RETURNED_LATE, add_destination, money_of, outside
from tests.wallet.flows import PAID, UNTOUCHED, confirmed, kinds, stands, withdrawal_of
from wallet import errors, operations, queries
from wallet.contracts import Resolution
from wallet.models import Case
from wallet.operations.processing import payment_key
from wallet.ports import chosen

pytestmark = pytest.mark.django_db

WAITING = {"available": "900.00", "held": "0.00", "in transit": "100.00"}


@pytest.fixture
def paid(env, account):
    run = confirmed(env, account, add_destination(account, ending=RETURNED_LATE))
    env.finish(run.id)
    return run


@pytest.fixture
def case(paid):
    return returned(paid)


def returned(run, key="r", reason="the rail says: account closed"):
    return operations.record_return(key=key, withdrawal_id=withdrawal_of(run).id, reason=reason, actor="desk")


def resolve(case, resolution, reason="looked into it"):
    return operations.resolve_case(case.id, resolution=Resolution(resolution), reason=reason, actor="officer")


def test_a_late_return_is_what_the_rail_says_of_a_completed_withdrawal(env, paid):
    env.skip(timedelta(hours=24))

    key = payment_key(withdrawal_of(paid).id)
    assert stands(paid) == ("completed", None)
    assert chosen.payment_rail().inquire(key=key).status == "returned"


def test_a_return_reopens_the_withdrawal_as_a_case_and_its_money_waits(account, paid, case):
    assert (case.kind, case.status, case.withdrawal_id) == ("return", "open", withdrawal_of(paid).id)
    assert stands(paid) == ("returned", "returned")
    assert (money_of(account), outside()) == (WAITING, "-1000.00")


def test_the_same_key_records_a_return_once(account, paid, case):
    assert returned(paid) == case
    assert (Case.objects.count(), money_of(account)) == (1, WAITING)


def test_a_return_is_recorded_of_a_completed_withdrawal_alone(env, account, destination, paid, case):
    other = confirmed(env, account, destination)

    with pytest.raises(errors.NotReturnable):
        returned(other, key="other")
    with pytest.raises(errors.NotReturnable):
        returned(paid, key="again")
    with pytest.raises(errors.IdempotencyConflict):
        returned(other, key="r")
    with pytest.raises(errors.UnknownWithdrawal):
        operations.record_return(key="x", withdrawal_id=uuid4(), reason="r", actor="desk")


@pytest.mark.parametrize("reason", ["", " "])
def test_a_return_needs_a_reason(paid, reason):
    with pytest.raises(errors.ReasonMissing):
        returned(paid, reason=reason)

    assert Case.objects.count() == 0


def test_credited_gives_the_money_back_to_the_customer(account, paid, case):
    resolved = resolve(case, "credited")

    assert (resolved.status, resolved.resolution, resolved.resolved_by) == ("resolved", "credited", "officer")
    assert stands(paid)[0] == "return_credited"
    assert money_of(account) == UNTOUCHED
    assert kinds(paid)[-2:] == ["returned", "case_resolved"]


def test_retained_sets_the_money_aside(account, paid, case):
    resolve(case, "retained")

    kept = ledger_queries.find_account(owner="wallet", kind="suspense", currency="USD")
    assert (stands(paid)[0], money_of(account), kept.balance.to_text()) == ("returned", PAID, "100.00")


def test_a_case_is_resolved_once(account, case):
    first = resolve(case, "credited")

    assert resolve(case, "credited") == first
    with pytest.raises(errors.CaseResolved):
        resolve(case, "retained")
    assert money_of(account) == UNTOUCHED


@pytest.mark.parametrize("resolution", ["cleared", "confirmed"])
def test_a_return_is_not_resolved_like_a_match(account, case, resolution):
    with pytest.raises(errors.InvalidResolution):
        resolve(case, resolution)

    assert queries.get_case(case.id).status == "open"
    assert money_of(account) == WAITING


def test_resolving_needs_a_reason_and_a_case(case):
    with pytest.raises(errors.ReasonMissing):
        resolve(case, "credited", reason=" ")
    with pytest.raises(errors.UnknownCase):
        operations.resolve_case(uuid4(), resolution=Resolution.CREDITED, reason="r", actor="officer")

    assert queries.get_case(case.id).status == "open"
