"""What the database itself refuses, whoever writes: here raw SQL does."""

from contextlib import contextmanager
from datetime import date
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from ledger import models, operations, queries, triggers
from ledger.models import Account, BusinessDate, Hold, Posting, Transfer, UsedKey
from tests.ledger.conftest import legs, usd

pytestmark = pytest.mark.django_db


def execute(sql, *values):
    """One statement in a savepoint of its own; ids as the database stores them."""
    adapted = [models.Transfer._meta.pk.get_db_prep_value(value, connection) if hasattr(value, "hex") else value
               for value in values]  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, adapted)
        return cursor.rowcount


@contextmanager
def refused(text):
    with pytest.raises(IntegrityError, match=text):
        yield


@contextmanager
def maintenance():
    if connection.vendor == "postgresql":
        execute("SET LOCAL finaegis.maintenance = 'on'")
        yield
        execute("SET LOCAL finaegis.maintenance = 'off'")
    else:
        execute("INSERT INTO workflows_maintenance VALUES (1)")
        yield
        execute("DELETE FROM workflows_maintenance")


def draft(*postings, day=None):
    """A draft written row by row, as no operation would; `postings` are (account, minor units[, currency])."""
    row = Transfer.objects.create(
        key=f"draft:{uuid4()}",
        status="draft",
        value_date=day or queries.get_business_date(),
        posted_at="2031-01-01T00:00:00Z",
        digest="",
    )
    for position, (account, amount, *currency) in enumerate(postings):
        Posting.objects.create(
            transfer=row,
            position=position,
            account_id=account.id,
            amount_minor=amount,
            currency=currency[0] if currency else account.currency,
        )
    return row


def post(row):
    execute("UPDATE ledger_transfer SET status = 'posted' WHERE id = %s", row.id)


@pytest.fixture
def paid(alice, bob):
    return operations.transfer(key="pay", legs=legs(alice, bob, usd("40.00")))


def test_a_balanced_draft_is_posted(alice, bob):
    row = draft((alice, -500), (bob, 500))

    post(row)

    assert Transfer.objects.get(pk=row.id).status == "posted"


@pytest.mark.parametrize("second", [499, 501, -500])
def test_postings_that_do_not_sum_to_zero_are_not_posted(alice, bob, second):
    row = draft((alice, -500), (bob, second))

    with refused("sum to zero"):
        post(row)


def test_postings_sum_to_zero_in_each_currency_apart(alice, bob):
    euros = operations.open_account(owner="bob", kind="operating", currency="EUR")
    row = draft((alice, -500), (euros, 500))

    with refused("sum to zero"):
        post(row)


def test_a_posting_is_in_the_currency_of_its_account(alice, bob):
    row = draft((alice, -500, "EUR"), (bob, 500, "EUR"))

    with refused("currency"):
        post(row)


def test_a_transfer_without_postings_is_not_posted(alice):
    row = draft()

    with refused("at least two postings"):
        post(row)


def test_a_transfer_is_not_inserted_as_posted(paid):
    row = Transfer.objects.get(pk=paid.id)
    row.pk, row.key = uuid4(), "second"

    with refused("begins as a draft"), transaction.atomic():
        row.save(force_insert=True)


def test_a_transfer_into_a_closed_day_is_not_posted(alice, bob):
    BusinessDate.objects.create(open_date=date(2031, 1, 2))
    row = draft((alice, -500), (bob, 500), day=date(2031, 1, 1))

    with refused("business day is closed"):
        post(row)


@pytest.mark.parametrize(
    "change", ["status = 'draft'", "description = 'other'", "value_date = '2020-01-01'", "key = 'other'", "digest = ''"]
)
def test_a_posted_transfer_is_not_edited(paid, change):
    with refused("sealed"):
        execute(f"UPDATE ledger_transfer SET {change} WHERE id = %s", paid.id)


def test_a_posted_transfer_is_not_deleted(paid):
    with refused("sealed"):
        execute("DELETE FROM ledger_transfer WHERE id = %s", paid.id)


@pytest.mark.parametrize("change", ["amount_minor = amount_minor * 2", "position = position + 10", "currency = 'EUR'"])
def test_the_postings_of_a_posted_transfer_are_not_edited(paid, change):
    with refused("sealed"):
        execute(f"UPDATE ledger_posting SET {change} WHERE transfer_id = %s", paid.id)


def test_the_postings_of_a_posted_transfer_are_not_deleted(paid):
    with refused("sealed"):
        execute("DELETE FROM ledger_posting WHERE transfer_id = %s", paid.id)


def test_no_posting_is_added_to_a_posted_transfer(alice, paid):
    with refused("sealed"), transaction.atomic():
        Posting.objects.create(
            transfer_id=paid.id, position=2, account_id=alice.id, amount_minor=1, currency=alice.currency
        )


