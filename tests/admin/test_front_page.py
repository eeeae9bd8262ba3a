"""The front page and the lists beside the runs: what an operator sees first, at three in the morning."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import page_of, signed_in, without
from workflows.models import AuditEntry, Process

pytestmark = pytest.mark.django_db
INDEX = reverse("admin:index")


def test_it_counts_runs_by_state_and_links_to_them(client, make):
    make.held()
    make.completed()

    page = client.get(INDEX)

    counts = {count.status: count.number for count in page.context["counts"]}
    assert (counts["held"], counts["completed"], counts["failed"]) == (1, 1, 0)
    assert "?status__exact=held" in page.content.decode()


def test_it_lists_held_and_failed_runs_with_their_error(client, make):
    held, failed = make.held(), make.failed()
    make.completed()

    page = client.get(INDEX)

    assert [row.run.id for row in page.context["held"]] == [held.id]
    assert [row.run.id for row in page.context["failed"]] == [failed.id]
    text = page.content.decode()
    assert page_of(held) in text
    assert "the gateway answered 503" in text
    assert "T-3 is not tradable" in text


def test_a_paused_run_says_what_it_waits_for(client, make):
    make.paused()

    (row,) = client.get(INDEX).context["held"]

    assert row.why == "Paused by an operator. Resume lets it go on where it stands."


def test_the_newest_runs_stand_last_whatever_their_state(client, make, env):
    old = make.completed()
    env.skip(timedelta(seconds=5))
    new = make.pending()

    assert [row.run.id for row in client.get(INDEX).context["newest"]] == [new.id, old.id]


def test_where_nothing_ever_ran_it_says_so(client, db):
    text = client.get(INDEX).content.decode()

    for sentence in ("No run is held.", "No run has failed.", "No run was started yet."):
        assert sentence in text


def test_it_warns_when_due_runs_are_not_taken(client, make, env):
    make.pending()
    assert not client.get(INDEX).context["overdue_text"]

    env.now += timedelta(minutes=2)

    assert "1 run(s) have been due for over a minute" in client.get(INDEX).content.decode()


def test_it_warns_when_no_process_is_alive(client, db):
    assert "No process that drives runs is alive" in client.get(INDEX).content.decode()


def test_its_queries_do_not_grow_with_the_runs(client, make):
    make.held()
    with CaptureQueriesContext(connection) as few:
        client.get(INDEX)
    for _ in range(10):
        make.failed()
    with CaptureQueriesContext(connection) as many:
        client.get(INDEX)

    assert len(many) == len(few) <= 19


def test_whoever_may_not_view_runs_sees_none(make, operator):
    make.held()
    client = signed_in(without(operator, "view_run"))

    page = client.get(INDEX)

    assert page.status_code == 200
    assert "gateway" not in page.content.decode()


def test_the_sidebar_leads_to_every_list_that_the_user_may_see(admin_client, viewer):
    text = admin_client.get(INDEX).content.decode()
    seen = signed_in(viewer).get(INDEX).content.decode()

    lists = [
        "workflows_run", "workflows_auditentry", "workflows_process", "ledger_account", "ledger_transfer",
        "ledger_hold", "treasury_treasuryaccount", "treasury_allocation", "treasury_instrument",
        "treasury_storedevent", "treasury_riskassessment", "treasury_hedgeposition", "treasury_freeze", "auth_user",
        "auth_group",
    ]  # fmt: skip
    urls = {name: reverse(f"admin:{name}_changelist") for name in lists}
    assert all(f'href="{url}"' in text for url in urls.values())
    hidden = {name for name, url in urls.items() if f'href="{url}"' not in seen}
    assert hidden == {"workflows_auditentry", "auth_user", "auth_group"}


def test_the_audit_trail_is_searched_by_run_and_by_actor(client, make):
    run, other = make.paused(), make.pending(actor="os:ada")
    url = reverse("admin:workflows_auditentry_changelist")

    def shown(term, **filters):
        page = client.get(url, {"q": term, **filters})
        return [(entry.run_id, entry.act) for entry in page.context["cl"].result_list]

    assert shown(str(run.id)) == [(run.id, "pause"), (run.id, "start")]
    assert shown("os:ada") == [(other.id, "start")]
    assert shown("ada") == []
    assert shown("", act="pause") == [(run.id, "pause")]


def test_audit_entries_and_processes_are_never_changed_by_forms(admin_client, make, env):
    make.completed()
    before = list(AuditEntry.objects.values()), list(Process.objects.values())

    for model, row in ((AuditEntry, AuditEntry.objects.get()), (Process, Process.objects.first())):
        name = f"admin:workflows_{model._meta.model_name}"
        answers = [
            admin_client.post(reverse(f"{name}_add"), {}),
            admin_client.post(reverse(f"{name}_change", args=[row.pk]), {"actor": "nobody"}),
            admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}),
        ]
        assert [answer.status_code for answer in answers] == [403, 403, 403]

    assert (list(AuditEntry.objects.values()), list(Process.objects.values())) == before


def test_processes_show_who_is_believed_alive(admin_client, make, env):
    make.completed()

    text = admin_client.get(reverse("admin:workflows_process_changelist")).content.decode()

    assert "pid" in text
    assert "alive" in text


def test_a_user_who_is_not_staff_does_not_get_in(db):
    client = signed_in(User.objects.create_user("customer", password="x"))

    assert client.get(INDEX).status_code == 302


def test_a_log_in_at_the_page_itself_leads_to_the_front_page(operator):
    assert "Return to site" not in Client().get(reverse("admin:login")).content.decode()

    answer = Client().post(reverse("admin:login"), {"username": operator.username, "password": "x"})

    assert (answer.status_code, answer.url) == (302, reverse("admin:index"))


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [("/admin/workflows/run/start/", 403, "Your role does not allow"), ("/nowhere/", 404, "There is no such page")],
)
def test_a_refused_page_says_why_and_leads_back(viewer, path, status, text):
    answer = signed_in(viewer).get(path)

    assert answer.status_code == status
    assert text in answer.content.decode() and f'href="{INDEX}"' in answer.content.decode()
    assert f'href="{INDEX}"' not in Client().get("/nowhere/").content.decode()
