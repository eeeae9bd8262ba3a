"""Panels in the console: a run shows its records and money, records show their runs, the front page what waits."""

from datetime import timedelta

import pytest
from django.urls import reverse

from finaegis.shared.money import Money
from tests.admin.conftest import page_of, signed_in, without
from tests.paying import PaymentsWorkflow
from treasury import operations as treasury
from workflows import operations, panels, queries
from workflows.panels import QueueCount, RecordKind, WorkQueue, registry

pytestmark = pytest.mark.django_db
INDEX = reverse("admin:index")
RUNS = reverse("admin:workflows_run_changelist")


@pytest.fixture
def account(env):
    return treasury.open_treasury_account(name="Main", currency="USD", initial_balance=Money(1000, "USD"), key="open-1")


@pytest.fixture
def paid(env, account):
    run = operations.start_run(PaymentsWorkflow, account_id=account.id, fail=True)
    env.skip(timedelta(minutes=1))
    return queries.get_run(run.id)


def account_page(account):
    return reverse("admin:treasury_treasuryaccount_change", args=[account.id])


def test_the_page_of_a_run_shows_its_money(client, paid):
    page = client.get(page_of(paid))

    money = page.context["page"].money
    assert {(row.account, row.amount, row.held) for row in money.net} == {
        ("Main, operating", "-0.50 USD", "1.00 USD"),
        ("external", "+0.50 USD", ""),
    }
    assert {row.note for row in money.transfers} == {"undone", "undoes: a payment", ""}
    assert {(row.status, row.captured) for row in money.holds} == {("held", "-"), ("captured", "0.50 USD")}
    text = page.content.decode()
    assert all(row.url in text for row in (*money.net, *money.transfers, *money.holds))


def test_the_pages_that_money_links_to_are_there(client, paid):
    money = client.get(page_of(paid)).context["page"].money

    for row in (*money.net, *money.transfers, *money.holds):
        assert client.get(row.url).status_code == 200


def test_a_run_that_moved_nothing_has_no_money_card(client, make):
    assert 'id="money"' not in client.get(page_of(make.completed())).content.decode()


def test_whoever_may_not_see_the_ledger_sees_no_money(operator, paid):
    client = signed_in(without(operator, "view_transfer"))

    page = client.get(page_of(paid))

    assert page.status_code == 200
    assert 'id="money"' not in page.content.decode()


def test_a_record_shows_its_runs_and_they_show_it(client, env, account):
    run = operations.start_run(
        "treasury.CashManagement", account.id, {"amount": "10.00", "currency": "USD"}, "balanced", key="cash:1"
    )
    env.skip(timedelta(0))

    record, page = client.get(account_page(account)), client.get(page_of(run))

    shown = record.context["record_panels"]
    # Beside the account's sagas, which its opening started.
    assert page_of(run) in [row.url for row in shown.runs.rows]
    assert "Allocation" in {row.label for row in shown.related.rows}
    assert {row.url for row in page.context["page"].related.rows} >= {account_page(account)}
    assert page_of(run) in record.content.decode()
    assert account_page(account) in page.content.decode()


def test_pages_of_the_ledger_lead_to_whose_money_it_is(client, account, paid):
    money = client.get(page_of(paid)).context["page"].money

    own = next(row for row in money.net if row.account == "Main, operating")
    for row in (own, money.transfers[0], money.holds[0]):
        shown = client.get(row.url).context["record_panels"]
        assert account_page(account) in {related.url for related in shown.related.rows}


def test_a_record_without_runs_has_no_cards(client, account):
    text = client.get(account_page(account)).content.decode()

    assert 'id="runs"' not in text and 'id="related"' not in text and 'id="money"' not in text


def test_a_run_is_found_by_its_record_and_the_record_stands_above(client, paid):
    transfer = queries.money_of([paid.id], user=_everybody(client)).money.transfers[0]

    page = client.get(RUNS, {"q": transfer.key})

    assert [run.pk for run in page.context["cl"].result_list] == [paid.id]
    assert [row.label for row in page.context["hits"].rows] == ["Transfer"]


def _everybody(client):
    class Everybody:
        def has_perm(self, permission):
            return True

    return Everybody()


def test_a_search_that_names_no_record_shows_no_hits(client, make):
    run = make.pending(key="trade:1")

    page = client.get(RUNS, {"q": "trade:1"})

    assert [found.pk for found in page.context["cl"].result_list] == [run.id]
    assert page.context["hits"] is None


def test_the_front_page_counts_what_waits_and_leads_there(client, make):
    make.paused()

    page = client.get(INDEX)

    rows = {row.label: row for row in page.context["queues"]}
    assert (rows["Other held runs"].number, rows["Runs in doubt"].number) == (1, 0)
    assert {"Reviews", "Open receivables", "Wallet cases"} <= set(rows)
    for row in rows.values():
        assert client.get(row.url).status_code == 200
    found = client.get(rows["Other held runs"].url).context["cl"]
    assert found.result_count == 1
    assert client.get(rows["Runs in doubt"].url).context["cl"].result_count == 0


def test_a_queue_that_the_role_may_not_see_is_not_counted(operator):
    client = signed_in(without(operator, "view_review"))

    labels = {row.label for row in client.get(INDEX).context["queues"]}

    assert "Reviews" not in labels and "Wallet cases" in labels


def test_overdue_work_is_red(client, env):
    with registry.changed():
        panels.register_queue(
            WorkQueue(
                name="post.letters", label="Letters", permission="workflows.view_run",
                count=lambda: QueueCount(3, env.now - timedelta(hours=2), 1), place="admin:index",
            )
        )  # fmt: skip

        (row,) = [row for row in client.get(INDEX).context["queues"] if row.label == "Letters"]

    assert (row.number, row.says, row.colour) == (3, "1 overdue, oldest for 2 h", "danger")


def test_providers_that_fail_take_no_page_down(client, make, account, paid):
    def fail(*_):
        raise RuntimeError("lost")

    with registry.changed() as found:
        found.money = panels.MoneySource(name="a ledger", permissions=(), of_runs=fail)
        panels.register_records(
            RecordKind(name="workflows.calendar", label="Parcel", read=fail, of_runs=fail, runs_of=fail, find=fail)
        )
        panels.register_queue(
            WorkQueue(name="p", label="Lost", permission="workflows.view_run", count=fail, place="admin:index")
        )
        run, record = client.get(page_of(paid)), client.get(account_page(account))
        front, runs = client.get(INDEX), client.get(RUNS, {"q": "Main"})

    assert [page.status_code for page in (run, record, front, runs)] == [200] * 4
    assert "The ledger could not be read just now" in run.content.decode()
    assert "Could not be read just now: Parcel." in run.content.decode()
    assert "could not be read" in front.content.decode()
    assert "Could not be read just now: Parcel." in runs.content.decode()
