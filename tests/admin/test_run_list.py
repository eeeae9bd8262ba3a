"""The list of runs: what it shows, how it is narrowed, what it costs."""

import uuid
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import page_of, signed_in, without
from workflows import operations
from workflows.admin import paging
from workflows.models import Run

pytestmark = pytest.mark.django_db
URL = reverse("admin:workflows_run_changelist")


def shown(client, **parameters):
    """Ids of the runs on the list's page."""
    page = client.get(URL, parameters)
    assert page.status_code == 200
    return [run.id for run in page.context["cl"].result_list]


def test_it_shows_state_key_starter_and_times(client, make, env):
    make.held()
    env.skip(timedelta(minutes=5))
    make.pending(key="trade:T-9", actor="os:ada")

    page = client.get(URL).content.decode()

    assert "held: failure" in page
    assert "trade:T-9" in page
    assert "os:ada" in page
    assert "2026-01-05 12:1" in page


def test_the_newest_run_comes_first(client, make, env):
    old = make.pending()
    env.skip(timedelta(seconds=30))
    new = make.pending()

    assert shown(client) == [new.id, old.id]


@pytest.mark.parametrize(
    "parameters,states",
    [
        ({"status__exact": "held"}, ["held", "paused"]),
        ({"hold_reason__exact": "paused"}, ["paused"]),
        ({"workflow": "console.Hopeless"}, ["failed"]),
        ({"workflow": "console.Hopeless", "status__exact": "held"}, []),
        ({"created_at_from": "2026-01-05", "created_at_to": "2026-01-05"}, ["held", "paused", "failed"]),
        ({"created_at_from": "2026-01-06"}, []),
        ({"created_at_to": "2026-01-04"}, []),
        ({"created_at_from": "no date", "created_at_to": "9999-12-31"}, ["held", "paused", "failed"]),
    ],
)
def test_filters_narrow_it(client, make, parameters, states):
    runs = {"held": make.held(), "paused": make.paused(), "failed": make.failed()}

    assert set(shown(client, **parameters)) == {runs[state].id for state in states}


def test_search_finds_an_id_its_beginning_or_an_exact_key(client, make):
    run = make.pending(key="trade:T-9")
    make.pending(key="trade:T-99")

    for term in (str(run.id), run.id.hex.upper(), str(run.id)[:8], "trade:T-9", " trade:T-9 "):
        assert shown(client, q=term) == [run.id]
    for term in ("trade:T", str(run.id)[:7], str(uuid.uuid4()), "Trade:T-9", "%"):
        assert shown(client, q=term) == []


@pytest.mark.parametrize("term", ["trade:T-9", "12345678", "3d243987-403c-4f51-8a15-6c152da4dc80"])
def test_search_looks_values_up_by_an_index_and_never_folds_their_case(rf, db, term):
    """Tables this small are read whole where the database may choose, so it may not."""
    shown = admin.site._registry[Run]
    if connection.vendor == "postgresql":
        connection.cursor().execute("SET LOCAL enable_seqscan = off")

    rows, _ = shown.get_search_results(rf.get("/"), shown.get_queryset(rf.get("/")), term)
    plan = rows.order_by().explain()

    assert "upper" not in plan.lower() and "like" not in plan.lower()
    assert "Seq Scan" not in plan


def test_a_workflow_is_narrowed_by_its_index(client, make):
    make.failed()

    with CaptureQueriesContext(connection) as caught:
        client.get(URL, {"workflow": "console.Hopeless"})

    filtered = [query["sql"] for query in caught if '"workflow" = ' in query["sql"]]
    assert filtered
    assert not any("UPPER(" in sql.upper() or " LIKE " in sql.upper() for sql in filtered)


def test_a_requested_act_stands_with_the_state(client, make, monkeypatch):
    run = make.pending()
    monkeypatch.setattr("workflows.runtime.locking.LockedRun.is_driven", True)
    operations.cancel_run(run.id, reason="entered twice")

    assert "pending, cancel requested" in client.get(URL).content.decode()


def test_its_queries_do_not_grow_with_its_rows(client, make):
    make.pending()
    with CaptureQueriesContext(connection) as few:
        client.get(URL)
    for _ in range(30):
        make.pending()
    with CaptureQueriesContext(connection) as many:
        client.get(URL)

    assert len(many) == len(few) <= 8


def test_it_reads_no_payloads(client, make):
    make.pending()

    with CaptureQueriesContext(connection) as caught:
        client.get(URL)

    rows = [query["sql"] for query in caught if 'FROM "workflows_run"' in query["sql"] and "COUNT" not in query["sql"]]
    assert rows
    assert not any('"input"' in sql or '"result"' in sql or '"error"' in sql for sql in rows)


def test_it_never_counts_further_than_it_pages(client, make, monkeypatch):
    monkeypatch.setattr(paging, "MOST_ROWS", 3)
    for _ in range(5):
        make.pending()

    with CaptureQueriesContext(connection) as caught:
        page = client.get(URL)

    assert page.context["cl"].result_count == 3
    assert "narrow the filters" in page.content.decode()
    counts = [query["sql"] for query in caught if "COUNT(" in query["sql"] and "workflows_run" in query["sql"]]
    assert counts
    assert all("LIMIT 3" in sql for sql in counts)


def test_it_is_hidden_from_whoever_may_not_view_runs(make, operator):
    client = signed_in(without(operator, "view_run"))

    assert client.get(URL).status_code == 403
    assert URL not in client.get(reverse("admin:index")).content.decode()


def test_rows_are_not_added_changed_or_deleted_by_forms(admin_client, make):
    run = make.pending()
    before = list(Run.objects.values())

    answers = [
        admin_client.get(reverse("admin:workflows_run_add")),
        admin_client.post(reverse("admin:workflows_run_add"), {}),
        admin_client.post(page_of(run), {"status": "completed"}),
        admin_client.post(page_of(run, "delete"), {"post": "yes"}),
        admin_client.post(URL, {"action": "delete_selected", "_selected_action": [str(run.id)]}),
    ]

    assert [answer.status_code for answer in answers[:4]] == [403, 403, 405, 403]
    assert list(Run.objects.values()) == before
