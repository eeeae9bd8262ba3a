"""Instruments, books, trades and trading accounts over REST."""

import uuid
from datetime import timedelta

import pytest

from exchange import queries
from exchange.models import Trade, TradingAccount
from ledger.models import Transfer
from tests.api.conftest import assert_problem
from tests.exchange.factories import assert_sound, money_of, submit
from tests.exchange.flows import full_seller, make_room, ordered, trade_statuses

pytestmark = pytest.mark.django_db

API = "/api/v1/exchange"


# --- Instruments and books -------------------------------------------------------------------------------------------


def test_an_instrument_tells_its_grid_and_fees(viewer, btc):
    assert viewer.get(f"{API}/instruments/").json()["results"] == [
        {
            "symbol": "BTC-USD", "base": "BTC", "quote": "USD", "status": "open", "price_scale": 2, "quantity_scale": 8,
            "tick": "1.00", "lot": "0.01000000", "minimum_notional": {"amount": "10.00", "currency": "USD"},
            "maker_fee_ppm": 1000, "taker_fee_ppm": 2000,
        }
    ]  # fmt: skip
    assert viewer.get(f"{API}/instruments/BTC-USD/").json()["tick"] == "1.00"


def test_an_operator_halts_and_opens_with_a_reason(operator, btc):
    halted = operator.post(f"{API}/instruments/BTC-USD/halt/", {"reason": "news"})
    opened = operator.post(f"{API}/instruments/BTC-USD/open/", {"reason": "it is over"})

    assert [(answer.status_code, answer.json()["status"]) for answer in (halted, opened)] == [
        (200, "halted"), (200, "open"),
    ]  # fmt: skip
    assert_problem(operator.post(f"{API}/instruments/BTC-USD/halt/"), 400, "reason_required")
    assert queries.get_instrument("BTC-USD").status == "open"


@pytest.mark.parametrize("act", ["halt", "open"])
def test_a_viewer_halts_nothing(viewer, btc, act):
    answer = viewer.post(f"{API}/instruments/BTC-USD/{act}/", {"reason": "x"})

    assert_problem(answer, 403, "permission_denied")


@pytest.mark.parametrize("path", ["instruments/ETH-XRP/", "books/ETH-XRP/", "books/%00/"])
def test_an_instrument_that_is_not_there_is_not_found(operator, btc, path):
    assert_problem(operator.get(f"{API}/{path}"), 404, "not_found")


def test_a_book_adds_up_what_rests_at_each_price(viewer, ada, bob):
    submit(ada, "sell", "0.10", "30001")
    submit(bob, "sell", "0.20", "30001")
    submit(bob, "sell", "0.30", "30002")
    submit(ada, "buy", "0.40", "29999")

    assert viewer.get(f"{API}/books/BTC-USD/").json() == {
        "symbol": "BTC-USD",
        "status": "open",
        "sequence": 4,
        "bids": [{"price": "29999.00", "quantity": "0.40000000", "orders": 1}],
        "asks": [
            {"price": "30001.00", "quantity": "0.30000000", "orders": 2},
            {"price": "30002.00", "quantity": "0.30000000", "orders": 1},
        ],
    }
    assert len(viewer.get(f"{API}/books/BTC-USD/?depth=1").json()["asks"]) == 1
    assert_problem(viewer.get(f"{API}/books/BTC-USD/?depth=0"), 400, "invalid_query")


# --- Trades ----------------------------------------------------------------------------------------------------------


def test_trades_are_listed_and_found_by_account_order_and_status(viewer, env, ada, bob):
    maker = submit(ada, "sell", "0.30", "30000")
    ordered(env, bob, "buy", "0.10", "30000")
    env.skip(timedelta(seconds=1))
    submit(bob, "buy", "0.20", "30000")

    def numbers(query=""):
        return [trade["number"] for trade in viewer.get(f"{API}/trades/?{query}").json()["results"]]

    assert numbers() == numbers(f"account={ada.id}") == numbers(f"order={maker.id}") == [2, 1]
    assert numbers("status=settled") == [1]
    assert numbers("status=matched&symbol=BTC-USD") == [2]
    assert numbers(f"account={uuid.uuid4()}") == []
    first = viewer.get(f"{API}/trades/?limit=1").json()
    assert [trade["number"] for trade in viewer.get(first["next"]).json()["results"]] == [1]


def test_a_trade_that_is_not_there_is_not_found(operator, btc):
    assert_problem(operator.get(f"{API}/trades/{uuid.uuid4()}/"), 404, "not_found")
    assert_problem(operator.post(f"{API}/trades/{uuid.uuid4()}/settle/", {"reason": "x"}), 404, "not_found")


@pytest.fixture
def held(env, bob):
    """A held trade, and the seller whose account is full."""
    seller = full_seller()
    submit(seller, "sell", "0.10", "30000")
    ordered(env, bob, "buy", "0.10", "30000")
    return Trade.objects.get(), seller


def test_a_held_trade_says_why_and_is_settled_by_an_operator(operator, env, held):
    trade, seller = held
    found = operator.get(f"{API}/trades/{trade.id}/").json()
    assert (found["status"], found["hold_reason"]) == ("held", "balance_too_large")
    assert [event["kind"] for event in found["events"]] == ["trade_held"]

    make_room(seller)
    answer = operator.post(f"{API}/trades/{trade.id}/settle/", {"reason": "there is room now"})

    assert (answer.status_code, answer.json()["status"]) == (200, "settled")
    assert operator.get(f"{API}/trades/{trade.id}/").json()["events"][-1]["actor"] == "operator"
    assert_sound()


