"""Signals, updates and queries by dialog: sent once, answered, refused with what was typed, by whoever may."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from tests.admin.browsing import messages_of, once_of, typed_in
from tests.admin.conftest import page_of, signed_in, without
from tests.talking import HaggleWorkflow
from workflows import operations, queries
from workflows.core.definitions import registry
from workflows.models import AuditEntry, HistoryEvent, InboxItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(env):
    """A run that waits for an offer."""
    run = operations.start_run(HaggleWorkflow)
    env.skip(timedelta(0))
    return queries.get_run(run.id)


@pytest.fixture
def left(db):
    """Counts of everything that a message could write."""
    kinds = (InboxItem, AuditEntry, HistoryEvent)
    return lambda: {kind.__name__: kind.objects.count() for kind in kinds}


def url_of(run, kind, name):
    return reverse(f"admin:workflows_run_{kind}", args=[run.id, name])


def send(client, run, kind, name, once=None, **fields):
    url = url_of(run, kind, name)
    once = once or once_of(client.get(url))
    return client.post(url, {f"input.{field}" if field not in ("reason", "key") else field: value
                             for field, value in fields.items()} | {"once": once})  # fmt: skip


def card(client, run):
    return client.get(page_of(run)).context["page"].messages


def heard(run):
    return operations.query_run(run.id, "said")


# --- Signals ---------------------------------------------------------------------------------------------------------


def test_a_signal_has_a_field_for_each_argument(client, run):
    page = client.get(url_of(run, "signal", "say"))

    assert set(typed_in(page)) == {"input.text", "input.reason", "input.key", "reason", "key", "once"}


def test_a_signal_is_sent_and_stands_on_the_runs_page(client, env, run):
    answer = send(client, run, "signal", "say", text="good day", reason="called in")
    said = messages_of(client, answer)
    (waiting,) = card(client, run).sent
    env.skip(timedelta(0))
    (delivered,) = card(client, run).sent

    assert (answer.status_code, answer.url) == (302, page_of(run))
    assert said == ["Signal say is accepted; the run is waiting."]
    assert [item.view.status for item in (waiting, delivered)] == ["waiting", "delivered"]
    assert heard(run) == ["good day (none, 0)"]
    entry = AuditEntry.objects.get(act="signal")
    assert (entry.actor, entry.reason) == ("the-operator", "called in")


def test_sent_twice_it_is_left_once(client, env, run):
    once = once_of(client.get(url_of(run, "signal", "say")))

    first, second = (send(client, run, "signal", "say", once=once, text="once") for _ in range(2))
    said = messages_of(client, second)
    env.skip(timedelta(0))

    assert (first.status_code, second.status_code) == (302, 302)
    assert "Signal say was sent twice; it acted once and nothing was repeated." in said
    assert heard(run) == ["once (none, 0)"]


def test_a_key_signals_once_over_all_dialogs(client, env, run):
    for _ in range(2):
        send(client, run, "signal", "say", text="keyed", key="k")
    env.skip(timedelta(0))

    assert heard(run) == ["keyed (none, 0)"]


def test_what_nobody_may_see_is_shown_nowhere(client, env, run):
    send(client, run, "signal", "confide", secret="planted-4711")
    env.skip(timedelta(0))

    texts = [client.get(page_of(run)).content.decode(), client.get(url_of(run, "query", "secret")).content.decode()]

    assert not any("planted" in text for text in texts)
    assert all("•••" in text for text in texts)


@pytest.mark.parametrize("fields", [{}, {"text": ""}, {"text": "x", "key": "k" * 300}])
def test_what_does_not_fit_the_form_sends_nothing(client, run, left, fields):
    before = left()

    answer = send(client, run, "signal", "say", **fields)

    assert (answer.status_code, left()) == (200, before)
    assert "Nothing was done" in answer.content.decode()


def test_a_refusal_stands_on_the_dialog_with_what_was_typed(client, run, left):
    once = once_of(client.get(url_of(run, "signal", "say")))
    operations.update_run(run.id, "offer", 10)
    before = left()

    answer = send(client, run, "signal", "say", once=once, text="too late")

    text = answer.content.decode()
    assert (answer.status_code, left()) == (200, before)
    assert "not_allowed_in_state" in text
    assert typed_in(answer)["input.text"] == "too late"


def test_a_key_of_another_dialog_sends_nothing(client, run, left):
    once = once_of(client.get(url_of(run, "signal", "confide")))
    before = left()

    answer = send(client, run, "signal", "say", once=once, text="x")

    assert (answer.status_code, left()) == (200, before)
    assert "came from another login" in answer.content.decode()


# --- Updates ---------------------------------------------------------------------------------------------------------


def test_an_update_is_answered(client, run):
    answer = send(client, run, "update", "offer", amount="3", reason="to begin with")

    assert messages_of(client, answer) == ["Update offer is answered: 3 is thought about"]
    (sent,) = card(client, run).sent
    assert (sent.view.status, sent.answer, sent.view.actor) == ("completed", "3 is thought about", "the-operator")


def test_an_update_sent_twice_is_taken_once(client, run):
    once = once_of(client.get(url_of(run, "update", "offer")))

    for _ in range(2):
        answer = send(client, run, "update", "offer", once=once, amount="3")
        assert messages_of(client, answer) == ["Update offer is answered: 3 is thought about"]

    assert [item.view.name for item in card(client, run).sent] == ["offer"]
    assert AuditEntry.objects.filter(act="update").count() == 1


def test_one_that_is_rejected_leaves_no_trace_and_can_be_sent_changed(client, run, left):
    once = once_of(client.get(url_of(run, "update", "offer")))
    before = left()["HistoryEvent"]

    rejected = send(client, run, "update", "offer", once=once, amount="0")
    trace = left()["HistoryEvent"], card(client, run).sent
    changed = send(client, run, "update", "offer", once=once, amount="4")

    assert (rejected.status_code, trace) == (200, (before, []))
    assert "0 is no offer (too_small)" in rejected.content.decode()
    assert messages_of(client, changed) == ["Update offer is answered: 4 is thought about"]


def test_one_that_fails_is_told_with_its_code(client, run):
    answer = send(client, run, "update", "offer", amount="13")

    assert messages_of(client, answer) == ["Update offer was taken and failed: thirteen is unlucky (unlucky)"]
    assert [item.error for item in card(client, run).sent] == ["thirteen is unlucky (unlucky)"]


def test_one_that_is_not_answered_in_time_is_answered_on_the_page(client, env, run, monkeypatch):
    monkeypatch.setattr("workflows.admin.message_dialogs.UPDATE_WAIT", timedelta(0))

    answer = send(client, run, "update", "offer", amount="3")
    said = messages_of(client, answer)
    env.skip(timedelta(0))

    assert said == ["Update offer is stored and not answered yet; its answer will stand below."]
    assert [item.answer for item in card(client, run).sent] == ["3 is thought about"]


def test_a_forged_key_updates_nothing(client, run, left):
    before = left()

    answer = send(client, run, "update", "offer", once="forged", amount="3")

    assert (answer.status_code, left()) == (200, before)


# --- Queries ---------------------------------------------------------------------------------------------------------


def test_a_query_without_arguments_is_answered_at_once(viewer, run, left):
    before = left()

    page = signed_in(viewer).get(url_of(run, "query", "secret"))

    assert (page.status_code, page.context["is_answered"], left()) == (200, True, before)


def test_a_query_with_arguments_is_asked_by_its_form(viewer, env, run, left):
    operations.signal_run(run.id, "say", "a")
    operations.signal_run(run.id, "say", "b")
    env.skip(timedelta(0))
    browser, before = signed_in(viewer), left()

    page = browser.get(url_of(run, "query", "said"))
    answer = browser.post(url_of(run, "query", "said"), {"input.last": "1"})

    assert "is_answered" not in page.context
    assert answer.context["answer_json"] == '[\n  "b (none, 0)"\n]'
    assert left() == before


def test_a_closed_run_answers_still(client, run):
    operations.update_run(run.id, "offer", 10)

    answer = client.post(url_of(run, "query", "said"), {})

    assert answer.context["answer_json"] == "[]"


@pytest.mark.parametrize(("name", "code"), [("broken", "too_small"), ("writing", "nondeterminism")])
def test_a_query_that_fails_says_why(client, run, name, code):
    page = client.get(url_of(run, "query", name))

    assert page.status_code == 200
    assert f"({code})" in page.content.decode()


def test_a_run_that_has_not_begun_has_no_answer(client, env):
    run = operations.start_run(HaggleWorkflow)

    assert "(not_begun)" in client.get(url_of(run, "query", "secret")).content.decode()


# --- Who may, and what fits ------------------------------------------------------------------------------------------


def test_the_page_offers_what_the_workflow_takes(client, run):
    offers = card(client, run).offers

    assert [(offer.message.kind, offer.message.name) for offer in offers] == [
        ("signal", "say"), ("signal", "confide"), ("query", "said"), ("query", "secret"), ("query", "broken"),
        ("query", "writing"), ("update", "offer"),
    ]  # fmt: skip
    assert all(offer.url for offer in offers)


def test_a_viewer_is_offered_queries_alone(viewer, run):
    offers = card(signed_in(viewer), run).offers

    assert {offer.message.kind for offer in offers if offer.url} == {"query"}


@pytest.mark.parametrize(("kind", "name"), [("signal", "say"), ("update", "offer")])
def test_a_viewer_opens_and_sends_nothing(viewer, run, left, kind, name):
    browser, before = signed_in(viewer), left()

    answers = [browser.get(url_of(run, kind, name)), browser.post(url_of(run, kind, name), {"input.text": "x"})]

    assert ([answer.status_code for answer in answers], left()) == ([403, 403], before)


def test_a_query_needs_its_permission(operator, run):
    assert signed_in(without(operator, "query_run")).get(url_of(run, "query", "secret")).status_code == 403


def test_a_held_run_is_offered_signals_and_no_updates(client, run):
    operations.pause_run(run.id, reason="lunch")

    offered = {offer.message.kind for offer in card(client, run).offers if offer.url}

    assert offered == {"signal", "query"}


def test_a_closed_run_is_offered_queries_alone(client, run):
    operations.update_run(run.id, "offer", 10)

    assert {offer.message.kind for offer in card(client, run).offers if offer.url} == {"query"}


def test_a_run_that_takes_no_messages_has_no_card(client, make):
    assert card(client, make.pending()) is None


def test_a_run_whose_code_is_not_here_shows_what_was_sent(client, env, run, monkeypatch):
    send(client, run, "signal", "say", text="x")
    monkeypatch.delitem(registry.workflows, "talk.Haggle")

    shown = card(client, run)

    assert (shown.offers, [item.view.name for item in shown.sent]) == ([], ["say"])


@pytest.mark.parametrize(("kind", "name"), [("signal", "said"), ("query", "say"), ("update", "none"), ("signal", "x")])
def test_a_message_that_the_workflow_does_not_have_is_404(client, run, kind, name):
    assert client.get(url_of(run, kind, name)).status_code == 404


@pytest.mark.parametrize("object_id", [uuid.uuid4(), "nonsense"])
def test_a_message_to_a_missing_run_is_404(client, object_id):
    assert client.get(reverse("admin:workflows_run_signal", args=[object_id, "say"])).status_code == 404


@pytest.mark.parametrize("kind", ["signal", "update", "query"])
def test_a_dialog_is_opened_or_sent(client, run, kind):
    assert client.delete(url_of(run, kind, "say")).status_code == 405
