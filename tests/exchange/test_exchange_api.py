"""Orders over REST: placed, waited for, cancelled, listed, and every bad body refused with nothing written."""

import uuid
from datetime import timedelta

import pytest

from exchange import operations
from exchange.models import Event, Order, Trade
from ledger.models import Hold, Transfer
from tests.api.conftest import assert_problem
from tests.exchange.factories import assert_sound, money_of, open_account, submit
from workflows.models import HistoryEvent, Run

pytestmark = pytest.mark.django_db

ORDERS = "/api/v1/exchange/orders/"
LIMIT = {"symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "0.50", "price": "30000.00"}
MARKET = {"symbol": "BTC-USD", "side": "buy", "type": "market", "spend_cap": "1000.00"}


@pytest.fixture
def trader(btc):
    """The operator's own trading account."""
    return open_account("operator")


@pytest.fixture
def written(db):
    def count():
        kinds = (Run, HistoryEvent, Order, Trade, Event, Hold, Transfer)
        return {kind.__name__: kind.objects.count() for kind in kinds}

    return count


def place(client, body=LIMIT, key="k", **headers):
    return client.post(ORDERS, body, headers={**({} if key is None else {"Idempotency-Key": key}), **headers})


# --- Placing ---------------------------------------------------------------------------------------------------------


def test_an_order_is_found_in_the_second_in_which_it_was_taken(operator, trader):
    response = place(operator)

    body = response.json()
    found = operator.get(response["Location"]).json()
    assert (response.status_code, body["status"], body["account"]) == (201, "received", str(trader.id))
    assert {name: found[name] for name in body} == body
    assert operator.get(f"/api/v1/runs/{body['run_id']}/").json()["workflow"] == "exchange.OrderMatching"
    assert (body["quantity"], body["price"], body["filled"]) == ("0.50000000", "30000.00", "0.00000000")
    assert (body["time_in_force"], body["spend_cap"]) == ("GTC", None)


def test_an_order_that_is_waited_for_in_vain_is_accepted_and_not_done(operator, trader):
    response = place(operator, Prefer="wait=0")

    assert (response.status_code, response.json()["status"]) == (202, "received")


def test_an_order_shows_its_fills_and_its_story(env, operator, trader, ada):
    submit(ada, "sell", "0.10", "30000")
    body = place(operator).json()
    env.skip(timedelta(0))

    found = operator.get(f"{ORDERS}{body['id']}/").json()
    assert (found["status"], found["filled"], found["sequence"]) == ("partially_filled", "0.10000000", 2)
    (trade,) = found["trades"]
    assert (trade["price"], trade["quantity"], trade["status"]) == ("30000.00", "0.10000000", "settled")
    assert (trade["notional"]["amount"], trade["buyer_fee"]["amount"], trade["seller_fee"]["amount"]) == (
        "3000.00", "6.00", "3.00",
    )  # fmt: skip
    assert [event["kind"] for event in found["events"]] == ["received", "accepted"]
    assert [event["actor"] for event in found["events"]] == ["operator", "system"]
    result = operator.get(f"/api/v1/runs/{body['run_id']}/").json()["result"]
    assert (result["order_id"], result["status"]) == (body["id"], "partially_filled")
    assert result["matches"][0] == {
        "trade_id": trade["id"], "maker_order_id": trade["maker_order"], "price": "30000.00", "quantity": "0.10000000",
    }  # fmt: skip


@pytest.mark.parametrize("cap", ["1000.00", "1000", {"amount": "1000.00", "currency": "USD"}])
def test_a_spend_cap_is_a_text_in_the_quote_currency_or_names_its_own(operator, trader, cap):
    body = place(operator, {**MARKET, "spend_cap": cap}).json()

    assert body["spend_cap"] == {"amount": "1000.00", "currency": "USD"}
    assert (body["time_in_force"], body["quantity"], body["price"]) == ("IOC", None, None)


def test_an_order_may_name_another_account(operator, trader, ada):
    assert place(operator, {**LIMIT, "account": str(ada.id)}).json()["account"] == str(ada.id)


def test_a_caller_without_an_account_is_told(operator, btc, written):
    before = written()

    assert_problem(place(operator), 422, "no_trading_account")
    assert written() == before


def test_the_same_key_and_facts_give_the_order_that_exists(env, operator, trader, written):
    first = place(operator)
    env.skip(timedelta(0))
    before = written()

    again = place(operator, {**LIMIT, "quantity": "0.5", "price": "30000"})

    assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, first.json()["id"], "open")
    assert written() == before


