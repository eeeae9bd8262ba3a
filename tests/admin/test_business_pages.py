"""Ledger and treasury in the console: money in words that nobody misreads, and ways to the run behind it."""

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.models import Account, Hold, Transfer
from tests.admin.browsing import typed_in
from tests.admin.conftest import page_of, signed_in
from treasury import operations as treasury
from treasury.contracts import Constraints
from treasury.models import Allocation, StoredEvent, TreasuryAccount
from treasury.workflows import CashManagementWorkflow
from workflows import operations, queries
from workflows.models import Process

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(env):
    return treasury.open_treasury_account(
        name="Main", currency="USD", initial_balance=Money(1000000, "USD"), key="open-1"
    )


@pytest.fixture
def run(env, account):
    """Cash management that finds no portfolio: what it allocated came back."""
    constraints = Constraints(min_yield=Decimal("50.0"))
    started = operations.start_run(CashManagementWorkflow, account.id, Money(100000, "USD"), "balanced", constraints)
    env.skip(timedelta(0))
    return queries.get_run(started.id)


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def text_of(client, model, row):
    page = client.get(url(model, "change", row.pk))
    assert page.status_code == 200
    return page.content.decode()


def test_a_treasury_account_shows_where_its_money_is(client, account, run):
    text = text_of(client, TreasuryAccount, TreasuryAccount.objects.get())

    assert run.status == "compensated"
    assert text.count("1,000,000.00 USD") >= 3  # opened with, balance, available
    for kind in ("operating", "allocated cash", "allocated bonds", "allocated equities"):
        assert kind in text
    assert "AllocationReversed" in text
    assert page_of(run) in text
    assert url(Allocation, "change", Allocation.objects.get().pk) in text


def test_cash_management_starts_from_the_account_that_it_is_for(client, account):
    text = text_of(client, TreasuryAccount, TreasuryAccount.objects.get())
    (link,) = re.findall(r'href="(/admin/workflows/run/start/\?[^"]+)"', text)

    filled = typed_in(client.get(html.unescape(link)))

    assert filled["input.account_id"] == str(account.id)
    assert (filled["input.amount_0"], filled["input.amount_1"]) == ("", "USD")


def test_whoever_may_not_start_runs_is_not_offered_it(viewer, account):
    text = text_of(signed_in(viewer), TreasuryAccount, TreasuryAccount.objects.get())

    assert "/run/start/" not in text


def test_a_ledger_account_shows_what_moved_and_which_run_moved_it(client, account, run):
    row = Account.objects.get(kind="operating")

    text = text_of(client, Account, row)

    assert "-100,000.00 USD" in text
    assert ">100,000.00 USD" in text
    assert page_of(run) in text
    for transfer in ledger_queries.list_transfers(account_id=row.id):
        assert url(Transfer, "change", transfer.id) in text


def test_an_account_without_movements_says_so(client, db):
    ledger.open_account(owner="Ada", kind="cash", currency="JPY")

    assert "Nothing was ever moved here." in text_of(client, Account, Account.objects.get())


def test_a_transfer_shows_its_postings_its_run_and_what_it_reverses(client, account, run):
    first, second = Transfer.objects.filter(run_id=run.id).order_by("posted_at")

    text = text_of(client, Transfer, second)

    assert url(Transfer, "change", first.pk) in text
    assert page_of(run) in text
    assert "100,000.00 USD" in text
    assert text.count('href="/admin/ledger/account/') >= 4


def test_times_have_a_zone(client, account, run):
    for model in (Account, Transfer, TreasuryAccount, Allocation, StoredEvent):
        text = text_of(client, model, model.objects.first())
        assert "(UTC)" in text
        assert "a.m." not in text and "p.m." not in text


def test_a_time_that_no_page_words_itself_has_its_zone_too(client, run):
    process = Process.objects.first()

    text = text_of(client, Process, process)

    assert process.started_at.strftime("%Y-%m-%d %H:%M:%S UTC") in text


@pytest.mark.parametrize(
    "model,field", [(Account, "owner"), (Transfer, "key"), (StoredEvent, "key"), (Allocation, "key")]
)
def test_search_finds_whole_values_only(client, account, run, model, field):
    row = model.objects.order_by("pk").first()
    value = getattr(row, field)

    def found(term):
        return {item.pk for item in client.get(url(model, "changelist"), {"q": term}).context["cl"].result_list}

    assert found(value) == set(model.objects.filter(**{field: value}).values_list("pk", flat=True))
    assert found(value[:-1]) == set()
    assert found(value.upper() if value != value.upper() else value.lower()) == set()


