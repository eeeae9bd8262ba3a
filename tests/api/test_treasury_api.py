"""The treasury over REST: opening accounts, cash management, instruments."""

import uuid
from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem

pytestmark = pytest.mark.django_db

ACCOUNTS = "/api/v1/treasury/accounts/"
CASH = "/api/v1/treasury/cash-management/"
INSTRUMENTS = "/api/v1/treasury/instruments/"
NEW = {"name": "Main", "currency": "USD", "initial_balance": "1000000.00"}


def open_account(client, body=NEW, key="k"):
    return client.post(ACCOUNTS, body, headers={} if key is None else {"Idempotency-Key": key})


def manage(client, account, key="k", amount="100000.00", **more):
    headers = {"Idempotency-Key": key} if key else {}
    prefer = more.pop("prefer", None)
    body = {
        "account_id": str(account.id), "amount": {"amount": amount, "currency": "USD"}, "strategy": "balanced", **more,
    }  # fmt: skip
    return client.post(CASH, body, headers={**headers, **({"Prefer": prefer} if prefer else {})})


@pytest.fixture
def env(workflow_env):
    workflow_env.now = workflow_env.now.replace(month=7, day=15)
    return workflow_env


def test_an_account_is_opened_with_its_balance(operator):
    response = open_account(operator)

    body = response.json()
    overview = operator.get(response["Location"]).json()
    assert response.status_code == 201
    assert (body["run_id"], body["status"], body["account_type"]) == (None, "active", "operating")
    assert {item["kind"]: item["balance"] for item in overview["ledger_accounts"]} == {
        "operating": "1000000.00",
        "allocated_cash": "0.00",
        "allocated_bonds": "0.00",
        "allocated_equities": "0.00",
    }
    assert [event["name"] for event in overview["events"]] == ["TreasuryAccountCreated"]
    assert overview["events"][0]["payload"]["initial_balance"] == {"amount": "1000000.00", "currency": "USD"}
    assert overview["allocations"] == []


def test_the_same_key_and_facts_give_the_account_that_exists(operator, written):
    first = open_account(operator)
    before = written()

    again = open_account(operator)

    assert (again.status_code, again.json()) == (200, first.json())
    assert written() == before


def test_the_same_key_with_other_facts_is_a_conflict(operator, written):
    open_account(operator)
    before = written()

    assert_problem(open_account(operator, {**NEW, "name": "Other"}), 409, "idempotency_conflict")
    assert written() == before


def test_an_opening_balance_needs_a_key(operator, written):
    before = written()

    assert_problem(open_account(operator, key=None), 400, "idempotency_key_required")
    assert written() == before


def test_without_a_balance_no_key_is_needed(operator):
    body = {"name": "Empty", "currency": "JPY", "account_type": "reserve"}

    first, second = open_account(operator, body, key=None), open_account(operator, body, key=None)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    assert first.json()["account_type"] == "reserve"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"initial_balance": "-1.00"}, "amount_not_positive"),
        ({"initial_balance": "many"}, "invalid_amount"),
        ({"initial_balance": "NaN"}, "invalid_amount"),
        ({"initial_balance": "Infinity"}, "invalid_amount"),
        ({"initial_balance": "1e5"}, "invalid_amount"),
        ({"initial_balance": " 1.00"}, "invalid_amount"),
        ({"initial_balance": "1.001"}, "amount_too_precise"),
        ({"initial_balance": "9" * 25}, "amount_too_large"),
        ({"initial_balance": 1000.5}, "invalid_input"),
        ({"initial_balance": 1000}, "invalid_input"),
        ({"initial_balance": None}, "invalid_input"),
        ({"initial_balance": {"amount": "1.00", "currency": "USD"}}, "invalid_input"),
        ({"currency": "XXX"}, "unknown_currency"),
        ({"currency": "usd"}, "unknown_currency"),
        ({"currency": " USD"}, "unknown_currency"),
        ({"currency": None}, "invalid_input"),
        ({"name": ""}, "invalid_input"),
        ({"name": "a\nb"}, "invalid_account"),
        ({"name": "x" * 201}, "invalid_input"),
        ({"name": 7}, "invalid_input"),
        ({"account_type": ""}, "invalid_input"),
        ({"owner": "me"}, "invalid_input"),
    ],
)
def test_facts_that_do_not_make_an_account_are_refused(operator, written, change, code):
    before = written()

    assert_problem(open_account(operator, {**NEW, **change}), 422, code)
    assert written() == before


def test_a_key_that_is_too_long_for_the_treasury_is_refused(operator, written):
    before = written()

    assert_problem(open_account(operator, key="k" * 250), 422, "invalid_key")
    assert written() == before


def test_accounts_are_listed_by_name(operator):
    open_account(operator, {**NEW, "name": "Zeta"}, key="1")
    open_account(operator, {**NEW, "name": "Alpha"}, key="2")

    assert [item["name"] for item in operator.get(ACCOUNTS).json()["results"]] == ["Alpha", "Zeta"]


def test_pages_of_accounts_follow_each_other(operator):
    opened = [open_account(operator, {**NEW, "name": "Same"}, key=str(n)).json()["id"] for n in range(5)]

    seen, address = [], f"{ACCOUNTS}?limit=2"
    while address:
        body = operator.get(address).json()
        seen += [item["id"] for item in body["results"]]
        address = body["next"]

    assert sorted(seen) == sorted(opened)


def test_the_balances_of_an_account_are_those_of_the_ledger(operator):
    overview = operator.get(open_account(operator)["Location"]).json()

    found = operator.get(f"/api/v1/ledger/accounts/?owner={overview['id']}").json()["results"]
    assert overview["ledger_accounts"] == found


