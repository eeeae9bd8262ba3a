"""The wallet over REST: withdrawals requested, confirmed, cancelled, sent again, and looked at."""

import uuid
from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem
from tests.wallet.factories import add_destination, confirmation_mails, money_of, open_account, token
from tests.wallet.flows import SET_ASIDE, UNTOUCHED
from wallet.models import Withdrawal
from workflows.models import HistoryEvent, Run

pytestmark = pytest.mark.django_db

WITHDRAWALS = "/api/v1/wallet/withdrawals/"
CONFIRM = f"{WITHDRAWALS}confirm/"


def request(client, account, destination, amount="100.00", key="k", **headers):
    body = {"account": str(account.id), "amount": amount, "destination": str(destination.id)}
    return client.post(WITHDRAWALS, body, headers={**({} if key is None else {"Idempotency-Key": key}), **headers})


@pytest.fixture
def requested(env, operator, account, destination):
    """A withdrawal that waits for its customer, as its request was answered."""
    body = request(operator, account, destination).json()
    env.skip(timedelta(0))
    return body


def look(client, withdrawal):
    return client.get(f"{WITHDRAWALS}{withdrawal['id']}/").json()


def act(client, withdrawal, name, body=None):
    return client.post(f"{WITHDRAWALS}{withdrawal['id']}/{name}/", body or {})


@pytest.fixture
def written(db):
    def count():
        return {kind.__name__: kind.objects.count() for kind in (Run, HistoryEvent, Withdrawal)}

    return count


# --- Requesting ------------------------------------------------------------------------------------------------------


def test_a_withdrawal_is_found_in_the_second_in_which_it_was_accepted(operator, account, destination):
    response = request(operator, account, destination)

    body = response.json()
    found = operator.get(response["Location"]).json()
    assert (response.status_code, body["status"]) == (201, "requested")
    assert {name: found[name] for name in body if name != "progress"} == {
        name: body[name] for name in body if name != "progress"
    }
    assert operator.get(f"/api/v1/runs/{body['run_id']}/").json()["workflow"] == "wallet.Withdrawal"
    assert body["amount"] == {"amount": "100.00", "currency": "USD"}


@pytest.mark.parametrize("amount", ["100.00", "100", {"amount": "100.00", "currency": "USD"}])
def test_an_amount_is_a_text_in_the_accounts_currency_or_names_its_own(operator, account, destination, amount):
    body = request(operator, account, destination, amount=amount).json()

    assert body["amount"] == {"amount": "100.00", "currency": "USD"}


def test_a_request_that_is_waited_for_in_vain_is_accepted_and_still_open(operator, account, destination):
    response = request(operator, account, destination, Prefer="wait=0")

    assert (response.status_code, response.json()["status"]) == (202, "requested")
    assert operator.get(response["Location"]).json()["id"] == response.json()["id"]


def test_the_same_key_and_facts_give_the_withdrawal_that_exists(operator, account, destination, env, written):
    first = request(operator, account, destination)
    env.skip(timedelta(0))
    before = written()

    again = request(operator, account, destination)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert again.json()["status"] == "awaiting_confirmation"
    assert (written(), len(confirmation_mails())) == (before, 1)


def test_the_same_key_with_other_facts_is_a_conflict(operator, account, destination, written):
    request(operator, account, destination)
    before = written()

    assert_problem(request(operator, account, destination, amount="100.01"), 409, "key_conflict")
    assert written() == before


