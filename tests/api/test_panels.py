"""Panels over REST: money and records of a run, a record with its runs, searches, queues."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.cast import AdditionWorkflow
from tests.api.conftest import assert_problem
from tests.paying import PaymentsWorkflow
from treasury.workflows import CashManagementWorkflow
from workflows import operations, panels
from workflows.panels import RecordKind, registry

pytestmark = pytest.mark.django_db


def get(client, path, **query):
    return client.get(f"/api/v1/{path}", query)


@pytest.fixture
def managed(account, workflow_env):
    """A run of cash management that completed, on a day that has instruments."""
    workflow_env.now = datetime(2026, 7, 15, tzinfo=UTC)
    run = operations.start_run(
        CashManagementWorkflow, account.id, {"amount": "100.00", "currency": "USD"}, "balanced", key="cash:1"
    )
    workflow_env.skip(timedelta(0))
    return run


@pytest.fixture
def broken():
    """A kind of records that cannot be read, and a ledger that cannot."""

    def fail(*_):
        raise RuntimeError("secret of the provider")

    with registry.changed() as found:
        panels.register_records(
            RecordKind(name="workflows.calendar", label="Parcel", read=fail, of_runs=fail, runs_of=fail, find=fail)
        )
        found.money = panels.MoneySource(name="a ledger", permissions=(), of_runs=fail)
        yield


def test_a_run_tells_its_money(viewer, account, workflow_env):
    run = operations.start_run(PaymentsWorkflow, account_id=account.id)
    workflow_env.skip(timedelta(0))

    body = get(viewer, f"runs/{run.id}/money/").json()

    (paid,) = [item for item in body["transfers"] if item["kind"] == "transfer"]
    assert paid["run_id"] == str(run.id)
    assert [leg["amount"] for leg in paid["legs"]] == [
        {"amount": "-1.00", "currency": "USD"}, {"amount": "1.00", "currency": "USD"},
    ]  # fmt: skip
    assert paid["legs"][0]["account"]["owner_title"] == account.name
    assert {hold["status"]: hold["is_open"] for hold in body["holds"]} == {"held": True, "captured": False}
    net = {item["account"]["kind"]: (item["balance"]["amount"], item["held"]["amount"]) for item in body["net"]}
    assert net == {"operating": ("-1.50", "1.00"), "external": ("1.50", "0.00")}
    assert (body["transfers_left_out"], body["holds_left_out"]) == (0, 0)


def test_a_run_tells_its_records_and_where_they_are_read(viewer, account, managed):
    body = get(viewer, f"runs/{managed.id}/related/").json()

    found = {item["kind"]: item for item in body["records"]}
    assert set(found) == {"treasury.treasuryaccount", "treasury.allocation"}
    assert found["treasury.treasuryaccount"]["label"] == "Treasury account"
    assert viewer.get(found["treasury.treasuryaccount"]["url"]).json()["id"] == str(account.id)
    assert found["treasury.allocation"]["url"] is None
    assert body["unread"] == []


def test_a_records_detail_tells_its_runs(viewer, account, managed):
    (run,) = get(viewer, f"treasury/accounts/{account.id}/").json()["runs"]

    assert (run["id"], run["workflow"], run["status"]) == (str(managed.id), "treasury.CashManagement", "completed")
    assert viewer.get(run["url"]).json()["id"] == str(managed.id)


def test_a_record_tells_its_runs_what_they_relate_it_to_and_their_money(viewer, account, managed):
    body = get(viewer, f"records/treasury.treasuryaccount/{account.id}/").json()

    assert body["title"] == f"{account.name}, USD"
    assert [run["id"] for run in body["runs"]] == [str(managed.id)]
    assert [item["kind"] for item in body["related"]] == ["treasury.allocation"]
    operating = next(item for item in body["money"]["net"] if item["account"]["kind"] == "operating")
    assert operating["balance"]["amount"] == "-100.00"
    assert (body["more_runs"], body["unread"]) == (False, [])


def test_what_is_not_there_is_404(viewer, account):
    nobody = uuid.uuid4()
    for path in (
        f"runs/{nobody}/money/",
        f"runs/{nobody}/related/",
        f"records/treasury.treasuryaccount/{nobody}/",
        f"records/treasury.nothing/{account.id}/",
    ):
        assert_problem(get(viewer, path), 404, "not_found")


def test_each_panel_asks_for_the_permissions_of_what_it_shows(client_with, account, managed):
    sees_runs = client_with("workflows.view_run")
    sees_accounts = client_with("treasury.view_treasuryaccount")
    record = f"records/treasury.treasuryaccount/{account.id}/"

    assert_problem(get(sees_runs, f"runs/{managed.id}/money/"), 403, "permission_denied")
    assert get(sees_runs, f"runs/{managed.id}/related/").json()["records"] == []
    assert_problem(get(sees_runs, record), 403, "permission_denied")
    assert get(sees_accounts, record).json()["runs"] == []
    assert get(sees_accounts, record).json()["money"] is None
    assert_problem(get(sees_accounts, f"runs/{managed.id}/related/"), 403, "permission_denied")
    assert_problem(get(sees_accounts, "work-queues/"), 403, "permission_denied")


def test_a_detail_hides_its_runs_from_who_may_not_view_runs(client_with, account, managed):
    client = client_with(
        "treasury.view_treasuryaccount", "treasury.view_allocation", "treasury.view_storedevent", "ledger.view_account"
    )

    assert get(client, f"treasury/accounts/{account.id}/").json()["runs"] is None


def test_a_search_finds_records_by_name_and_their_runs(viewer, account, managed):
    hits = get(viewer, "search/", text=account.name).json()
    runs = get(viewer, "runs/", text=str(managed.id)).json()

    assert [(hit["kind"], hit["id"]) for hit in hits["results"]] == [("treasury.treasuryaccount", str(account.id))]
    assert [run["id"] for run in runs["results"]] == [str(managed.id)]


def test_a_list_of_runs_is_searched_by_what_a_record_is_called(viewer, account, workflow_env):
    run = operations.start_run(PaymentsWorkflow, account_id=account.id)
    operations.start_run(PaymentsWorkflow, account_id=account.id)
    workflow_env.skip(timedelta(0))
    (paid,) = [item for item in get(viewer, f"runs/{run.id}/money/").json()["transfers"] if item["kind"] == "transfer"]

    found = get(viewer, "runs/", text=paid["key"]).json()

    assert [item["id"] for item in found["results"]] == [str(run.id)]


@pytest.mark.parametrize("query", [{}, {"text": ""}, {"text": "x"}, {"text": "y" * 201}, {"text": "ab", "q": "c"}])
def test_a_search_for_nothing_is_refused(viewer, query):
    assert_problem(get(viewer, "search/", **query), 400, "invalid_query")


def test_work_queues_tell_how_much_waits(viewer, workflow_env):
    operations.pause_run(operations.start_run(AdditionWorkflow, 1).id, reason="lunch")

    found = {item["name"]: item for item in get(viewer, "work-queues/").json()["results"]}

    assert found["workflows.held"]["number"] == 1
    assert (found["lending.reviews"]["number"], found["wallet.cases"]["number"]) == (0, 0)


def test_a_provider_that_fails_is_named_and_the_rest_is_told(viewer, client_with, account, managed, broken):
    related = get(viewer, f"runs/{managed.id}/related/").json()
    record = get(viewer, f"records/treasury.treasuryaccount/{account.id}/").json()

    assert related["unread"] == ["Parcel"]
    assert len(related["records"]) == 2
    assert (record["money"], record["unread"]) == (None, ["Parcel", "money"])
    assert get(viewer, "search/", text=account.name).json()["unread"] == ["Parcel"]


def test_money_and_records_that_cannot_be_read_are_503_and_never_none(viewer, managed, broken):
    for path in (f"runs/{managed.id}/money/", f"records/workflows.calendar/{uuid.uuid4()}/"):
        body = assert_problem(get(viewer, path), 503, "panel_unread")
        assert "secret of the provider" not in str(body)
