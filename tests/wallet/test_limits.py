"""Limits: what is judged, what counts toward it, and where the numbers come from."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from finaegis.shared.money import Money
from tests.wallet.factories import add_destination, money_of, open_account, place
from wallet import defaults, errors, operations, queries
from wallet.contracts import Limits, Usage
from wallet.models import LimitSet, Withdrawal
from wallet.rules import limits as rules

LIMITS = Limits(
    per_transaction=Money("100.00", "USD"),
    per_day=Money("250.00", "USD"),
    per_month=Money("600.00", "USD"),
    per_destination=Money("150.00", "USD"),
    velocity_count=3,
    velocity_window=timedelta(hours=1),
    cooling_off=timedelta(hours=24),
)


def usd(text):
    return Money(text, "USD")


def usage(*, today="0.00", month="0.00", destination="0.00", begun=0):
    return Usage(today=usd(today), this_month=usd(month), to_destination_today=usd(destination), begun_in_window=begun)


@pytest.mark.parametrize(
    ("amount", "used", "limit"),
    [
        ("100.00", {}, None),
        ("100.01", {}, "transaction"),
        ("100.00", {"today": "150.00", "month": "150.00"}, None),
        ("100.00", {"today": "150.01", "month": "150.01"}, "day"),
        ("100.00", {"month": "500.00"}, None),
        ("100.00", {"month": "500.01"}, "month"),
        ("100.00", {"today": "50.00", "destination": "50.00"}, None),
        ("100.00", {"today": "50.01", "destination": "50.01"}, "destination"),
        ("100.00", {"begun": 2}, None),
        ("100.00", {"begun": 3}, "velocity"),
    ],
)
def test_an_amount_may_reach_a_limit_and_not_pass_it(amount, used, limit):
    try:
        rules.check_limits(LIMITS, usage(**used), usd(amount))
        broken = None
    except errors.LimitExceeded as refused:
        broken = refused.limit
    except errors.TooManyWithdrawals:
        broken = "velocity"

    assert broken == limit


@pytest.mark.parametrize(("used", "left"), [("200.00", "50.00"), ("250.00", "0.00"), ("400.00", "0.00")])
def test_a_refusal_tells_what_is_left(used, left):
    with pytest.raises(errors.LimitExceeded) as refused:
        rules.check_limits(LIMITS, usage(today=used), usd("60.00"))

    assert (refused.value.limit, refused.value.left) == ("day", usd(left))


@pytest.mark.parametrize(
    ("at", "begin", "end"),
    [
        (datetime(2026, 1, 5, 12, 0, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_month_is_that_of_the_calendar(at, begin, end):
    assert rules.month_of(at) == (begin, end)


# --- What counts -----------------------------------------------------------------------------------------------------


@pytest.fixture
def limits(db):
    LimitSet.objects.filter(currency="USD", account=None).update(
        per_transaction_minor=10000,
        per_day_minor=25000,
        per_month_minor=60000,
        per_destination_minor=15000,
        velocity_count=5,
    )


@pytest.fixture
def account(limits, workflow_env):
    return open_account("5000.00")


@pytest.fixture
def destinations(account):
    return [add_destination(account) for _ in range(4)]


def refusal(account, destination, amount="100.00"):
    """The code and limit with which it is refused, None when it is placed."""
    try:
        place(account, destination, amount)
    except errors.WalletError as refused:
        return refused.code, getattr(refused, "limit", None)
    return None


def test_pending_withdrawals_count(account, destinations):
    place(account, destinations[0], "100.00")
    place(account, destinations[1], "100.00")

    assert refusal(account, destinations[2], "50.01") == ("limit_exceeded", "day")
    assert refusal(account, destinations[2], "50.00") is None


def test_one_destination_has_its_own_limit(account, destinations):
    place(account, destinations[0], "100.00")

    assert refusal(account, destinations[0], "50.01") == ("limit_exceeded", "destination")
    assert refusal(account, destinations[1], "50.01") is None


def test_a_new_day_begins_at_midnight_utc(account, destinations, workflow_env):
    workflow_env.now = datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC)
    place(account, destinations[0], "100.00")
    place(account, destinations[1], "100.00")
    before = refusal(account, destinations[2])

    workflow_env.now = datetime(2026, 1, 6, tzinfo=UTC)

    assert (before, refusal(account, destinations[2])) == (("limit_exceeded", "day"), None)


def test_a_month_counts_all_its_days(account, destinations, workflow_env):
    for day in (5, 6, 7):
        workflow_env.now = datetime(2026, 1, day, 12, 0, tzinfo=UTC)
        place(account, destinations[0], "100.00")
        place(account, destinations[1], "100.00")
    workflow_env.now = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
    before = refusal(account, destinations[2], "0.01")

    workflow_env.now = datetime(2026, 2, 1, tzinfo=UTC)

    assert (before, refusal(account, destinations[2])) == (("limit_exceeded", "month"), None)


def test_what_was_cancelled_counts_no_more(account, destinations):
    row = place(account, destinations[0], "100.00")
    Withdrawal.objects.filter(pk=row.pk).update(status="cancelled", reason="customer", closed_at=row.requested_at)
    place(account, destinations[0], "100.00")

    assert queries.get_usage(
        account, queries.get_limits(account), destination_id=destinations[0].id, at=row.requested_at
    ).today == usd("100.00")


def test_velocity_counts_all_that_began_also_what_was_cancelled(account, destinations, workflow_env):
    rows = [place(account, destinations[0], "1.00") for _ in range(5)]
    Withdrawal.objects.filter(pk=rows[0].pk).update(
        status="cancelled", reason="customer", closed_at=rows[0].requested_at
    )
    before = refusal(account, destinations[1], "1.00")

    workflow_env.now += timedelta(hours=1)

    assert (before, refusal(account, destinations[1], "1.00")) == (("too_many_withdrawals", None), None)


def test_what_was_only_asked_for_does_not_count_against_itself(account, destinations, workflow_env):
    """Two requests at once: neither sees the other before one of them holds its money."""
    asked = [
        operations.request_withdrawal(
            key=str(number), account_id=account.id, amount=usd("100.00"), destination_id=destination.id
        )
        for number, destination in enumerate(destinations[:3])
    ]
    workflow_env.skip(timedelta(0))

    statuses = sorted(str(queries.get_withdrawal(item.withdrawal.id).status) for item in asked)
    assert statuses == ["awaiting_confirmation", "awaiting_confirmation", "rejected"]


def test_other_accounts_do_not_count(account, destinations):
    other = open_account("5000.00")
    for destination in destinations[:2]:
        place(account, destination, "100.00")

    assert refusal(other, add_destination(other)) is None


def test_an_account_may_have_limits_of_its_own(account, destinations):
    own = LimitSet.objects.get(currency="USD", account=None)
    own.pk, own.account_id, own.per_transaction_minor = None, account.id, 5000
    own.save(force_insert=True)

    assert refusal(account, destinations[0], "50.01") == ("limit_exceeded", "transaction")
    assert refusal(account, destinations[0], "50.00") is None


def test_without_limits_nothing_leaves(account, destinations):
    LimitSet.objects.all().delete()

    assert refusal(account, destinations[0]) == ("limits_missing", None)
    assert money_of(account)["held"] == "0.00"


# --- What else is judged ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": Money("0.00", "USD")}, "amount_not_positive"),
        ({"amount": Money("-5.00", "USD")}, "amount_not_positive"),
        ({"amount": Money("1.00", "EUR")}, "currency_mismatch"),
        ({"amount": Money("5000.01", "USD")}, "insufficient_funds"),
        ({"account_id": uuid4()}, "unknown_account"),
        ({"destination_id": uuid4()}, "unknown_destination"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_and_nothing_is_held(account, destinations, change, code):
    facts = {"account_id": account.id, "amount": usd("1.00"), "destination_id": destinations[0].id, **change}

    for refuse in (
        lambda: operations.place_withdrawal(key="k", run_id=uuid4(), **facts),
        lambda: queries.check_withdrawal(**facts),
    ):
        with pytest.raises(errors.WalletError) as refused:
            refuse()
        assert refused.value.code == code
    assert Withdrawal.objects.count() == 0
    assert money_of(account)["held"] == "0.00"


def test_a_destination_of_another_account_is_refused(account):
    other = add_destination(open_account())

    assert refusal(account, other) == ("unknown_destination", None)


def test_a_new_destination_waits(account, workflow_env):
    fresh = add_destination(account, cooling_off=timedelta(hours=24))
    before = refusal(account, fresh)

    workflow_env.now += timedelta(hours=24)

    assert (before, refusal(account, fresh)) == (("destination_cooling_off", None), None)


def test_a_frozen_account_is_refused(account, destinations):
    operations.freeze_account(account.id, actor="officer", reason="a court order")

    assert refusal(account, destinations[0]) == ("account_frozen", None)


# --- Placing and giving up -------------------------------------------------------------------------------------------


def test_the_same_key_places_once(account, destinations):
    run_id = uuid4()
    first = place(account, destinations[0], run_id=run_id)
    again = place(account, destinations[0], run_id=run_id)

    assert (first.id, money_of(account)["held"], again.tokens.count()) == (again.id, "100.00", 1)


def test_the_same_run_with_other_facts_is_a_conflict(account, destinations):
    run_id = uuid4()
    place(account, destinations[0], run_id=run_id)

    with pytest.raises(errors.IdempotencyConflict):
        place(account, destinations[0], "50.00", run_id=run_id)

    assert money_of(account)["held"] == "100.00"


def test_what_was_given_up_before_it_happened_is_never_placed(account, destinations):
    """A late attempt of a step that was undone."""
    run_id = uuid4()
    operations.release_withdrawal(key="undo", undone_key="step", run_id=run_id)

    with pytest.raises(Exception) as refused:
        place(account, destinations[0], run_id=run_id, key="step")

    assert refused.value.code == "key_voided"
    assert money_of(account)["held"] == "0.00"


def test_releasing_twice_gives_back_once(account, destinations):
    row = place(account, destinations[0], key="step")
    for _ in range(2):
        operations.release_withdrawal(key="undo", undone_key="step", run_id=row.run_id)

    row.refresh_from_db()
    assert (row.status, row.reason, money_of(account)["available"]) == ("cancelled", "operator", "5000.00")


# --- Defaults --------------------------------------------------------------------------------------------------------


def test_every_currency_of_the_defaults_has_its_set(db):
    assert set(LimitSet.objects.values_list("currency", flat=True)) >= {"USD", "EUR", "GBP", "CHF", "JPY", "BTC"}


def test_defaults_are_written_where_they_are_missing_and_nowhere_else(db):
    LimitSet.objects.filter(currency="EUR").delete()
    LimitSet.objects.filter(currency="USD").update(per_transaction_minor=1)

    defaults.load_missing(using="default")
    defaults.load_missing(using="default")

    assert LimitSet.objects.filter(currency="EUR").count() == 1
    assert LimitSet.objects.get(currency="USD").per_transaction_minor == 1