def test_no_posting_is_moved_into_a_posted_transfer(alice, bob, paid):
    row = draft((alice, -500), (bob, 500))

    with refused("sealed"):
        execute(
            "UPDATE ledger_posting SET transfer_id = %s, position = position + 10 WHERE transfer_id = %s",
            paid.id,
            row.id,
        )


def test_a_draft_may_still_be_changed(alice, bob):
    row = draft((alice, -500), (bob, 500))

    assert execute("DELETE FROM ledger_posting WHERE transfer_id = %s", row.id) == 2
    assert execute("DELETE FROM ledger_transfer WHERE id = %s", row.id) == 1


def test_a_balance_below_zero_is_refused(alice):
    with refused("ledger_account_(not_negative|held_covered)"):
        execute("UPDATE ledger_account SET balance_minor = -1 WHERE id = %s", alice.id)


@pytest.mark.parametrize("held", [-1, 10001])
def test_less_than_nothing_or_more_than_the_balance_is_not_held(alice, held):
    with refused("ledger_account_held"):
        execute("UPDATE ledger_account SET held_minor = %s WHERE id = %s", held, alice.id)


def test_an_account_with_postings_is_not_deleted(alice):
    with pytest.raises(IntegrityError), transaction.atomic():
        execute("DELETE FROM ledger_account WHERE id = %s", alice.id)
        connection.check_constraints()


@pytest.mark.parametrize("change", ["status = 'held', resolved_at = NULL", "amount_minor = 1", "captured_minor = 1"])
def test_a_resolved_hold_is_not_edited(alice, change):
    operations.place_hold(key="hold", account_id=alice.id, amount=usd("5.00"))
    operations.release_hold(key="release", hold_key="hold")

    with refused("resolved once"):
        execute(f"UPDATE ledger_hold SET {change} WHERE key = 'hold'")


@pytest.mark.parametrize("change", ["amount_minor = 1", "key = 'other'", "currency = 'EUR'"])
def test_an_open_hold_is_not_edited_and_never_deleted(alice, change):
    operations.place_hold(key="hold", account_id=alice.id, amount=usd("5.00"))

    with refused("never edited"):
        execute(f"UPDATE ledger_hold SET {change} WHERE key = 'hold'")
    with refused("kept"):
        execute("DELETE FROM ledger_hold WHERE key = 'hold'")


def test_a_hold_begins_as_held(alice):
    operations.place_hold(key="hold", account_id=alice.id, amount=usd("5.00"))
    row = Hold.objects.get(key="hold")
    row.pk, row.key, row.status, row.resolved_at = uuid4(), "second", "released", row.placed_at

    with refused("begins as held"), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.parametrize("statement", ["UPDATE ledger_usedkey SET act = 'void'", "DELETE FROM ledger_usedkey"])
def test_a_used_key_is_neither_edited_nor_deleted(paid, statement):
    with refused("used key is kept"):
        execute(f"{statement} WHERE key = 'pay'")


def test_a_closed_day_is_not_opened_again(db):
    operations.open_business_day(day=date(2031, 1, 2))

    with refused("closed"):
        execute("UPDATE ledger_businessdate SET open_date = '2031-01-01'")
    with refused("closed"):
        execute("DELETE FROM ledger_businessdate")


def test_maintenance_lifts_the_seals(paid):
    with maintenance():
        assert execute("DELETE FROM ledger_posting WHERE transfer_id = %s", paid.id) == 2
        assert execute("DELETE FROM ledger_transfer WHERE id = %s", paid.id) == 1

    with refused("used key is kept"):
        execute("DELETE FROM ledger_usedkey WHERE key = 'pay'")


def test_maintenance_does_not_post_what_is_unbalanced(alice, bob):
    row = draft((alice, -500), (bob, 499))

    with maintenance(), refused("sum to zero"):
        post(row)


def test_triggers_are_put_back_after_a_migrate(paid):
    triggers.uninstall(connection)
    assert execute("UPDATE ledger_transfer SET description = 'edited' WHERE id = %s", paid.id) == 1

    call_command("migrate", "ledger", verbosity=0)

    with refused("sealed"):
        execute("UPDATE ledger_transfer SET description = 'again' WHERE id = %s", paid.id)


def test_installing_twice_changes_nothing(paid):
    triggers.install(connection)
    triggers.install(connection)

    with refused("sealed"):
        execute("DELETE FROM ledger_transfer WHERE id = %s", paid.id)


@pytest.mark.django_db(transaction=True)
def test_a_flush_of_the_test_database_passes_the_triggers(paid):
    call_command("flush", interactive=False, verbosity=0)

    assert not any(model.objects.exists() for model in (Transfer, Posting, Account, UsedKey))