@pytest.mark.parametrize("account_id", [uuid.uuid4(), "42"])
def test_an_account_that_is_unknown_or_does_not_parse_is_404(viewer, account_id):
    assert_problem(viewer.get(f"{ACCOUNTS}{account_id}/"), 404, "not_found")


def test_cash_management_starts_a_run_that_is_found_at_once(operator, account, env):
    response = manage(operator, account)

    body = response.json()
    run = operator.get(body["url"]).json()
    assert (response.status_code, body["status"], body["id"]) == (201, "pending", body["run_id"])
    assert (run["workflow"], run["key"], run["actor"]) == ("treasury.CashManagement", "k", "operator")


def test_cash_management_waited_for_is_answered_with_its_result(operator, account, env):
    response = manage(operator, account, prefer="wait=10")

    body = response.json()
    overview = operator.get(f"{ACCOUNTS}{account.id}/").json()
    assert (response.status_code, body["status"]) == (201, "completed")
    assert body["result"]["allocation"]["total_allocated"] == {"amount": "100000.00", "currency": "USD"}
    assert {item["kind"]: item["balance"] for item in overview["ledger_accounts"]} == {
        "operating": "900000.00",
        "allocated_cash": "20000.00",
        "allocated_bonds": "40000.00",
        "allocated_equities": "40000.00",
    }
    assert [event["name"] for event in overview["events"]] == ["CashAllocated", "YieldOptimizationStarted"]
    (allocation,) = overview["allocations"]
    assert (allocation["status"], allocation["run_id"]) == ("active", body["run_id"])
    assert [part["amount"]["amount"] for part in allocation["allocations"]] == ["20000.00", "40000.00", "40000.00"]


def test_an_impossible_yield_is_compensated(operator, account, env):
    response = manage(operator, account, constraints={"min_yield": "90.0"}, prefer="wait=10")

    overview = operator.get(f"{ACCOUNTS}{account.id}/").json()
    assert (response.json()["status"], response.json()["error"]["code"]) == ("compensated", "infeasible")
    assert next(item for item in overview["ledger_accounts"] if item["kind"] == "operating")["balance"] == "1000000.00"


def test_the_same_key_and_input_give_the_run_that_exists(operator, account, env, written):
    first = manage(operator, account)
    before = written()

    again = manage(operator, account)

    assert (again.status_code, again.json()) == (200, first.json())
    assert written() == before


def test_the_same_key_with_another_input_is_a_conflict(operator, account, env, written):
    manage(operator, account)
    before = written()

    assert_problem(manage(operator, account, amount="1.00"), 409, "key_conflict")
    assert written() == before


def test_cash_management_needs_a_key(operator, account, written):
    before = written()

    assert_problem(manage(operator, account, key=None), 400, "idempotency_key_required")
    assert written() == before


def test_a_plan_tells_the_amount_it_would_bring_back(operator, account, env):
    run_id = manage(operator, account, prefer="wait=10").json()["run_id"]

    (item,) = operator.get(f"/api/v1/runs/{run_id}/compensation-plan/").json()["results"]

    assert (item["activity"], item["amounts"]) == (
        "treasury.reverse_allocation",
        [{"amount": "100000.00", "currency": "USD"}],
    )


def test_instruments_are_those_valid_on_the_day(viewer, account):
    found = viewer.get(f"{INSTRUMENTS}?as_of=2026-07-15&currency=USD").json()["results"]

    assert {item["currency"] for item in found} == {"USD"}
    assert all(item["valid_from"] <= "2026-07-15" for item in found)
    assert len({item["code"] for item in found}) == len(found) > 3
    assert isinstance(found[0]["yield_percent"], str)


def test_an_instrument_whose_successor_is_due_is_stale(viewer, account):
    def stale(day):
        return [item["code"] for item in viewer.get(f"{INSTRUMENTS}?as_of={day}").json()["results"] if item["stale"]]

    assert stale("2026-07-31") == []
    assert len(stale("2026-08-01")) == 1


def test_instruments_are_todays_unless_told(viewer, account, workflow_env):
    workflow_env.skip(timedelta(days=191))

    assert viewer.get(INSTRUMENTS).json() == viewer.get(f"{INSTRUMENTS}?as_of=2026-07-15").json()


@pytest.mark.parametrize("query", ["as_of=yesterday", "as_of=2026-02-30", "day=2026-07-15"])
def test_a_query_that_does_not_fit_is_400(viewer, query):
    assert_problem(viewer.get(f"{INSTRUMENTS}?{query}"), 400, "invalid_query")


@pytest.mark.parametrize("path", [ACCOUNTS, f"{ACCOUNTS}{uuid.uuid4()}/", INSTRUMENTS])
def test_reading_needs_the_view_permission(client_with, path):
    assert_problem(client_with("workflows.view_run").get(path), 403, "permission_denied")


@pytest.mark.parametrize("path", [ACCOUNTS, f"{ACCOUNTS}{uuid.uuid4()}/", INSTRUMENTS])
def test_reading_needs_a_user(anonymous, path):
    assert_problem(anonymous.get(path), 401, "not_authenticated")


def test_a_viewer_opens_no_account_and_moves_no_cash(viewer, account, written):
    before = written()

    assert_problem(open_account(viewer), 403, "permission_denied")
    assert_problem(manage(viewer, account), 403, "permission_denied")
    assert written() == before


@pytest.mark.parametrize("permission", ["treasury.change_treasuryaccount", "workflows.start_run"])
def test_cash_management_needs_both_permissions(client_with, account, written, permission):
    before = written()

    assert_problem(manage(client_with(permission), account), 403, "permission_denied")
    assert written() == before


def test_a_frozen_account_takes_no_cash_management(operator, account, written):
    type(account).objects.update(status="frozen")
    before = written()

    assert_problem(manage(operator, account), 422, "account_frozen")
    assert written() == before
