"""A step in doubt in the console: what is known of it, and saying what it did, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from tests.admin.browsing import messages_of, once_of, typed_in
from tests.admin.conftest import page_of, signed_in
from tests.talking import PaymentWorkflow, pay
from workflows import operations, queries
from workflows.models import AuditEntry, HistoryEvent, Step

pytestmark = pytest.mark.django_db

WHY = "the bank's statement shows it"
LATE = '{"result":{"reference":"R-9","fee":"0.75"},"error":null,"at":"2026-01-05T12:00:03+00:00"}'


@pytest.fixture
def run(env):
    """A run that is held because nobody knows whether it paid."""
    env.mock(pay).raises(ConnectionError("the line is dead"))
    run = operations.start_run(PaymentWorkflow, 7)
    env.skip(timedelta(0))
    return queries.get_run(run.id)


def url_of(run, seq=1):
    return reverse("admin:workflows_run_resolve", args=[run.id, seq])


def resolve(client, run, once=None, **fields):
    once = once or once_of(client.get(url_of(run)))
    typed = {name.replace("result_", "input.result."): value for name, value in fields.items()}
    return client.post(url_of(run), {"once": once, "reason": WHY, **typed})


def written(run):
    return HistoryEvent.objects.filter(run_id=run.id).count(), AuditEntry.objects.count()


def test_the_runs_page_says_what_is_in_doubt_and_leads_to_the_dialog(client, run):
    page = client.get(page_of(run)).context["page"]

    assert page.outlook[1:] == [
        "Step 1, talk.pay, is in doubt after attempt 1: the line is dead (error).",
        "talk.ask_bank was asked and does not know; it is asked again each half minute.",
    ]
    assert [button.url for button in page.buttons][:1] == [url_of(run)]
    assert page.steps[0].resolve == url_of(run)


def test_the_dialog_shows_attempts_key_arguments_and_late_evidence(client, run):
    Step.objects.filter(run_id=run.id).update(evidence=LATE)

    page = client.get(url_of(run))

    text = page.content.decode()
    assert f'data-copy="{run.id}:1"' in text
    assert [attempt["error"] for attempt in page.context["attempts"]] == ["the line is dead (error)"]
    assert page.context["known"][-1].startswith("An outcome came too late, at 2026-01-05 12:00:03 UTC: it gave")
    assert (typed_in(page)["input.result.reference"], typed_in(page)["input.result.fee"]) == ("R-9", "0.75")


def test_what_happened_is_stated_with_its_result(client, env, run):
    answer = resolve(client, run, outcome="happened", result_reference="R-1", result_fee="0.50")
    env.skip(timedelta(0))

    assert messages_of(client, answer)[0].startswith("Resolve is accepted")
    assert queries.get_run(run.id).result == "R-1"
    assert len(env.calls(pay)) == 1
    entry = AuditEntry.objects.get(act="resolve")
    assert (entry.actor, entry.reason) == ("the-operator", WHY)


def test_what_was_not_done_takes_no_result(client, env, run):
    resolve(client, run, outcome="not_done", result_reference="typed before", result_fee="no number")
    env.skip(timedelta(0))

    assert queries.get_run(run.id).status == "failed"


def test_sent_twice_it_states_it_once(client, run):
    once = once_of(client.get(url_of(run)))

    answers = [resolve(client, run, once=once, outcome="not_done") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert [entry.kind for entry in queries.get_history(run.id)].count("StepResolved") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"outcome": "perhaps"},
        {"outcome": "happened"},
        {"outcome": "happened", "result_reference": "R-1"},
        {"outcome": "happened", "result_reference": "R-1", "result_fee": "a lot"},
        {"outcome": "not_done", "reason": " "},
    ],
)
def test_what_does_not_fit_states_nothing_and_keeps_what_was_typed(client, run, fields):
    before = written(run)

    answer = resolve(client, run, **fields)

    assert (answer.status_code, written(run)) == (200, before)
    assert answer.context["form"].errors
    assert typed_in(answer)["input.result.reference"] == fields.get("result_reference", "")


def test_a_choice_that_was_made_up_does_not_reach_the_pages_script(client, run):
    answer = resolve(client, run, outcome="'; alert(1); '")

    assert "choice: ''" in answer.content.decode()


def test_a_step_that_is_not_in_doubt_has_no_form(client, env, run):
    once = once_of(client.get(url_of(run)))
    operations.resolve_step(run.id, 1, outcome="not_done", reason="phoned")
    before = written(run)

    page, sent = client.get(url_of(run)), resolve(client, run, once=once, outcome="not_done")

    assert "Step 1 is not in doubt" in page.content.decode()
    assert (sent.status_code, written(run)) == (200, before)


@pytest.mark.parametrize("seq", [2, 2**40])
def test_a_step_that_is_none_is_404(client, run, seq):
    assert client.get(url_of(run, seq)).status_code == 404


def test_a_viewer_sees_the_doubt_and_may_not_resolve_it(viewer, run):
    browser, before = signed_in(viewer), written(run)

    page = browser.get(page_of(run))
    answers = [browser.get(url_of(run)), browser.post(url_of(run), {"outcome": "not_done", "reason": WHY})]

    assert ([answer.status_code for answer in answers], written(run)) == ([403, 403], before)
    assert "Resolve, Rerun: fits the state, but your role may not do it." in page.content.decode()
    assert page.context["page"].steps[0].resolve == ""


def test_a_dialog_is_opened_or_sent(client, run):
    assert client.delete(url_of(run)).status_code == 405
