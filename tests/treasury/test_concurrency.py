"""Writers on one account at the same moment: one after the other, nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from finaegis.shared.money import Money
from tests.treasury.factories import balances
from treasury import errors, operations
from treasury.models import StoredEvent, TreasuryAccount, TreasuryAggregate

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs Postgres: set DATABASE_URL"),
]

WRITERS = 8


def together(call):
    """What `call(number)` gave or raised in each of the writers."""

    def run(number):
        try:
            return call(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(run, range(WRITERS)))


@pytest.fixture
def account():
    return operations.open_treasury_account(
        name="Main", currency="USD", initial_balance=Money(1000, "USD"), key="open-1"
    )


def test_openings_with_one_key_make_one_account():
    answers = together(
        lambda _: operations.open_treasury_account(
            name="Main", currency="USD", initial_balance=Money(1000, "USD"), key="open-1"
        )
    )

    assert len({answer.id for answer in answers}) == 1
    assert TreasuryAccount.objects.count() == 1
    assert balances(answers[0])["operating"] == "1000.00"


def test_allocations_come_one_after_the_other(account):
    answers = together(
        lambda number: operations.allocate(
            key=f"step-{number}", account_id=account.id, strategy="balanced", amount=Money(200, "USD")
        )
    )

    # Five fit into 1000; each of the others meets the balance as it is by then.
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 3
    assert {type(answer) for answer in refused} == {errors.InsufficientFunds}
    assert balances(account)["operating"] == "0.00"
    versions = list(StoredEvent.objects.order_by("version").values_list("version", flat=True))
    assert versions == [1, 2, 3, 4, 5, 6]


def test_attempts_with_one_key_allocate_once(account):
    answers = together(
        lambda _: operations.allocate(
            key="step-1", account_id=account.id, strategy="balanced", amount=Money(Decimal("200.00"), "USD")
        )
    )

    assert len({answer.timestamp for answer in answers}) == 1
    assert balances(account)["operating"] == "800.00"
    assert len(TreasuryAggregate.retrieve(account.id).recorded_events) == 2


def test_undo_and_late_attempt_race_to_the_same_books(account):
    def act(number):
        facts = {"account_id": account.id, "amount": Money(200, "USD")}
        if number % 2:
            return operations.reverse_allocation(key="undo-1", undone_key="step-1", **facts)
        return operations.allocate(key="step-1", strategy="balanced", **facts)

    together(act)
    operations.reverse_allocation(key="undo-1", undone_key="step-1", account_id=account.id, amount=Money(200, "USD"))

    assert balances(account)["operating"] == "1000.00"
