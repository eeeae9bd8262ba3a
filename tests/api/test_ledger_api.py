"""The ledger over REST: accounts, transfers, and that nothing can be written there."""

import uuid
from datetime import timedelta

import pytest

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from tests.api.conftest import assert_problem
from tests.treasury.factories import TreasuryAccountFactory

pytestmark = pytest.mark.django_db

ACCOUNTS = "/api/v1/ledger/accounts/"
TRANSFERS = "/api/v1/ledger/transfers/"


@pytest.fixture
def desk(db):
    """An account that may go negative and one with 10.000 KWD, 2.500 of them held."""
    world = ledger.open_account(owner="world", kind="external", currency="KWD", may_go_negative=True)
    desk = ledger.open_account(owner="desk", kind="operating", currency="KWD")
    ledger.transfer(
        key="t1", legs=[Leg(world.id, Money("-10.000", "KWD")), Leg(desk.id, Money("10.000", "KWD"))], description="in"
    )
    ledger.place_hold(key="h1", account_id=desk.id, amount=Money("2.500", "KWD"))
    return desk


def test_an_account_tells_balance_held_and_available_at_its_currencys_scale(viewer, desk):
    (found,) = viewer.get(f"{ACCOUNTS}?owner=desk").json()["results"]

    assert found == {
        "id": str(desk.id),
        "owner": "desk",
        "kind": "operating",
        "currency": "KWD",
        "balance": "10.000",
        "held": "2.500",
        "available": "7.500",
    }
    assert viewer.get(f"{ACCOUNTS}{desk.id}/").json() == found


@pytest.mark.parametrize(
    ("query", "owners"),
    [("", ["desk", "world"]), ("currency=KWD", ["desk", "world"]), ("currency=USD", []), ("owner=world", ["world"])],
)
def test_accounts_are_filtered_by_owner_and_currency(viewer, desk, query, owners):
    assert [item["owner"] for item in viewer.get(f"{ACCOUNTS}?{query}").json()["results"]] == owners


def test_accounts_of_a_domain_are_found_by_the_id_alone(viewer, account):
    by_name, by_id = (
        viewer.get(f"{ACCOUNTS}?owner={owner}").json()["results"] for owner in (account.ledger_owner, account.id)
    )

    assert len(by_id) == 4
    assert by_id == by_name


def test_a_part_of_an_owner_is_none(viewer, account):
    assert viewer.get(f"{ACCOUNTS}?owner=treasury").json()["results"] == []


def test_pages_of_accounts_follow_each_other(viewer, account):
    TreasuryAccountFactory()

    seen, address = [], f"{ACCOUNTS}?limit=2"
    while address:
        body = viewer.get(address).json()
        seen += [item["id"] for item in body["results"]]
        address = body["next"]

    assert sorted(seen) == sorted(str(item.id) for item in ledger_queries.list_accounts())


def test_a_transfer_tells_its_legs(viewer, desk):
    (found,) = viewer.get(f"{TRANSFERS}?account={desk.id}").json()["results"]

    assert (found["key"], found["description"], found["run_id"], found["reverses"]) == ("t1", "in", None, None)
    assert [leg["amount"] for leg in found["legs"]] == [
        {"amount": "-10.000", "currency": "KWD"},
        {"amount": "10.000", "currency": "KWD"},
    ]


def test_transfers_of_another_account_are_left_out(viewer, desk, account):
    assert len(viewer.get(TRANSFERS).json()["results"]) == 2
    assert viewer.get(f"{TRANSFERS}?account={uuid.uuid4()}").json()["results"] == []


def test_transfers_are_found_by_the_run_that_made_them(operator, account, workflow_env):
    workflow_env.skip(timedelta(days=191))
    body = {"account_id": str(account.id), "amount": {"amount": "100.00", "currency": "USD"}, "strategy": "balanced"}
    run = operator.post("/api/v1/treasury/cash-management/", body, headers={"Idempotency-Key": "k"}).json()
    workflow_env.skip(timedelta(0))

    (found,) = operator.get(f"{TRANSFERS}?run={run['run_id']}").json()["results"]

    assert found["run_id"] == run["run_id"]


def test_pages_of_transfers_follow_each_other(viewer, desk, account):
    first = viewer.get(f"{TRANSFERS}?limit=1").json()
    second = viewer.get(first["next"]).json()

    assert first["results"][0]["id"] != second["results"][0]["id"]
    assert second["next"] is None


@pytest.mark.parametrize("path", [f"{TRANSFERS}?account=7", f"{TRANSFERS}?run=x", f"{ACCOUNTS}?ownr=x"])
def test_a_query_that_does_not_fit_is_400(viewer, path):
    assert_problem(viewer.get(path), 400, "invalid_query")


@pytest.mark.parametrize("path", [ACCOUNTS, TRANSFERS])
@pytest.mark.parametrize("cursor", ["x", "WyJhIl0"])
def test_a_cursor_that_is_none_is_400(viewer, path, cursor):
    assert_problem(viewer.get(f"{path}?cursor={cursor}"), 400, "invalid_cursor")


@pytest.mark.parametrize("account_id", [uuid.uuid4(), "42"])
def test_an_account_that_is_unknown_or_does_not_parse_is_404(viewer, account_id):
    assert_problem(viewer.get(f"{ACCOUNTS}{account_id}/"), 404, "not_found")


@pytest.mark.parametrize("path", [ACCOUNTS, f"{ACCOUNTS}{uuid.uuid4()}/", TRANSFERS])
def test_reading_needs_the_view_permission(client_with, path):
    assert_problem(client_with("workflows.view_run").get(path), 403, "permission_denied")


@pytest.mark.parametrize("path", [ACCOUNTS, f"{ACCOUNTS}{uuid.uuid4()}/", TRANSFERS])
def test_reading_needs_a_user(anonymous, path):
    assert_problem(anonymous.get(path), 401, "not_authenticated")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", [ACCOUNTS, TRANSFERS])
def test_nothing_is_written_there(operator, written, method, path):
    before = written()

    assert_problem(getattr(operator, method)(path, {}), 405, "method_not_allowed")
    assert written() == before