def test_money_is_found_by_the_run_that_moved_it(client, account, run):
    for model in (Transfer, StoredEvent):
        rows = client.get(url(model, "changelist"), {"q": str(run.id)}).context["cl"].result_list
        assert {row.run_id for row in rows} == {run.id}
        assert len(rows) == 2


@pytest.mark.parametrize("model", [Account, Transfer, Hold, Allocation, StoredEvent, TreasuryAccount])
def test_search_looks_values_up_and_reads_no_other_row(rf, model, db):
    """Tables this small are read whole where the database may choose, so it may not."""
    shown = admin.site._registry[model]
    if connection.vendor == "postgresql":
        connection.cursor().execute("SET LOCAL enable_seqscan = off")

    for term in ("some key", "3d243987-403c-4f51-8a15-6c152da4dc80"):
        rows, _ = shown.get_search_results(rf.get("/"), shown.get_queryset(rf.get("/")), term)
        plan = rows.order_by().explain()

        if shown.exact_search != ("name", "id"):  # accounts are few; their names have no index
            assert "SCAN " not in plan and "Seq Scan" not in plan
        assert "upper" not in plan.lower()


@pytest.mark.parametrize("model", [Account, Transfer, Allocation, StoredEvent])
def test_a_lists_queries_do_not_grow_with_its_rows(client, account, model):
    treasury.allocate(key="k-0", account_id=account.id, strategy="balanced", amount=Money(10, "USD"))
    with CaptureQueriesContext(connection) as few:
        client.get(url(model, "changelist"))
    for number in range(1, 15):
        treasury.allocate(key=f"k-{number}", account_id=account.id, strategy="balanced", amount=Money(10, "USD"))
        ledger.open_account(owner=f"owner {number}", kind="cash", currency="USD")
    with CaptureQueriesContext(connection) as many:
        client.get(url(model, "changelist"))

    assert len(many) == len(few) <= 9


@pytest.mark.parametrize("model", [Account, TreasuryAccount])
def test_a_pages_queries_do_not_grow_with_what_happened(client, account, model):
    row = model.objects.order_by("pk").first() if model is TreasuryAccount else model.objects.get(kind="operating")
    treasury.allocate(key="k-0", account_id=account.id, strategy="balanced", amount=Money(10, "USD"))
    client.get(url(model, "change", row.pk))  # content types are remembered
    with CaptureQueriesContext(connection) as few:
        client.get(url(model, "change", row.pk))
    for number in range(1, 15):
        treasury.allocate(key=f"k-{number}", account_id=account.id, strategy="balanced", amount=Money(10, "USD"))
    with CaptureQueriesContext(connection) as many:
        client.get(url(model, "change", row.pk))

    assert len(many) == len(few) <= 18


@pytest.mark.parametrize("model", [Account, Transfer, Hold, Allocation, StoredEvent, TreasuryAccount])
def test_lists_never_count_their_whole_table(client, model, db):
    assert admin.site._registry[model].paginator.__name__ == "CappedPaginator"
    with CaptureQueriesContext(connection) as caught:
        client.get(url(model, "changelist"))

    counts = [query["sql"] for query in caught if "COUNT(" in query["sql"] and model._meta.db_table in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 10000" in counts[0]


@pytest.mark.parametrize("model", [Account, Transfer, TreasuryAccount])
def test_the_page_of_a_row_offers_no_log_of_edits(client, account, model):
    row = model.objects.first()

    assert url(model, "history", row.pk) not in text_of(client, model, row)
    assert client.get(url(model, "history", row.pk)).url == url(model, "change", row.pk)


@pytest.mark.parametrize("model", [Account, Transfer, Hold, TreasuryAccount, Allocation])
@pytest.mark.parametrize("object_id", ["3d243987-403c-4f51-8a15-6c152da4dc80", "nonsense"])
def test_a_missing_row_is_no_error(client, model, object_id, db):
    answer = client.get(url(model, "change", object_id))

    assert answer.status_code == 302
    assert answer.url == reverse("admin:index")
