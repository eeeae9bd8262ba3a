"""Business events in the console: the list, one event's page, and the dialogs of a parked one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.browsing import messages_of, once_of
from tests.admin.conftest import page_of, signed_in, without
from tests.kin import SECRET, ParcelSeen, ParcelSent
from workflows import Sensitive, events, queries
from workflows.models import AuditEntry, EventDelivery

pytestmark = pytest.mark.django_db

LIST = reverse("admin:workflows_run_events")
ACTS = ("replay", "drop")


@pytest.fixture
def publish(env):
    """Publishes events and has them delivered; gives the newest delivery."""

    def send(*published):
        for event in published:
            events.publish(event)
        env.skip(timedelta(0))
        return queries.list_deliveries(limit=1)[0]

    return send


@pytest.fixture
def parked(publish):
    """A parked start of a saga, with one event behind it."""
    publish(ParcelSent("a", "heavy", Sensitive(SECRET)), ParcelSeen("a", "Rome"))
    return queries.list_deliveries(status="parked")[0]


def url_of(delivery, act=""):
    return reverse(f"admin:workflows_run_event{act and '_'}{act}", args=[delivery.id])


def rows(client, query=""):
    return client.get(LIST + query).context["rows"]


def send(client, delivery, act, once=None, **fields):
    once = once or once_of(client.get(url_of(delivery, act)))
    return client.post(url_of(delivery, act), {"once": once, "reason": "the sender was asked", **fields})


def written():
    return AuditEntry.objects.count(), list(EventDelivery.objects.order_by("pk").values())


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_newest_event_stands_first_with_its_saga_and_its_run(client, publish):
    publish(ParcelSent("a", "3"))
    publish(ParcelSeen("nobody", "Rome"))

    lost, sent = rows(client)

    run = queries.list_runs(key="parcel:a")[0]
    assert (lost.view.event, lost.view.status, lost.about, lost.run) == (
        "tests.ParcelSeen", "undeliverable", "the method seen", "",
    )  # fmt: skip
    assert (sent.view.status, sent.about, sent.run) == ("delivered", "a start", page_of(run))


def test_a_parked_event_says_why_and_how_many_wait_behind_it(client, parked):
    text = client.get(LIST).content.decode()
    behind, first = rows(client)

    assert (first.view.status, first.view.behind, behind.view.status) == ("parked", 1, "pending")
    assert "invalid_input" in first.error
    assert "1 behind it" in text
    assert [button.url for button in first.acts] == [url_of(parked, act) for act in ACTS]
    assert behind.acts == []


def test_the_list_is_looked_at_in_several_ways(client, publish, parked):
    publish(ParcelSeen("nobody", "Rome"))

    def statuses(query):
        return [row.view.status for row in rows(client, query)]

    assert statuses("?show=parked") == ["parked"]
    assert statuses("?show=pending") == ["pending"]
    assert statuses("?show=undeliverable") == ["undeliverable"]
    assert statuses("?key=parcel:a") == ["pending", "parked"]
    assert statuses("?key=parcel:a&show=parked&workflow=kin.ParcelSaga&event=tests.ParcelSent") == ["parked"]
    assert statuses("?workflow=kin.Other") == statuses("?event=tests.Other") == []
    assert client.get(LIST + "?show=lost").status_code == 404


def test_the_events_of_one_run_are_listed(client, publish):
    publish(ParcelSent("a", "3"), ParcelSent("b", "3"))
    run = queries.list_runs(key="parcel:b")[0]

    assert [row.view.key for row in rows(client, f"?run={run.id}")] == ["parcel:b"]


def test_a_long_list_has_pages(client, publish, monkeypatch):
    monkeypatch.setattr("workflows.admin.events._PAGE", 2)
    publish(*(ParcelSeen(str(number), "Rome") for number in range(5)))

    seen, address = [], LIST
    while address:
        page = client.get(address)
        seen += [row.view.key for row in page.context["rows"]]
        address = page.context["next"]

    assert seen == [f"parcel:{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("after", ["x", "-1", "99999999999999999999999", "1.5", "²"])
def test_a_place_that_is_none_shows_the_first_page(client, publish, after):
    publish(ParcelSeen("a", "Rome"))

    assert len(rows(client, f"?after={after}")) == 1


def test_its_queries_do_not_grow_with_its_rows(client, publish):
    publish(ParcelSent("a", "heavy"))
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    publish(*(ParcelSent(f"b{number}", "heavy") for number in range(10)))
    with CaptureQueriesContext(connection) as many:
        client.get(LIST)

    assert len(many) == len(few) <= 7


def test_nothing_sensitive_is_shown(client, parked):
    pages = [client.get(LIST), client.get(url_of(parked)), client.get(url_of(parked, "drop"))]

    assert [SECRET in page.content.decode() for page in pages] == [False] * 3


def test_the_list_needs_the_permission_to_view_runs(operator, parked):
    client = signed_in(without(operator, "view_run"))

    assert [client.get(url).status_code for url in (LIST, url_of(parked), url_of(parked, "drop"))] == [403] * 3


def test_list_and_page_take_their_methods_alone(client, parked):
    answers = [client.post(LIST), client.post(url_of(parked)), client.delete(url_of(parked, "drop"))]

    assert [answer.status_code for answer in answers] == [405] * 3


# --- What is told of it elsewhere ------------------------------------------------------------------------------------


def test_the_front_page_and_the_sidebar_count_what_is_parked(client, parked):
    page = client.get(reverse("admin:index"))

    (queue,) = [row for row in page.context["queues"] if row.label == "Parked events"]
    (item,) = [item for item in page.context["sidebar_navigation"][0]["items"] if item["title"] == "Events"]
    assert (queue.number, queue.url) == (1, f"{LIST}?show=parked")
    assert str(item["badge_callback"]) == "1"
    assert rows(client, "?show=parked")[0].view.id == parked.id


def test_where_nothing_is_parked_the_sidebar_has_no_badge(client, publish):
    publish(ParcelSeen("a", "Rome"))

    text = client.get(LIST).content.decode()

    assert "parked_badge" not in text
    assert "bg-orange-100" not in text.split('id="events"')[0]


def test_the_sidebar_marks_events_and_not_runs(client, parked):
    for url in (LIST, url_of(parked)):
        items = {item["title"]: item["active"] for item in client.get(url).context["sidebar_navigation"][0]["items"]}

        assert (items["Events"], items["Runs"], items["Timers"]) == (True, False, False)


# --- One event -------------------------------------------------------------------------------------------------------


def test_its_page_says_where_it_stands_and_what_it_says(client, parked):
    page = client.get(url_of(parked))

    assert page.context["standing"] == [
        "It could not be delivered in 1 attempt and waits for somebody.",
        "1 later event of this saga and key waits behind it.",
    ]
    text = page.content.decode()
    assert "heavy" in text and "kin.ParcelSaga" in text and "parcel:a" in text
    assert [button.title for button in page.context["buttons"]] == ["Replay", "Drop"]


def test_its_page_leads_to_the_run_it_started(client, publish):
    delivery = publish(ParcelSent("a", "3"))

    page = client.get(url_of(delivery))

    assert page.context["standing"] == ["The saga has it."]
    assert page_of(queries.list_runs(key="parcel:a")[0]) in page.content.decode()
    assert page.context["buttons"] == []


def test_its_page_shows_who_did_what_to_it_and_why(client, viewer, parked):
    send(client, parked, "drop")

    (entry,) = client.get(url_of(parked)).context["audit"]

    assert (entry.act, entry.actor, entry.reason) == ("drop_event", "the-operator", "the sender was asked")
    assert signed_in(viewer).get(url_of(parked)).context["audit"] is None
    trail = client.get(reverse("admin:workflows_auditentry_changelist"), {"act": "drop_event"})
    assert [row.act for row in trail.context["cl"].result_list] == ["drop_event"]


def test_a_viewer_is_told_what_fits_and_that_it_is_not_theirs(viewer, parked):
    page = signed_in(viewer).get(url_of(parked))

    assert (page.context["buttons"], page.context["locked"]) == ([], ["Replay", "Drop"])


@pytest.mark.parametrize("number", [999_999, 2**70])
def test_an_event_that_is_none_is_404(client, number):
    pages = ("workflows_run_event", "workflows_run_event_replay", "workflows_run_event_drop")
    assert [client.get(reverse(f"admin:{page}", args=[number])).status_code for page in pages] == [404] * 3


# --- The dialogs -----------------------------------------------------------------------------------------------------


def test_a_replayed_event_is_delivered_anew(client, parked):
    answer = send(client, parked, "replay")

    assert (answer.url, messages_of(client, answer)) == (
        url_of(parked), ["Replay is accepted; the event is delivered next."],
    )  # fmt: skip
    assert queries.get_delivery(parked.id).status == "pending"
    assert AuditEntry.objects.get(act="replay_event").actor == "the-operator"


def test_a_dropped_event_lets_those_behind_it_go_on(client, env, parked):
    answer = send(client, parked, "drop")
    env.skip(timedelta(0))

    assert messages_of(client, answer) == ["The event is dropped; those behind it go on."]
    assert [row.view.status for row in rows(client)] == ["undeliverable", "dropped"]


@pytest.mark.parametrize("act", ACTS)
def test_sent_twice_it_acts_once(client, parked, act):
    once = once_of(client.get(url_of(parked, act)))

    answers = [send(client, parked, act, once=once) for _ in range(2)]

    assert [answer.url for answer in answers] == [url_of(parked)] * 2
    assert "was sent twice; it acted once" in messages_of(client, answers[1])[-1]
    assert AuditEntry.objects.filter(act=f"{act}_event").count() == 1


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("fields", [{"reason": " "}, {"once": "made up"}, {"reason": "x" * 2001}])
def test_what_does_not_fit_does_nothing(client, parked, act, fields):
    before = written()

    answer = client.post(
        url_of(parked, act), {"once": once_of(client.get(url_of(parked, act))), "reason": "x", **fields}
    )

    assert (answer.status_code, written()) == (200, before)
    assert answer.context["form"].errors


@pytest.mark.parametrize("act", ACTS)
def test_a_key_of_the_other_dialog_is_refused(client, parked, act):
    other = once_of(client.get(url_of(parked, "drop" if act == "replay" else "replay")))
    before = written()

    assert (send(client, parked, act, once=other).status_code, written()) == (200, before)


@pytest.mark.parametrize("act", ACTS)
def test_one_that_is_no_longer_parked_is_a_refusal(client, parked, act):
    once = once_of(client.get(url_of(parked, act)))
    send(client, parked, "drop")
    before = written()

    page, sent = client.get(url_of(parked, act)), send(client, parked, act, once=once)

    assert "not parked: there is nothing to decide" in page.content.decode()
    assert (sent.status_code, written()) == (200, before)
    assert "not_parked" in sent.content.decode()


@pytest.mark.parametrize(("act", "permission"), [("replay", "retry_run"), ("drop", "cancel_run")])
def test_each_dialog_needs_its_own_permission(operator, parked, act, permission):
    client = signed_in(without(operator, permission))
    before = written()

    answers = [client.get(url_of(parked, act)), client.post(url_of(parked, act), {"reason": "x"})]

    assert ([answer.status_code for answer in answers], written()) == ([403, 403], before)
    others = [button.title for button in client.get(url_of(parked)).context["buttons"]]
    assert others == (["Drop"] if act == "replay" else ["Replay"])
