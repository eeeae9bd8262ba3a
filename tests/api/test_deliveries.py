"""Business events over REST: what became of each, and the acts on those that are parked."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.conftest import assert_problem
from tests.kin import SECRET, ParcelSeen, ParcelSent
from workflows import Sensitive, events, queries
from workflows.models import AuditEntry, EventDelivery

LIST = "/api/v1/events/deliveries/"
WHY = {"reason": "the sender was asked"}


@pytest.fixture
def env(workflow_env):
    return workflow_env


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
    publish(ParcelSent("a", "heavy"), ParcelSeen("a", "Rome"))
    return queries.list_deliveries(status="parked")[0]


def act(client, delivery, name, body=WHY):
    return client.post(f"{LIST}{delivery.id}/{name}/", body)


def listed(client, query=""):
    return [(item["event"], item["status"]) for item in client.get(LIST + query).json()["results"]]


def test_the_newest_delivery_stands_first(viewer, publish):
    publish(ParcelSent("a", "3"))
    publish(ParcelSeen("nobody", "Rome"))

    assert listed(viewer) == [("tests.ParcelSeen", "undeliverable"), ("tests.ParcelSent", "delivered")]


def test_a_delivery_tells_its_event_its_saga_and_its_run(viewer, publish):
    delivery = publish(ParcelSent("a", "3", Sensitive(SECRET)))

    answer = viewer.get(f"{LIST}{delivery.id}/")

    body = answer.json()
    assert (body["event"], body["workflow"], body["method"], body["key"]) == (
        "tests.ParcelSent", "kin.ParcelSaga", None, "parcel:a",
    )  # fmt: skip
    assert body["data"] == {"parcel": "a", "weight": "3", "sender": "•••"}
    assert viewer.get(body["run_url"]).json()["id"] == body["run_id"]
    assert viewer.get(body["url"]).json() == body
    assert SECRET not in answer.content.decode()


def test_a_parked_one_tells_why_and_how_many_wait_behind_it(viewer, parked):
    body = viewer.get(f"{LIST}{parked.id}/").json()

    assert (body["status"], body["behind"], body["failures"]) == ("parked", 1, 1)
    assert body["error"]["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=parked", ["tests.ParcelSent"]),
        ("?status=parked&status=pending", ["tests.ParcelSeen", "tests.ParcelSent"]),
        ("?status=dropped", []),
        ("?workflow=kin.ParcelSaga", ["tests.ParcelSeen", "tests.ParcelSent"]),
        ("?workflow=kin.Other", []),
        ("?key=parcel:a", ["tests.ParcelSeen", "tests.ParcelSent"]),
        ("?event=tests.ParcelSeen", ["tests.ParcelSeen"]),
        ("?run=00000000-0000-4000-8000-000000000000", []),
    ],
)
def test_the_list_is_filtered(viewer, parked, query, found):
    assert [event for event, _ in listed(viewer, query)] == found


def test_the_events_of_a_run_are_found(viewer, publish):
    publish(ParcelSent("a", "3"), ParcelSent("b", "4"))
    run = queries.list_runs(key="parcel:b")[0]

    (found,) = viewer.get(f"{LIST}?run={run.id}").json()["results"]

    assert found["key"] == "parcel:b"


@pytest.mark.parametrize("query", ["?status=lost", "?run=x", "?key=", "?order=id", "?key=a&key=b", "?key=%00"])
def test_a_filter_that_is_none_is_refused(viewer, db, query):
    assert_problem(viewer.get(LIST + query), 400, "invalid_query")


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "WyItMSJd", "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ"])
def test_a_cursor_that_is_none_is_refused(viewer, db, cursor):
    assert_problem(viewer.get(f"{LIST}?cursor={cursor}"), 400, "invalid_cursor")


def test_pages_hold_every_delivery_once(viewer, publish):
    publish(*(ParcelSeen(str(number), "Rome") for number in range(5)))

    seen, address = [], f"{LIST}?limit=2"
    while address:
        body = viewer.get(address).json()
        seen += [item["id"] for item in body["results"]]
        address = body["next"]

    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 5


def test_its_queries_do_not_grow_with_its_rows(viewer, publish):
    publish(ParcelSent("a", "heavy"))
    viewer.get(LIST)
    with CaptureQueriesContext(connection) as few:
        viewer.get(LIST)
    publish(*(ParcelSent(f"b{number}", "heavy") for number in range(8)))
    with CaptureQueriesContext(connection) as many:
        viewer.get(LIST)

    assert len(many) == len(few) <= 4


def test_reading_needs_the_permission_to_view_runs(client_with, parked):
    client = client_with("workflows.retry_run", "workflows.cancel_run")

    assert_problem(client.get(LIST), 403, "permission_denied")
    assert_problem(client.get(f"{LIST}{parked.id}/"), 403, "permission_denied")


def test_a_replayed_event_is_accepted_and_delivered_next(operator, env, parked, monkeypatch):
    answer = act(operator, parked, "replay")

    assert (answer.status_code, answer.json()["status"], answer.json()["failures"]) == (202, "pending", 0)
    assert answer["Location"] == answer.json()["url"]
    entry = AuditEntry.objects.get(act="replay_event")
    assert (entry.actor, entry.reason) == ("operator", WHY["reason"])


def test_a_replayed_event_that_still_does_not_fit_is_parked_again(operator, env, parked):
    act(operator, parked, "replay")
    env.skip(timedelta(0))

    assert queries.get_delivery(parked.id).status == "parked"


def test_a_dropped_event_lets_those_behind_it_go_on(operator, env, parked):
    answer = act(operator, parked, "drop")
    env.skip(timedelta(0))

    assert (answer.status_code, answer.json()["status"]) == (200, "dropped")
    assert listed(operator) == [("tests.ParcelSeen", "undeliverable"), ("tests.ParcelSent", "dropped")]
    assert AuditEntry.objects.get(act="drop_event").reason == WHY["reason"]


@pytest.mark.parametrize("name", ["replay", "drop"])
def test_one_that_is_not_parked_is_a_conflict(operator, publish, written, name):
    delivery = publish(ParcelSent("a", "3"))
    before = written()

    assert_problem(act(operator, delivery, name), 409, "not_parked")
    assert (written(), queries.get_delivery(delivery.id)) == (before, delivery)


@pytest.mark.parametrize("name", ["replay", "drop"])
@pytest.mark.parametrize("body", [{}, {"reason": " "}])
def test_an_act_needs_a_reason(operator, parked, written, name, body):
    before = written()

    assert_problem(act(operator, parked, name, body), 400, "reason_required")
    assert (written(), queries.get_delivery(parked.id)) == (before, parked)


@pytest.mark.parametrize("body", [{**WHY, "why": "x"}, {"reason": 7}])
def test_a_body_that_does_not_fit_is_refused(operator, parked, written, body):
    before = written()

    assert_problem(act(operator, parked, "drop", body), 422, "invalid_input")
    assert (written(), queries.get_delivery(parked.id)) == (before, parked)


@pytest.mark.parametrize(("name", "permission"), [("replay", "workflows.cancel_run"), ("drop", "workflows.retry_run")])
def test_each_act_needs_its_own_permission(client_with, parked, written, name, permission):
    before = written()

    client = client_with("workflows.view_run", permission)

    assert_problem(act(client, parked, name), 403, "permission_denied")
    assert (written(), EventDelivery.objects.get(pk=parked.id).status) == (before, "parked")


@pytest.mark.parametrize("number", [999_999, 2**70])
def test_a_delivery_that_is_none_is_404(operator, db, number):
    assert_problem(operator.get(f"{LIST}{number}/"), 404, "not_found")
    assert_problem(operator.post(f"{LIST}{number}/drop/", WHY), 404, "not_found")
