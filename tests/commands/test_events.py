"""`manage.py workflow events`, `events replay`, `events drop`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.commands.conftest import call
from tests.kin import SECRET, ParcelSeen, ParcelSent
from workflows import Sensitive, events, queries
from workflows.models import EventDelivery

WHY = ("--reason", "the sender was asked")


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


def listed(*words):
    return [(item["event"], item["status"]) for item in call("events", *words, "--json").json]


def test_the_newest_event_stands_first(publish):
    publish(ParcelSent("a", "3"))
    publish(ParcelSeen("nobody", "Rome"))

    assert listed() == [("tests.ParcelSeen", "undeliverable"), ("tests.ParcelSent", "delivered")]


def test_a_script_gets_what_rest_answers_without_what_is_sensitive(parked):
    answer = call("events", "--status", "parked", "--json")

    (item,) = answer.json
    assert (item["id"], item["workflow"], item["method"], item["behind"]) == (parked.id, "kin.ParcelSaga", None, 1)
    assert item["data"] == {"parcel": "a", "weight": "heavy", "sender": "•••"}
    assert item["error"]["code"] == "invalid_input"
    assert SECRET not in answer.out + call("events").out


def test_a_person_sees_what_became_of_each(parked):
    header, behind, first = call("events").out.splitlines()[:3]

    assert header.split() == ["event", "at", "name", "saga", "for", "key", "status", "run", "error"]
    assert behind.split()[3:8] == ["tests.ParcelSeen", "kin.ParcelSaga", "seen", "parcel:a", "pending"]
    assert first.split()[3:10] == ["tests.ParcelSent", "kin.ParcelSaga", "start", "parcel:a", "parked", "(1", "behind)"]


def test_the_list_is_filtered_and_limited(publish, parked):
    publish(ParcelSent("b", "3"))
    run = queries.list_runs(key="parcel:b")[0]

    sent, seen, begun = (
        ("tests.ParcelSent", "parked"),
        ("tests.ParcelSeen", "pending"),
        ("tests.ParcelSent", "delivered"),
    )
    assert listed("--status", "parked") == [sent]
    assert listed("--status", "parked", "--status", "pending") == [seen, sent]
    assert listed("--key", "parcel:a") == [seen, sent]
    assert listed("--event", "tests.ParcelSeen") == [seen]
    assert listed("--workflow", "kin.Other") == []
    assert listed("--run", str(run.id)[:8]) == [begun]
    assert listed("--limit", "1") == [begun]


def test_an_empty_list_says_so(env):
    assert (call("events").out, call("events", "--json").json) == ("no events\n", [])


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_replayed_event_is_delivered_anew(parked, place):
    words = ["replay", str(parked.id), *WHY]

    answer = call("events", *(["--json", *words] if place == "before" else [*words, "--json"]))

    assert (answer.code, answer.json["status"], answer.json["failures"]) == (0, "pending", 0)
    (entry,) = queries.list_delivery_acts(parked)
    assert (entry.act, entry.reason) == ("replay_event", WHY[1])
    assert entry.actor.startswith("os:")


def test_a_dropped_event_lets_those_behind_it_go_on(env, parked):
    answer = call("events", "drop", str(parked.id), *WHY)
    env.skip(timedelta(0))

    assert (answer.code, answer.out) == (0, f"{parked.id}  tests.ParcelSent  kin.ParcelSaga  parcel:a  dropped\n")
    assert listed() == [("tests.ParcelSeen", "undeliverable"), ("tests.ParcelSent", "dropped")]


@pytest.mark.parametrize("act", ["replay", "drop"])
@pytest.mark.parametrize(
    ("more", "code", "error"),
    [
        ((), 2, "reason_required"),
        (("--reason", " "), 2, "reason_required"),
        ((*WHY, "--user", "the-viewer"), 5, "permission_denied"),
        ((*WHY, "--user", "nobody"), 2, "unknown_user"),
    ],
)
def test_an_act_that_may_not_be_is_refused(parked, viewer, written, act, more, code, error):
    before = written(), list(EventDelivery.objects.values())

    answer = call("events", act, str(parked.id), *more)

    assert (answer.code, answer.err.split(":")[1].strip()) == (code, error)
    assert (written(), list(EventDelivery.objects.values())) == before


@pytest.mark.parametrize("act", ["replay", "drop"])
def test_one_that_is_not_parked_does_not_fit(publish, written, act):
    delivery = publish(ParcelSent("a", "3"))
    before = written()

    answer = call("events", act, str(delivery.id), *WHY)

    assert (answer.code, answer.err.split(":")[1].strip(), written()) == (4, "not_parked", before)


def test_an_event_that_is_none_is_not_found(env):
    assert call("events", "drop", "999999", *WHY).code == 3


@pytest.mark.parametrize(
    "words",
    [
        ("drop",),
        ("drop", "one", *WHY),
        ("drop", str(2**63), *WHY),
        ("keep", "1"),
        ("--status", "lost"),
        ("--limit", "0"),
    ],
)
def test_what_is_no_such_word_is_wrong_usage(env, words):
    assert call("events", *words).code == 2
