"""Wallet accounts, allow-lists, returns and cases over REST."""

import uuid
from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem
from tests.wallet.factories import money_of, open_account
from tests.wallet.flows import UNTOUCHED, confirmed, withdrawal_of
from wallet.models import Case, Destination, WalletAccount

pytestmark = pytest.mark.django_db

ACCOUNTS = "/api/v1/wallet/accounts/"
DESTINATIONS = "/api/v1/wallet/destinations/"
CASES = "/api/v1/wallet/cases/"
NEW = {"name": "Ada Byron", "email": "ada@example.com", "currency": "USD", "initial_balance": "500.00"}
IBAN = "DE89370400440532013000"


def post(client, address, body=None, key="k"):
    return client.post(address, body or {}, headers={} if key is None else {"Idempotency-Key": key})


# --- Accounts --------------------------------------------------------------------------------------------------------


def test_an_account_is_opened_with_its_balance(operator):
    response = post(operator, ACCOUNTS, NEW)

    body, found = response.json(), operator.get(response["Location"]).json()
    assert (response.status_code, body["run_id"], body["status"]) == (201, None, "active")
    assert body["customer"]["email"] == "ada@example.com"
    assert {item["kind"]: item["available"] for item in found["ledger_accounts"]} == {
        "wallet": "500.00",
        "in_transit": "0.00",
    }


def test_the_same_key_opens_it_once(operator):
    first, again = post(operator, ACCOUNTS, NEW), post(operator, ACCOUNTS, NEW)

    assert (again.status_code, again.json()) == (200, first.json())
    assert_problem(post(operator, ACCOUNTS, {**NEW, "name": "Other"}), 409, "idempotency_conflict")


def test_money_from_outside_needs_a_key(operator):
    assert_problem(post(operator, ACCOUNTS, NEW, key=None), 400, "idempotency_key_required")
    without = {name: value for name, value in NEW.items() if name != "initial_balance"}
    assert post(operator, ACCOUNTS, without, key=None).status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "nobody"}, "invalid_customer"),
        ({"name": ""}, "invalid_input"),
        ({"currency": "XXX"}, "unknown_currency"),
        ({"initial_balance": "-1.00"}, "amount_not_positive"),
        ({"initial_balance": "1.005"}, "amount_too_precise"),
        ({"owner": "me"}, "invalid_input"),
    ],
)
def test_facts_that_do_not_make_an_account_are_refused(operator, change, code):
    assert_problem(post(operator, ACCOUNTS, {**NEW, **change}), 422, code)
    assert WalletAccount.objects.count() == 0


def test_accounts_are_listed(operator):
    ids = {str(open_account().id) for _ in range(3)}

    assert {item["id"] for item in operator.get(ACCOUNTS).json()["results"]} == ids


def test_an_account_is_frozen_and_unfrozen_with_a_reason(operator):
    address = f"{ACCOUNTS}{open_account().id}/"

    frozen = post(operator, f"{address}freeze/", {"reason": "a court order"}).json()
    thawed = post(operator, f"{address}unfreeze/", {"reason": "lifted"}).json()

    assert (frozen["status"], thawed["status"]) == ("frozen", "active")
    assert_problem(post(operator, f"{address}freeze/", {"reason": " "}), 422, "reason_missing")


@pytest.mark.parametrize("rest", ["", "freeze/", "unfreeze/"])
def test_an_account_that_is_not_there_is_404(operator, rest):
    address = f"{ACCOUNTS}{uuid.uuid4()}/{rest}"
    answer = post(operator, address, {"reason": "r"}) if rest else operator.get(address)

    assert_problem(answer, 404, "not_found")


# --- Destinations ----------------------------------------------------------------------------------------------------


@pytest.fixture
def new_destination(account):
    return {"account": str(account.id), "label": "Savings", "beneficiary": "Ada Byron", "address": IBAN}


def test_a_destination_is_added_and_cools_off(operator, new_destination, env):
    response = post(operator, DESTINATIONS, new_destination)

    body = response.json()
    assert (response.status_code, body["status"], body["run_id"]) == (201, "allowed", None)
    assert body["usable_from"] == (env.now + timedelta(hours=24)).isoformat().replace("+00:00", "Z")
    assert operator.get(response["Location"]).json() == body
    assert post(operator, DESTINATIONS, new_destination).status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"address": "DE88370400440532013000"}, "invalid_destination"),
        ({"account": str(uuid.uuid4())}, "unknown_account"),
        ({"label": ""}, "invalid_input"),
        ({"usable_from": "2026-01-01T00:00:00Z"}, "invalid_input"),
    ],
)
def test_a_destination_that_does_not_fit_is_refused(operator, new_destination, change, code):
    before = Destination.objects.count()

    assert_problem(post(operator, DESTINATIONS, {**new_destination, **change}), 422, code)
    assert Destination.objects.count() == before