def test_while_the_cause_lasts_settling_is_refused(operator, held):
    trade, _ = held

    problem = assert_problem(
        operator.post(f"{API}/trades/{trade.id}/settle/", {"reason": "please"}), 409, "settlement_failed"
    )

    assert "balance_too_large" in problem["detail"]
    assert trade_statuses() == ["held"]


def test_settling_needs_a_reason_and_the_permission(operator, viewer, held):
    trade, seller = held
    make_room(seller)

    assert_problem(operator.post(f"{API}/trades/{trade.id}/settle/"), 400, "reason_required")
    assert_problem(viewer.post(f"{API}/trades/{trade.id}/settle/", {"reason": "x"}), 403, "permission_denied")
    assert trade_statuses() == ["held"]


# --- Trading accounts ------------------------------------------------------------------------------------------------

OPENING = {
    "name": "Ada Byron",
    "holder": "ada",
    "initial_balances": [{"amount": "100.00", "currency": "USD"}, {"amount": "0.5", "currency": "BTC"}],
}


def open_over_rest(client, body=OPENING, key="k"):
    return client.post(f"{API}/accounts/", body, headers={} if key is None else {"Idempotency-Key": key})


def test_an_account_is_opened_with_its_balances(operator, db):
    response = open_over_rest(operator)

    body = response.json()
    assert (response.status_code, body["holder"], body["run_id"]) == (201, "ada", None)
    found = operator.get(response["Location"]).json()
    balances = {(item["kind"], item["currency"]): item["available"] for item in found["ledger_accounts"]}
    assert balances[("trading", "USD")] == "100.00"
    assert balances[("trading", "BTC")] == "0.50000000"
    listed = operator.get(f"/api/v1/ledger/accounts/?owner={body['id']}&currency=BTC").json()["results"]
    assert sorted(item["kind"] for item in listed) == ["settling", "trading"]


def test_an_account_belongs_to_the_caller_unless_it_names_its_holder(operator, db):
    assert open_over_rest(operator, {"name": "Desk"}, key=None).json()["holder"] == "operator"


def test_an_opening_is_made_once(operator, db):
    first = open_over_rest(operator)

    again = open_over_rest(operator)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert Transfer.objects.count() == 2
    assert_problem(open_over_rest(operator, {**OPENING, "name": "Ada"}), 409, "idempotency_conflict")
    of_a_new_key = open_over_rest(operator, key="other")
    assert_problem(of_a_new_key, 409, "idempotency_conflict")
    assert of_a_new_key.json()["detail"].endswith("has a trading account already")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": " "}, 422, "invalid_input"),
        ({"name": "a\x07b"}, 422, "invalid_trading_account"),
        ({"initial_balances": [{"amount": "0", "currency": "USD"}]}, 422, "amount_not_positive"),
        ({"initial_balances": [{"amount": "0.001", "currency": "USD"}]}, 422, "invalid_input"),
        ({"initial_balances": [{"amount": "1", "currency": "USD"}] * 2}, 422, "invalid_trading_account"),
        ({"initial_balances": "much"}, 422, "invalid_input"),
        ({"balance": "1"}, 422, "invalid_input"),
    ],
)
def test_an_opening_that_does_not_fit_is_refused_and_nothing_is_written(operator, db, change, status, code):
    assert_problem(open_over_rest(operator, {**OPENING, **change}), status, code)
    assert (TradingAccount.objects.count(), Transfer.objects.count()) == (0, 0)


def test_opening_balances_need_a_key(operator, db):
    assert_problem(open_over_rest(operator, key=None), 400, "idempotency_key_required")


def deposit(client, account, amount, key="d"):
    return client.post(
        f"{API}/accounts/{account.id}/deposits/",
        {"amount": {"amount": amount, "currency": "USD"}},
        headers={} if key is None else {"Idempotency-Key": key},
    )


def test_a_deposit_is_made_once_per_key(operator, ada):
    for _ in range(2):
        assert deposit(operator, ada, "5.00").status_code == 200

    assert money_of(ada)["USD"][0] == "1000005.00"
    assert_problem(deposit(operator, ada, "6.00"), 409, "idempotency_conflict")
    assert_problem(deposit(operator, ada, "5.00", key=None), 400, "idempotency_key_required")
    assert_problem(deposit(operator, ada, "-5.00", key="e"), 422, "amount_not_positive")
    assert money_of(ada)["USD"][0] == "1000005.00"


def test_a_deposit_on_no_account_is_not_found(operator, ada):
    missing = type("Missing", (), {"id": uuid.uuid4()})

    assert_problem(deposit(operator, missing, "5.00"), 404, "not_found")
    assert_problem(operator.get(f"{API}/accounts/{uuid.uuid4()}/"), 404, "not_found")


def test_a_viewer_opens_and_funds_nothing(viewer, ada):
    assert_problem(open_over_rest(viewer), 403, "permission_denied")
    assert_problem(deposit(viewer, ada, "5.00"), 403, "permission_denied")
    assert viewer.get(f"{API}/accounts/").json()["results"][0]["holder"] == "ada"