def test_the_same_key_with_other_facts_is_a_conflict(operator, trader, written):
    place(operator)
    before = written()

    assert_problem(place(operator, {**LIMIT, "quantity": "0.51"}), 409, "key_conflict")
    assert written() == before


def test_placing_needs_a_key(operator, trader, written):
    before = written()

    assert_problem(place(operator, key=None), 400, "idempotency_key_required")
    assert written() == before


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        ({**LIMIT, "price": "30000.50"}, "invalid_order", "off_tick"),
        ({**LIMIT, "quantity": "0.001"}, "invalid_order", "off_lot"),
        ({**LIMIT, "quantity": "0"}, "invalid_order", "quantity_not_positive"),
        ({**LIMIT, "quantity": "-1"}, "invalid_order", "quantity_not_positive"),
        ({**LIMIT, "price": "-1"}, "invalid_order", "price_not_positive"),
        ({**LIMIT, "price": None}, "invalid_order", "price_missing"),
        ({**LIMIT, "quantity": "99999999999999999999"}, "invalid_order", "too_large"),
        ({**LIMIT, "symbol": "ETH-XRP"}, "invalid_order", "unknown_instrument"),
        ({**LIMIT, "quantity": "0.01", "price": "1"}, "invalid_order", "below_minimum_notional"),
        ({**MARKET, "symbol": "ETH-XRP"}, "invalid_order", "unknown_instrument"),
        ({**MARKET, "time_in_force": "GTC"}, "invalid_order", "time_in_force"),
        ({**MARKET, "spend_cap": None}, "invalid_order", "spend_cap_missing"),
        ({**MARKET, "spend_cap": {"amount": "1.00", "currency": "EUR"}}, "invalid_order", "spend_cap_currency"),
        ({**LIMIT, "quantity": "100"}, "insufficient_funds", None),
        ({**LIMIT, "account": str(uuid.uuid4())}, "unknown_account", None),
        ({**MARKET, "spend_cap": "1.001"}, "amount_too_precise", None),
        ({**MARKET, "spend_cap": "1e3"}, "invalid_amount", None),
        ({**MARKET, "spend_cap": 1000}, "invalid_input", None),
        ({**MARKET, "spend_cap": {"amount": "1.00"}}, "invalid_input", None),
        ({**LIMIT, "quantity": 0.5}, "invalid_input", None),
        ({**LIMIT, "quantity": 1}, "invalid_input", None),
        ({**LIMIT, "quantity": "1e3"}, "invalid_input", None),
        ({**LIMIT, "quantity": "1\n"}, "invalid_input", None),
        ({**LIMIT, "quantity": "NaN"}, "invalid_input", None),
        ({**LIMIT, "price": True}, "invalid_input", None),
        ({**LIMIT, "side": "hold"}, "invalid_input", None),
        ({**LIMIT, "type": "stop"}, "invalid_input", None),
        ({**LIMIT, "time_in_force": "GTD"}, "invalid_input", None),
        ({**LIMIT, "account": "mine"}, "invalid_input", None),
        ({**LIMIT, "account": 7}, "invalid_input", None),
        ({**LIMIT, "note": "hello"}, "invalid_input", None),
        ({name: LIMIT[name] for name in LIMIT if name != "symbol"}, "invalid_input", None),
        ({**LIMIT, "symbol": ["BTC-USD"]}, "invalid_input", None),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_nothing_is_written(operator, trader, written, body, code, reason):
    before = written()

    assert assert_problem(place(operator, body), 422, code).get("reason") == reason
    assert written() == before


def test_a_halted_instrument_takes_no_orders(operator, trader, written):
    operations.halt_instrument("BTC-USD", actor="olga", reason="news")
    before = written()

    assert assert_problem(place(operator), 422, "invalid_order")["reason"] == "halted"
    assert written() == before