def test_a_request_needs_a_key(operator, account, destination, written):
    before = written()

    assert_problem(request(operator, account, destination, key=None), 400, "idempotency_key_required")
    assert written() == before


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": "0"}, 422, "amount_not_positive"),
        ({"amount": "-1.00"}, 422, "amount_not_positive"),
        ({"amount": "1000.01"}, 422, "insufficient_funds"),
        ({"amount": "0.001"}, 422, "amount_too_precise"),
        ({"amount": "1e3"}, 422, "invalid_amount"),
        ({"amount": ""}, 422, "invalid_amount"),
        ({"amount": 100}, 422, "invalid_input"),
        ({"amount": 1.5}, 422, "invalid_input"),
        ({"amount": None}, 422, "invalid_input"),
        ({"amount": True}, 422, "invalid_input"),
        ({"amount": {"amount": "1.00"}}, 422, "invalid_input"),
        ({"amount": {"amount": "1.00", "currency": "EUR"}}, 422, "currency_mismatch"),
        ({"amount": {"amount": "1.00", "currency": "XXX"}}, 422, "invalid_input"),
        ({"account": str(uuid.uuid4())}, 422, "unknown_account"),
        ({"account": "mine"}, 422, "invalid_input"),
        ({"destination": str(uuid.uuid4())}, 422, "unknown_destination"),
        ({"destination": 7}, 422, "invalid_input"),
        ({"note": "hello"}, 422, "invalid_input"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_nothing_is_written(
    operator, account, destination, written, change, status, code
):  # fmt: skip
    before = written()
    body = {"account": str(account.id), "amount": "1.00", "destination": str(destination.id), **change}

    assert_problem(operator.post(WITHDRAWALS, body, headers={"Idempotency-Key": "k"}), status, code)
    assert written() == before


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda account: add_destination(open_account()), "unknown_destination"),
        (lambda account: add_destination(account, cooling_off=timedelta(hours=1)), "destination_cooling_off"),
    ],
)
def test_a_destination_that_takes_nothing_is_refused(operator, account, written, prepare, code):
    destination = prepare(account)
    before = written()

    assert_problem(request(operator, account, destination), 422, code)
    assert written() == before


def test_an_amount_over_a_limit_is_refused_with_the_limit(operator):
    account = open_account("100000.00")

    problem = assert_problem(
        request(operator, account, add_destination(account), amount="25000.01"), 422, "limit_exceeded"
    )
    assert "transaction limit is 25000.00 USD" in problem["detail"]


# --- Deciding --------------------------------------------------------------------------------------------------------


def test_the_token_of_the_mail_confirms(operator, requested, account):
    response = operator.post(CONFIRM, {"token": token()})

    assert (response.status_code, response.json()["id"]) == (200, requested["id"])
    assert response.json()["status"] == "confirmed"
    assert [event["actor"] for event in look(operator, requested)["events"] if event["kind"] == "confirmed"] == [
        "operator"
    ]


@pytest.mark.parametrize(
    ("prepare", "status", "code"),
    [
        ("unknown", 422, "unknown_token"),
        ("used", 409, "token_used"),
        ("void", 409, "token_void"),
        ("late", 409, "confirmation_expired"),
        ("timed out", 409, "confirmation_expired"),
        ("cancelled", 409, "not_awaiting_confirmation"),
    ],
)
def test_any_other_token_is_refused(operator, requested, env, prepare, status, code):
    link = token()
    if prepare == "unknown":
        link = "x" * 43
    elif prepare == "used":
        operator.post(CONFIRM, {"token": link})
    elif prepare == "void":
        act(operator, requested, "resend")
    elif prepare == "late":
        env.now += timedelta(minutes=30, microseconds=1)
    elif prepare == "timed out":
        env.skip(timedelta(minutes=30))
    elif prepare == "cancelled":
        act(operator, requested, "cancel")

    assert_problem(operator.post(CONFIRM, {"token": link}), status, code)


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": 7}, {"token": "x" * 300}, {"token": "x", "id": "y"}])
def test_a_confirmation_that_does_not_fit_is_refused(operator, requested, body):
    assert_problem(operator.post(CONFIRM, body), 422, "invalid_input")
    assert look(operator, requested)["status"] == "awaiting_confirmation"


def test_it_is_cancelled_for_its_customer(operator, requested, account):
    response = act(operator, requested, "cancel", {"reason": "changed their mind"})

    body = response.json()
    assert (response.status_code, body["status"], body["reason"]) == (200, "cancelled", "customer")
    assert money_of(account) == UNTOUCHED
    (event,) = [event for event in look(operator, requested)["events"] if event["kind"] == "cancelled"]
    assert (event["actor"], event["detail"]) == ("operator", "changed their mind")


def test_one_that_is_processed_is_not_cancelled(operator, requested, env):
    operator.post(CONFIRM, {"token": token()})
    env.skip(timedelta(0))

    assert_problem(act(operator, requested, "cancel"), 409, "not_cancellable")
    assert look(operator, requested)["status"] == "in_transit"


def test_the_link_is_sent_again(operator, requested, env, account):
    old = token()
    response = act(operator, requested, "resend")
    env.skip(timedelta(0))

    assert (response.status_code, response.json()["deadline"]) == (200, look(operator, requested)["deadline"])
    assert (len(confirmation_mails()), token() == old) == (2, False)
    assert money_of(account) == SET_ASIDE


