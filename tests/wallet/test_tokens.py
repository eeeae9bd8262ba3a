"""Confirmation tokens: single use, bound to what they confirm, unreadable at rest."""

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from tests.wallet.factories import add_destination, open_account, place, token, token_of
from tests.wallet.flows import begin, withdrawal_of
from wallet import errors, operations, queries
from wallet.contracts import TokenState
from wallet.models import ConfirmationToken, Destination, Withdrawal
from wallet.rules import tokens
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db

SECRET = b"a secret"


@pytest.fixture
def placed(account, destination):
    return place(account, destination)


def facts(placed):
    return queries.get_withdrawal(placed.id)


def test_a_token_is_long_and_safe_in_an_address(placed):
    made = tokens.derive(SECRET, withdrawal=facts(placed), serial=1, nonce="n")

    assert len(made) == 43
    assert made.replace("-", "").replace("_", "").isalnum()


def test_the_same_facts_give_the_same_token(placed):
    one, two = (tokens.derive(SECRET, withdrawal=facts(placed), serial=1, nonce="n") for _ in range(2))

    assert one == two


@pytest.mark.parametrize(
    "change", [{"serial": 2}, {"nonce": "m"}, {"secret": b"another secret"}], ids=["serial", "nonce", "secret"]
)
def test_another_serial_nonce_or_secret_gives_another_token(placed, change):
    given = {"secret": SECRET, "serial": 1, "nonce": "n"}

    def derived(secret, **more):
        return tokens.derive(secret, withdrawal=facts(placed), **more)

    assert derived(**given) != derived(**{**given, **change})


@pytest.mark.parametrize("change", ["amount", "customer", "destination", "address"])
def test_a_token_confirms_nothing_else_than_what_it_was_made_for(env, account, destination, placed, change):
    """Somebody edited the row behind the token."""
    link = token_of(placed)
    other = open_account()
    if change == "amount":
        Withdrawal.objects.update(amount_minor=9_999_99)
    elif change == "destination":
        Withdrawal.objects.update(destination_id=add_destination(account).id)
    elif change == "customer":
        type(placed.account).objects.filter(pk=account.id).update(currency="XAU", customer_id=other.customer.id)
    else:
        Destination.objects.filter(pk=destination.id).update(address="ELSEWHERE")

    with pytest.raises(errors.TokenUnknown):
        operations.confirm_withdrawal(link)

    assert Withdrawal.objects.get().status == "requested"


@pytest.mark.parametrize("made_up", ["", "x", "x" * 43, "ü" * 43, "\x00", "../../admin"])
def test_a_token_that_nobody_was_sent_is_unknown(env, placed, made_up):
    with pytest.raises(errors.TokenUnknown):
        operations.confirm_withdrawal(made_up)


def test_the_token_itself_is_nowhere_in_the_database(env, account, destination):
    run = begin(env, account, destination)
    link = token()

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert link not in json.dumps(cursor.fetchall(), default=str), table
    told = [runs.get_history(run.id), runs.list_steps(run.id), runs.get_run(run.id)]
    assert link not in str(told)
    assert link in mail.outbox[0].body


def test_one_token_of_a_withdrawal_is_live_at_a_time(env, account, destination):
    run = begin(env, account, destination)
    first = token()
    operations.resend_confirmation(withdrawal_of(run).id)
    env.skip(timedelta(0))

    assert queries.read_token(first).state == TokenState.VOID
    assert queries.read_token(token()).state == TokenState.LIVE
    assert ConfirmationToken.objects.filter(used_at=None, voided_at=None).count() == 1


@pytest.mark.parametrize(
    ("moment", "state"),
    [("now", "live"), ("used", "used"), ("late", "expired"), ("timed out", "expired"), ("cancelled", "expired")],
)
def test_reading_a_token_says_what_it_is_good_for(env, account, destination, moment, state):
    run = begin(env, account, destination)
    link = token()
    if moment == "used":
        operations.confirm_withdrawal(link)
    elif moment == "late":
        env.now += timedelta(minutes=30, microseconds=1)
    elif moment == "timed out":
        env.skip(timedelta(minutes=30))
    elif moment == "cancelled":
        operations.cancel_withdrawal(withdrawal_of(run).id)

    assert queries.read_token(link).state == state


def test_reading_a_token_uses_nothing_up(env, account, destination):
    begin(env, account, destination)
    for _ in range(3):
        queries.read_token(token())

    assert operations.confirm_withdrawal(token()).status == "confirmed"


def test_the_answer_and_the_signal_commit_together(env, account, destination, monkeypatch):
    """A signal that cannot be left leaves the withdrawal unconfirmed and the token unused."""
    begin(env, account, destination)

    def fail(*args, **kwargs):
        raise ConnectionError("no answer")

    monkeypatch.setattr(engine, "signal_run", fail)
    with pytest.raises(ConnectionError):
        operations.confirm_withdrawal(token())

    assert Withdrawal.objects.get().status == "awaiting_confirmation"
    assert queries.read_token(token()).state == TokenState.LIVE


def test_a_confirmation_names_who_gave_it(env, account, destination):
    run = begin(env, account, destination)
    operations.confirm_withdrawal(token(), actor="frontend")

    confirmed = [event for event in queries.list_events(withdrawal_of(run).id) if event.kind == "confirmed"]
    assert [event.actor for event in confirmed] == ["frontend"]
