"""A simulated rail: what becomes of a payment is a function of its account and of time, and no key is forgotten."""

import contextlib
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Refused
from finaegis.simulators.models import Payment
from finaegis.simulators.rail import Rail
from tests.simulators.conftest import HOUR, NOON, RAIL, order

ALMOST = timedelta(seconds=1)


def course(rail, account):
    """How a payment stands after each of these hours."""
    rail.submit(key="pay", order=order(account), now=NOON)
    return [
        (str(entry.standing), entry.reason)
        for entry in (rail.inquire(key="pay", now=NOON + hours * HOUR) for hours in (0, 1, 23, 24, 95, 96, 1000))
    ]


PENDING, ACCEPTED, RETURNED = ("pending", None), ("accepted", None), ("returned", "account_closed")


@pytest.mark.parametrize(
    ("ending", "stands"),
    [
        ("0001", [PENDING, *[ACCEPTED] * 6]),
        ("9003", [PENDING] * 7),
        ("9008", [ACCEPTED] * 7),
        ("9004", [PENDING, *[ACCEPTED] * 4, *[RETURNED] * 2]),
        ("9006", [PENDING, *[ACCEPTED] * 2, *[RETURNED] * 4]),
        ("9007", [*[PENDING] * 3, *[("refused", "beneficiary_unknown")] * 4]),
    ],
)
def test_the_end_of_the_account_decides_what_becomes_of_a_payment(rail, ending, stands):
    assert course(rail, f"DE00 {ending}") == stands


def test_a_payment_is_accepted_when_its_clearing_time_is_over(rail):
    rail.submit(key="pay", order=order(), now=NOON)

    assert rail.inquire(key="pay", now=NOON + HOUR - ALMOST).standing == "pending"
    assert rail.inquire(key="pay", now=NOON + HOUR).standing == "accepted"


def test_a_rail_that_clears_at_once_accepts_at_once(db):
    assert Rail(name="fast", clearing=timedelta(0)).submit(key="pay", order=order(), now=NOON).standing == "accepted"


def test_an_order_that_is_refused_at_once_is_remembered_as_refused(rail):
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            rail.submit(key="pay", order=order("DE00 9001"), now=NOON)
        assert (refusal.value.code, refusal.value.status) == ("account_closed", 422)

    entry = rail.inquire(key="pay", now=NOON)
    assert (entry.standing, entry.reason) == ("refused", "account_closed")


def test_while_the_rail_is_out_nothing_is_taken(rail):
    for _ in range(2):
        with pytest.raises(NotTaken):
            rail.submit(key="pay", order=order("DE00 9002"), now=NOON)

    assert rail.inquire(key="pay", now=NOON).standing == "unknown"


def test_a_lost_answer_leaves_a_payment_that_an_inquiry_finds(rail):
    with pytest.raises(OutcomeUnknown):
        rail.submit(key="pay", order=order("DE00 9005"), now=NOON)

    assert rail.inquire(key="pay", now=NOON).standing == "pending"
    assert rail.submit(key="pay", order=order("DE00 9005"), now=NOON).standing == "pending"
    assert Payment.objects.count() == 1


# --- Keys ------------------------------------------------------------------------------------------------------------


def test_the_same_order_again_is_the_same_payment_as_it_stands(rail):
    first = rail.submit(key="pay", order=order(), now=NOON)

    again = rail.submit(key="pay", order=order(), now=NOON + HOUR)

    assert (again.reference, again.standing) == (first.reference, "accepted")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("other", [order(amount="10.01"), order("DE00 0002")])
def test_another_order_under_the_key_is_a_conflict(rail, other):
    rail.submit(key="pay", order=order(), now=NOON)

    with pytest.raises(Refused) as refusal:
        rail.submit(key="pay", order=other, now=NOON)

    assert refusal.value.code == "idempotency_conflict"


def test_rails_do_not_know_each_other_s_keys(rail):
    rail.submit(key="pay", order=order(), now=NOON)

    assert Rail(name="other", clearing=HOUR).inquire(key="pay", now=NOON).standing == "unknown"


# --- Recalls ---------------------------------------------------------------------------------------------------------


def test_a_pending_payment_is_recalled_once_and_for_all(rail):
    rail.submit(key="pay", order=order(), now=NOON)

    for at in (NOON, NOON + 5 * HOUR):
        assert rail.recall(key="pay", now=at).standing == "recalled"
    assert rail.inquire(key="pay", now=NOON + 9 * HOUR).standing == "recalled"


def test_an_accepted_payment_is_not_recalled(rail):
    rail.submit(key="pay", order=order(), now=NOON)

    with pytest.raises(Refused) as refusal:
        rail.recall(key="pay", now=NOON + HOUR)

    assert refusal.value.code == "too_late"
    assert rail.inquire(key="pay", now=NOON + HOUR).standing == "accepted"


def test_a_recall_before_the_order_voids_its_key(rail):
    assert rail.recall(key="pay", now=NOON).standing == "recalled"

    with pytest.raises(Refused) as refusal:
        rail.submit(key="pay", order=order(), now=NOON)

    assert refusal.value.code == "key_voided"
    assert rail.inquire(key="pay", now=NOON + HOUR).standing == "recalled"


@pytest.mark.parametrize(("ending", "stands"), [("9001", "refused"), ("9006", "returned")])
def test_a_payment_that_came_to_nothing_is_left_as_it_is(rail, ending, stands):
    with contextlib.suppress(Refused):
        rail.submit(key="pay", order=order(f"DE00 {ending}"), now=NOON)

    assert rail.recall(key="pay", now=NOON + 30 * HOUR).standing == stands


# --- Memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", ["submit", "recall"])
def test_a_call_with_an_effect_is_refused_inside_a_transaction(call):
    """A caller's rollback would make the rail forget."""
    arguments = {"order": order()} if call == "submit" else {}

    with pytest.raises(RuntimeError), transaction.atomic():
        getattr(RAIL, call)(key="pay", now=NOON, **arguments)

    assert Payment.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_order_and_its_recall_at_once_end_the_same_for_both(postgres):
    """Whoever comes second meets what the first has done: never paid and recalled."""
    outcomes = {}

    def run(name, call):
        try:
            outcomes[name] = str(call().standing)
        except Refused as refusal:
            outcomes[name] = refusal.code
        finally:
            connection.close()

    for number in range(20):
        key = f"pay-{number}"
        threads = [
            threading.Thread(target=run, args=("order", lambda: RAIL.submit(key=key, order=order(), now=NOON))),
            threading.Thread(target=run, args=("recall", lambda: RAIL.recall(key=key, now=NOON))),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert outcomes["recall"] == "recalled"
        assert outcomes["order"] in ("pending", "recalled", "key_voided")
        assert RAIL.inquire(key=key, now=NOON + HOUR).standing == "recalled"


@pytest.fixture
def postgres():
    """Only on Postgres."""
    if connection.vendor != "postgresql":
        pytest.skip("needs Postgres: set DATABASE_URL to one")