def test_a_link_that_nobody_waits_for_is_not_sent(operator, requested):
    act(operator, requested, "cancel")

    assert_problem(act(operator, requested, "resend"), 409, "not_awaiting_confirmation")


@pytest.mark.parametrize("name", ["cancel", "resend", "return"])
@pytest.mark.parametrize("withdrawal_id", [uuid.uuid4(), "42"])
def test_acts_on_what_is_not_there_are_404(operator, name, withdrawal_id):
    answer = operator.post(f"{WITHDRAWALS}{withdrawal_id}/{name}/", {"reason": "r"} if name == "return" else {},
                           headers={"Idempotency-Key": "k"})  # fmt: skip

    assert_problem(answer, 404, "not_found")


# --- Looking ---------------------------------------------------------------------------------------------------------


def test_a_withdrawal_tells_its_course(operator, requested, env):
    operator.post(CONFIRM, {"token": token()})
    env.skip(timedelta(hours=72))

    found = look(operator, requested)
    assert (found["status"], found["progress"]["headline"]) == ("completed", "Completed")
    assert [event["kind"] for event in found["events"]] == [
        "requested", "link_sent", "confirmed", "processing", "in_transit", "completed",
    ]  # fmt: skip
    run = operator.get(f"/api/v1/runs/{found['run_id']}/").json()
    assert (run["status"], run["result"]) == ("completed", {"status": "completed"})


def test_an_unconfirmed_one_ends_as_timed_out(operator, requested, env):
    env.skip(timedelta(minutes=30))

    found = look(operator, requested)
    run = operator.get(f"/api/v1/runs/{found['run_id']}/").json()
    assert (found["status"], found["reason"]) == ("cancelled", "timeout")
    assert run["result"] == {"status": "cancelled", "reason": "timeout"}


def test_withdrawals_are_listed_newest_first_and_by_account_and_status(operator, env, account, destination):
    other = open_account()
    ids = []
    for number, (owner, target) in enumerate([(account, destination)] * 3 + [(other, add_destination(other))]):
        ids.append(request(operator, owner, target, amount="1.00", key=str(number)).json()["id"])
        env.skip(timedelta(seconds=1))
    operator.post(f"{WITHDRAWALS}{ids[0]}/cancel/", {})

    def listed(query=""):
        return [item["id"] for item in operator.get(f"{WITHDRAWALS}{query}").json()["results"]]

    assert listed() == ids[::-1]
    assert listed(f"?account={account.id}") == ids[2::-1]
    assert listed("?status=cancelled") == ids[:1]


def test_pages_follow_each_other(operator, env, account, destination):
    ids = {request(operator, account, destination, amount="1.00", key=str(n)).json()["id"] for n in range(5)}

    seen, address = [], f"{WITHDRAWALS}?limit=2"
    while address:
        body = operator.get(address).json()
        seen += [item["id"] for item in body["results"]]
        address = body["next"]

    assert (len(seen), set(seen)) == (5, ids)


@pytest.mark.parametrize("query", ["account=mine", "status=lost", "limit=0", "cursor=x", "owner=me"])
def test_a_query_that_does_not_fit_is_refused(operator, query):
    assert operator.get(f"{WITHDRAWALS}?{query}").status_code == 400


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_a_viewer_looks_and_does_nothing(viewer, operator, requested, account, destination, written):
    before = written()

    assert viewer.get(WITHDRAWALS).status_code == 200
    for answer in (
        request(viewer, account, destination, key="v"),
        viewer.post(CONFIRM, {"token": token()}),
        act(viewer, requested, "cancel"),
        act(viewer, requested, "resend"),
        act(viewer, requested, "return", {"reason": "r"}),
    ):
        assert_problem(answer, 403, "permission_denied")
    assert written() == before


def test_no_answer_to_a_viewer_is_a_key_to_a_status_page(viewer, requested):
    assert "/wallet/status/" not in str(look(viewer, requested))


def test_requesting_needs_the_permission_to_start_runs_too(client_with, account, destination, written):
    before = written()

    assert_problem(request(client_with("wallet.add_withdrawal"), account, destination), 403, "permission_denied")
    assert written() == before


def test_nobody_is_answered_without_logging_in(anonymous, requested):
    for answer in (anonymous.get(WITHDRAWALS), anonymous.post(CONFIRM, {"token": token()})):
        assert_problem(answer, 401, "not_authenticated")
