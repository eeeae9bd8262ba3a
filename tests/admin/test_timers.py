"""Timers in the console: the list, and moving one by dialog."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin import flows
from tests.admin.browsing import messages_of, once_of, typed_in
from tests.admin.conftest import page_of, signed_in, without
from tests.talking import HaggleWorkflow, SleepWorkflow
from workflows import operations, queries
from workflows.models import AuditEntry, HistoryEvent

pytestmark = pytest.mark.django_db

LIST = reverse("admin:workflows_run_timers")


@pytest.fixture
def asleep(env):
    """Makes runs that wait for time."""

    def start(hours=1, workflow=SleepWorkflow):
        run = operations.start_run(workflow, *([hours] if workflow is SleepWorkflow else []))
        env.skip(timedelta(0))
        return queries.get_run(run.id)

    return start


def rows(client, query=""):
    return client.get(LIST + query).context["rows"]


def url_of(run, seq=1):
    return reverse("admin:workflows_run_reschedule", args=[run.id, seq])


def move(client, run, once=None, **fields):
    once = once or once_of(client.get(url_of(run)))
    typed = {"due_at": "2026-01-05T12:10:00", "reason": "the rail is early", **fields}
    return client.post(url_of(run), {"once": once, **typed})


def written():
    return HistoryEvent.objects.count(), AuditEntry.objects.count()


def test_what_is_due_first_stands_first_with_its_countdown(client, make, asleep):
    late, early, backing_off = asleep(30), asleep(1), make.backing_off()
    waiting = asleep(workflow=HaggleWorkflow)

    found = rows(client)

    assert [row.view.run_id for row in found] == [backing_off.id, early.id, waiting.id, late.id]
    assert [row.when for row in found[1:]] == ["in 1 h", "in 2 h", "in 1 d 6 h"]
    assert [row.about for row in found] == [
        "next attempt, after 1 attempt", "sleep of 1 h", "end of a wait of 2 h", "sleep of 1 d 6 h",
    ]  # fmt: skip
    assert [bool(row.move) for row in found] == [False, True, True, True]


def test_one_that_is_overdue_says_for_how_long_and_why_it_waits(client, env, asleep):
    run = asleep(1)
    operations.pause_run(run.id, reason="lunch")
    env.now += timedelta(hours=3)

    (row,) = rows(client, "?show=overdue")

    assert (row.when, row.state) == ("overdue for 2 h", "held: paused")


def test_the_list_is_looked_at_in_several_ways(client, env, asleep):
    sleeping, waiting = asleep(5), asleep(workflow=HaggleWorkflow)
    env.now += timedelta(hours=3)

    def ids(query):
        return [row.view.run_id for row in rows(client, query)]

    assert (ids("?show=overdue"), ids("?show=upcoming")) == ([waiting.id], [sleeping.id])
    assert (ids("?show=timer"), ids("?show=wait"), ids("?show=retry")) == ([sleeping.id], [waiting.id], [])
    assert ids("?workflow=talk.Haggle") == [waiting.id]
    assert client.get(LIST + "?show=none").status_code == 404


def test_a_long_list_has_pages(client, asleep, monkeypatch):
    monkeypatch.setattr("workflows.admin.timers._PAGE", 2)
    runs = {asleep(1).id for _ in range(5)}

    seen, address = [], LIST
    while address:
        page = client.get(address)
        seen += [row.view.run_id for row in page.context["rows"]]
        address = page.context["next"]

    assert (len(seen), set(seen)) == (5, runs)


@pytest.mark.parametrize("after", ["x", "a,b,c", "2026-01-05T12:00:00,1,1", "9999-12-31T23:59:59-23:59,x,1"])
def test_a_place_that_is_none_shows_the_first_page(client, asleep, after):
    asleep(1)

    assert len(rows(client, f"?after={after}")) == 1


def test_its_queries_do_not_grow_with_its_rows(client, asleep):
    asleep(1)
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for hours in range(1, 8):
        asleep(hours)
    with CaptureQueriesContext(connection) as many:
        client.get(LIST)

    assert len(many) == len(few) <= 7


def test_a_viewer_sees_the_list_and_moves_nothing(viewer, asleep):
    run = asleep(1)
    browser, before = signed_in(viewer), written()

    (row,) = rows(browser)
    answers = [browser.get(url_of(run)), browser.post(url_of(run), {"due_at": "2026-01-05T12:10:00", "reason": "x"})]

    assert (row.move, [answer.status_code for answer in answers], written()) == ("", [403, 403], before)


def test_the_list_needs_the_permission_to_view_runs(operator, db):
    assert signed_in(without(operator, "view_run")).get(LIST).status_code == 403


def test_the_sidebar_marks_timers_and_not_runs(client, asleep):
    asleep(1)

    items = {item["title"]: item["active"] for item in client.get(LIST).context["sidebar_navigation"][0]["items"]}

    assert (items["Timers"], items["Runs"]) == (True, False)


def test_the_runs_page_says_until_when_and_offers_to_move_it(client, asleep):
    run = asleep(1)

    page = client.get(page_of(run)).context["page"]

    assert page.outlook == ["Step 1 sleeps until 2026-01-05 13:00:00 UTC (1 h left)."]
    assert (page.steps[0].note, page.steps[0].move) == ("due 2026-01-05 13:00:00 UTC, in 1 h", url_of(run))


def test_a_timer_is_moved(client, env, asleep):
    run = asleep(5)
    standing = typed_in(client.get(url_of(run)))["due_at"]

    answer = move(client, run)
    said = messages_of(client, answer)
    env.skip(timedelta(minutes=10))

    assert standing == "2026-01-05T17:00:00"
    assert (answer.url, said) == (page_of(run), ["Move is accepted; the run is waiting."])
    assert queries.get_run(run.id).status == "completed"
    entry = AuditEntry.objects.get(act="reschedule")
    assert (entry.actor, entry.reason) == ("the-operator", "the rail is early")


def test_sent_twice_it_is_moved_once(client, asleep):
    run = asleep(5)
    once = once_of(client.get(url_of(run)))

    answers = [move(client, run, once=once) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert [entry.kind for entry in queries.get_history(run.id)].count("TimerMoved") == 1


@pytest.mark.parametrize(
    "fields", [{"due_at": ""}, {"due_at": "soon"}, {"reason": " "}, {"due_at": "2026-13-01T00:00"}]
)
def test_what_does_not_fit_moves_nothing(client, asleep, fields):
    run = asleep(5)
    before = written()

    answer = move(client, run, **fields)

    assert (answer.status_code, written()) == (200, before)
    assert answer.context["form"].errors


def test_a_timer_that_is_over_meanwhile_is_a_refusal(client, env, asleep):
    run = asleep(1)
    once = once_of(client.get(url_of(run)))
    env.skip(timedelta(hours=1))
    before = written()

    page, sent = client.get(url_of(run)), move(client, run, once=once)

    assert "This timer is over" in page.content.decode()
    assert (sent.status_code, written()) == (200, before)
    assert "not_allowed_in_state" in sent.content.decode()


def test_a_back_off_has_no_form(client, make):
    run = make.backing_off()

    assert "none that can be moved" in client.get(url_of(run, 3)).content.decode()


@pytest.mark.parametrize("object_id", [uuid.uuid4(), "nonsense"])
def test_a_timer_of_a_missing_run_is_404(client, object_id):
    assert client.get(reverse("admin:workflows_run_reschedule", args=[object_id, 1])).status_code == 404


def test_list_and_dialog_take_their_methods_alone(client, asleep):
    assert client.post(LIST).status_code == 405
    assert client.delete(url_of(asleep(1))).status_code == 405


def test_no_sensitive_argument_is_in_the_list(client, make):
    make.backing_off()

    assert flows.SECRET not in client.get(LIST).content.decode()