# --- Cancelling ------------------------------------------------------------------------------------------------------


def test_a_resting_order_is_cancelled(env, operator, trader):
    body = place(operator).json()
    env.skip(timedelta(0))

    response = operator.post(f"{ORDERS}{body['id']}/cancel/", {"reason": "the customer called"})

    assert (response.status_code, response.json()["status"], response.json()["reason"]) == (
        200, "cancelled", "requested",
    )  # fmt: skip
    told = operator.get(f"{ORDERS}{body['id']}/").json()["events"][-1]
    assert (told["actor"], told["detail"]) == ("operator", "the customer called")
    assert money_of(trader)["USD"] == ("1000000.00", "0.00", "0.00")
    assert_sound()


def test_cancelling_again_gives_the_cancelled_order(env, operator, trader):
    body = place(operator).json()
    for _ in range(2):
        response = operator.post(f"{ORDERS}{body['id']}/cancel/")
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")


def test_a_filled_order_cannot_be_cancelled(env, operator, trader, ada):
    submit(ada, "sell", "0.50", "30000")
    body = place(operator).json()
    env.skip(timedelta(0))

    assert_problem(operator.post(f"{ORDERS}{body['id']}/cancel/"), 409, "order_closed")


@pytest.mark.parametrize("named", [str(uuid.uuid4()), "mine"])
@pytest.mark.parametrize("path", ["", "cancel/"])
def test_an_order_that_is_not_there_is_not_found(operator, btc, named, path):
    ask = operator.post if path else operator.get

    assert_problem(ask(f"{ORDERS}{named}/{path}"), 404, "not_found")


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_orders_are_listed_newest_first_page_by_page_and_filtered(operator, env, ada, bob):
    for quantity in ("0.10", "0.20", "0.30"):
        submit(ada, "sell", quantity, "30000")
        env.skip(timedelta(seconds=1))
    submit(bob, "buy", "0.10", "30000")

    first = operator.get(f"{ORDERS}?limit=2").json()
    second = operator.get(first["next"]).json()
    of_ada = operator.get(f"{ORDERS}?account={ada.id}&status=open&symbol=BTC-USD").json()

    quantities = [order["quantity"] for order in first["results"] + second["results"]]
    assert quantities == ["0.10000000", "0.30000000", "0.20000000", "0.10000000"]
    assert second["next"] is None
    assert [order["quantity"] for order in of_ada["results"]] == ["0.30000000", "0.20000000"]


@pytest.mark.parametrize(
    ("query", "code"),
    [("status=resting", "invalid_query"), ("cursor=x", "invalid_cursor"), ("limit=0", "invalid_query"),
     ("account=me", "invalid_query"), ("side=buy", "invalid_query")],
)  # fmt: skip
def test_a_query_that_does_not_fit_is_refused(operator, btc, query, code):
    assert_problem(operator.get(f"{ORDERS}?{query}"), 400, code)


# --- Who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", f"{uuid.uuid4()}/cancel/"])
def test_a_viewer_places_and_cancels_nothing(viewer, btc, written, path):
    before = written()

    assert_problem(viewer.post(f"{ORDERS}{path}", LIMIT, headers={"Idempotency-Key": "k"}), 403, "permission_denied")
    assert written() == before


def test_a_viewer_reads(viewer, ada):
    order = submit(ada, "buy", "0.10", "30000")

    assert viewer.get(ORDERS).status_code == 200
    assert viewer.get(f"{ORDERS}{order.id}/").json()["status"] == "open"


def test_an_order_is_read_with_its_trades_permission(client_with, ada):
    order = submit(ada, "buy", "0.10", "30000")
    client = client_with("exchange.view_order")

    assert client.get(ORDERS).status_code == 200
    assert_problem(client.get(f"{ORDERS}{order.id}/"), 403, "permission_denied")


def test_nobody_without_a_token(anonymous, btc):
    assert_problem(anonymous.get(ORDERS), 401, "not_authenticated")
    assert_problem(place(anonymous), 401, "not_authenticated")