def test_destinations_of_an_account_are_listed(operator, account, destination):
    other = open_account()

    def listed(query):
        return [item["id"] for item in operator.get(f"{DESTINATIONS}?{query}").json()["results"]]

    assert listed(f"account={account.id}") == [str(destination.id)]
    assert listed(f"account={other.id}") == []


def test_a_removed_destination_takes_nothing(operator, account, destination):
    removed = post(operator, f"{DESTINATIONS}{destination.id}/remove/").json()
    answer = post(
        operator,
        "/api/v1/wallet/withdrawals/",
        {"account": str(account.id), "amount": "1.00", "destination": str(destination.id)},
    )

    assert removed["status"] == "removed"
    assert_problem(answer, 422, "destination_not_allowed")


# --- Returns and cases -----------------------------------------------------------------------------------------------


@pytest.fixture
def paid(env, account, destination):
    run = confirmed(env, account, destination)
    env.finish(run.id)
    return withdrawal_of(run)


def returned(client, paid, key="r"):
    return post(client, f"/api/v1/wallet/withdrawals/{paid.id}/return/", {"reason": "account closed"}, key=key)


def test_a_return_opens_a_case_that_is_found_at_once(operator, paid):
    response = returned(operator, paid)

    case = response.json()
    assert (response.status_code, case["status"], case["kind"]) == (201, "open", "return")
    assert operator.get(response["Location"]).json() == case
    assert operator.get(f"{CASES}?status=open").json()["results"] == [case]
    assert operator.get(f"{CASES}?status=resolved").json()["results"] == []


def test_a_return_moves_money_and_needs_a_key(operator, paid):
    assert_problem(returned(operator, paid, key=None), 400, "idempotency_key_required")
    assert returned(operator, paid).json() == returned(operator, paid).json()
    assert_problem(returned(operator, paid, key="other"), 409, "not_returnable")


def test_a_case_is_resolved_once(operator, paid, account):
    case = returned(operator, paid).json()
    address = f"{CASES}{case['id']}/resolve/"

    resolved = post(operator, address, {"resolution": "credited", "reason": "the customer is right"})

    assert (resolved.status_code, resolved.json()["status"]) == (200, "resolved")
    assert money_of(account) == UNTOUCHED
    assert post(operator, address, {"resolution": "credited", "reason": "again"}).json() == resolved.json()
    assert_problem(post(operator, address, {"resolution": "retained", "reason": "r"}), 409, "case_resolved")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"resolution": "cleared", "reason": "r"}, "invalid_resolution"),
        ({"resolution": "lost", "reason": "r"}, "invalid_input"),
        ({"resolution": "credited", "reason": ""}, "reason_missing"),
        ({"reason": "r"}, "invalid_input"),
    ],
)
def test_a_resolution_that_does_not_fit_is_refused(operator, paid, body, code):
    case = returned(operator, paid).json()

    assert_problem(post(operator, f"{CASES}{case['id']}/resolve/", body), 422, code)
    assert Case.objects.get().status == "open"


def test_a_case_that_is_not_there_is_404(operator):
    for answer in (
        operator.get(f"{CASES}{uuid.uuid4()}/"),
        post(operator, f"{CASES}{uuid.uuid4()}/resolve/", {"resolution": "credited", "reason": "r"}),
    ):
        assert_problem(answer, 404, "not_found")


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_a_viewer_only_looks(viewer, account, destination, new_destination):
    for address in (ACCOUNTS, f"{ACCOUNTS}{account.id}/", DESTINATIONS, f"{DESTINATIONS}{destination.id}/", CASES):
        assert viewer.get(address).status_code == 200
    for answer in (
        post(viewer, ACCOUNTS, NEW),
        post(viewer, DESTINATIONS, new_destination),
        post(viewer, f"{DESTINATIONS}{destination.id}/remove/"),
        post(viewer, f"{ACCOUNTS}{account.id}/freeze/", {"reason": "r"}),
        post(viewer, f"{CASES}{uuid.uuid4()}/resolve/", {"resolution": "credited", "reason": "r"}),
    ):
        assert_problem(answer, 403, "permission_denied")


@pytest.mark.parametrize("address", [ACCOUNTS, DESTINATIONS, CASES])
def test_looking_needs_a_permission(client_with, address):
    assert_problem(client_with("workflows.view_run").get(address), 403, "permission_denied")
