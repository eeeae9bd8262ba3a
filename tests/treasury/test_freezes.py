"""Freezes: an account takes no new allocations while any freeze of it stands, and each is lifted by its own key."""

import uuid

import pytest

from finaegis.shared.money import Money
from tests.treasury.factories import TreasuryAccountFactory
from treasury import errors, operations, queries
from treasury.contracts import AccountStatus, FreezeStatus
from treasury.events import TreasuryAccountFrozen, TreasuryAccountUnfrozen
from treasury.models import Freeze, TreasuryAggregate

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return TreasuryAccountFactory()


def freeze(account, key="freeze-1", cause="risk above the limit"):
    return operations.freeze_account(key=key, account_id=account.id, cause=cause)


def lift(account, undone_key="freeze-1", key="lift-1"):
    return operations.lift_freeze(key=key, undone_key=undone_key, account_id=account.id)


def status(account):
    return queries.get_account(account.id).status


def events(account):
    return [type(event) for event in TreasuryAggregate.retrieve(account.id).recorded_events]


def test_a_frozen_account_takes_no_new_allocation(account):
    freeze(account)

    with pytest.raises(errors.AccountFrozen):
        operations.allocate(key="a", account_id=account.id, strategy="balanced", amount=Money(100, "USD"))
    assert events(account) == [TreasuryAccountFrozen]


def test_lifting_makes_it_active_again(account):
    freeze(account)
    lift(account)

    assert status(account) is AccountStatus.ACTIVE
    assert events(account) == [TreasuryAccountFrozen, TreasuryAccountUnfrozen]


def test_lifting_one_freeze_leaves_another_standing(account):
    freeze(account)
    freeze(account, key="freeze-2", cause="compliance: rejected")

    lift(account)
    assert status(account) is AccountStatus.FROZEN

    lift(account, undone_key="freeze-2", key="lift-2")
    assert status(account) is AccountStatus.ACTIVE


def test_the_same_key_freezes_and_lifts_once(account):
    assert freeze(account) == freeze(account)
    assert lift(account) == lift(account)

    assert events(account) == [TreasuryAccountFrozen, TreasuryAccountUnfrozen]


def test_lifting_what_was_never_placed_keeps_it_from_being_placed(account):
    assert lift(account).status is FreezeStatus.VOID

    with pytest.raises(errors.FreezeVoided):
        freeze(account)
    assert status(account) is AccountStatus.ACTIVE
    assert events(account) == []


def test_a_key_stands_for_one_account_and_cause(account):
    freeze(account)

    with pytest.raises(errors.IdempotencyConflict):
        freeze(account, cause="another")
    with pytest.raises(errors.IdempotencyConflict):
        freeze(TreasuryAccountFactory())
    with pytest.raises(errors.IdempotencyConflict):
        lift(TreasuryAccountFactory())


@pytest.mark.parametrize("cause", ["", " ", "x" * 201, "NUL\x00"])
def test_a_cause_that_says_nothing_is_refused_and_nothing_is_written(account, cause):
    with pytest.raises(errors.InvalidFreeze):
        freeze(account, cause=cause)
    assert Freeze.objects.count() == 0


def test_an_unknown_account_is_refused():
    with pytest.raises(errors.UnknownAccount):
        operations.freeze_account(key="f", account_id=uuid.UUID(int=7), cause="x")
