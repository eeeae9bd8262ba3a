"""The page of one run: everything an operator needs, nothing that must stay hidden."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin import flows
from tests.admin.browsing import open_dialog, send
from tests.admin.conftest import page_of, signed_in, without
from tests.talking import LetterWorkflow, tokens
from workflows import operations
from workflows.core.payloads import MASK

pytestmark = pytest.mark.django_db


def text_of(client, run):
    page = client.get(page_of(run))
    assert page.status_code == 200
    return page.content.decode()


def test_a_held_run_shows_its_error_its_attempts_and_what_comes_next(client, make):
    text = text_of(client, make.held())

    assert "held: failure" in text
    assert "retry it, compensate what was done, or cancel" in text
    assert text.count("the gateway answered 503 (counterparty_down)") >= 2
    assert "console.settle" in text


def test_a_held_run_says_since_when_it_waits(client, make, env):
    run = make.held()
    env.now += timedelta(hours=2)

    (sentence,) = client.get(page_of(run)).context["page"].outlook

    assert sentence.startswith("Held since 2026-01-05 12:")
    assert "UTC (" in sentence


def test_a_paused_run_says_who_paused_it_and_why(viewer, make):
    first, second = signed_in(viewer).get(page_of(make.paused())).context["page"].outlook

    assert first.startswith("Paused by system since 2026-01-05 12:00:00 UTC")
    assert first.endswith(": “lunch”")
    assert second == "Resume lets it go on where it stands."


def test_a_run_whose_undo_failed_names_it_with_its_error(client, make):
    first, second = client.get(page_of(make.undo_failed())).context["page"].outlook

    assert (
        first == "The undo console.release failed for good after 3 attempts: the ledger is closed (counterparty_down)."
    )
    assert second.endswith("Compensate goes on at the failed undo with fresh attempts.")


@pytest.mark.parametrize(
    "state,sentences",
    [
        ("completed", ["Completed after 0 ms.", "Compensate would run 1 undo."]),
        ("compensated", ["Ended and undone after 0 ms; this is final, and a rerun starts anew.", "1 of 1 undo ran."]),
        ("failed", ["Ended by an error after 0 ms.", "Nothing is left to undo."]),
        ("cancelled", ["Cancelled after 0 ms.", "Nothing is left to undo."]),
        ("pending", ["Waits for a worker to take it."]),
    ],
)
def test_how_it_stands_is_said_in_sentences(client, make, state, sentences):
    assert client.get(page_of(getattr(make, state)())).context["page"].outlook == sentences


def test_its_history_is_told_in_sentences_with_the_data_behind_them(client, make):
    run = make.held()

    text = text_of(client, run)

    assert "Step 3, console.settle, fails attempt 1: the gateway answered 503 (counterparty_down)" in text
    assert "Step 3, console.settle, failed for good after 2 attempts" in text
    assert "&quot;attempt&quot;: 1" in text


def test_its_name_is_shown_as_it_is_and_its_ids_can_be_copied(client, make):
    run = make.pending(key="trade:T-9")

    text = text_of(client, run)

    assert "Console.Settlement" not in text
    assert f'data-copy="{run.id}"' in text
    assert 'data-copy="trade:T-9"' in text


def test_its_input_is_read_without_braces(client, make):
    page = client.get(page_of(make.pending())).context["page"]

    fields = {name: value.text for name, value in page.input.outline.fields}
    assert fields == {"trade": "T-1", "amount": "250.00 USD", "ssn": MASK}


def test_a_run_in_back_off_says_when_it_tries_again(client, make):
    page = client.get(page_of(make.backing_off())).context["page"]

    (sentence,) = [line for line in page.outlook if "console.settle" in line]
    assert "failed its attempt 1; the next one is due at 2026-01-05 12:01:0" in sentence


def test_a_completed_run_shows_result_plan_with_amounts_and_history(client, make):
    text = text_of(client, make.completed())

    assert "settled T-1 in Frankfurt" in text
    assert "console.release" in text
    assert "250.00 USD" in text
    assert "RunCompleted" in text
    assert "A worker" not in text


def test_a_compensated_run_shows_each_undo_and_how_it_ended(client, make):
    page = client.get(page_of(make.compensated())).context["page"]

    assert [(item.view.activity, item.view.status) for item in page.plan] == [("console.release", "completed")]
    assert [step.is_undo for step in page.steps] == [False, False, True]


def test_acts_are_shown_to_whoever_may_see_the_audit_trail(make, operator, viewer):
    run = make.paused()

    assert "lunch" in text_of(signed_in(operator), run)
    assert "<h2>Acts</h2>" not in text_of(signed_in(viewer), run)


def test_a_rerun_links_to_the_run_it_repeats(client, make):
    run = make.completed()

    answer = send(client, run, "rerun")

    assert f'href="{page_of(run)}"' in client.get(answer.url).content.decode()


def test_the_timeline_has_a_bar_for_each_step_and_each_attempt(client, make):
    run = make.held()

    page = client.get(page_of(run))
    line = page.context["page"].timeline

    assert [row.label for row in line.rows] == ["1 console.identify", "2 console.reserve", "3 console.settle"]
    assert [bar.faint for bar in line.rows[2].bars] == [True, False, False]
    assert "<svg" in page.content.decode()


def test_a_sensitive_value_is_shown_nowhere(client, make):
    run = make.held()
    operations.retry_run(run.id, reason="again")

    texts = [text_of(client, run)]
    texts += [open_dialog(client, run, act).content.decode() for act in ("retry", "compensate", "cancel", "rerun")]
    texts += [client.get(reverse(f"admin:{name}")).content.decode() for name in LISTS]

    assert not any(flows.SECRET in text for text in texts)
    assert MASK in texts[0]


def test_an_attempt_that_is_out_tells_its_heartbeat_and_who_ends_it(client, env):
    run = operations.start_run(LetterWorkflow, "dear sir")
    env.skip(timedelta(0))
    operations.heartbeat_step(tokens[-1], details={"page": 7})

    page = client.get(page_of(run))

    (sentence,) = page.context["page"].outlook
    assert sentence.startswith(
        "Step 1, talk.print_letter, waits for somebody outside to end it, at most until 2026-01-05"
    )
    assert 'Its last heartbeat told {"page": 7}.' in sentence
    assert page.context["page"].steps[0].attempts[0].heartbeat == '{"page": 7}'
    assert page.context["page"].steps[0].note == "to be ended from outside"
    assert "last heartbeat:" in page.content.decode()


LISTS = ["index", "workflows_run_changelist", "workflows_auditentry_changelist"]


def test_markup_in_what_people_type_stays_text(client, make):
    run = make.pending(key="<b>key</b>", actor="<i>who</i>", reason="<script>alert(1)</script>")

    for text in (text_of(client, run), client.get(reverse("admin:workflows_run_changelist")).content.decode()):
        assert "<script>alert" not in text
        assert "<b>key" not in text
        assert "<i>who" not in text


def test_its_queries_are_few_and_do_not_grow_with_its_steps(client, make):
    short, long = make.many(2), make.many(30)
    with CaptureQueriesContext(connection) as few:
        text_of(client, short)
    with CaptureQueriesContext(connection) as many:
        text_of(client, long)

    assert len(many) == len(few) <= 18


def test_a_long_history_is_cut_and_can_be_shown_in_full(client, make, monkeypatch):
    monkeypatch.setattr("workflows.admin.run_page.MOST_ROWS", 2)
    run = make.completed()

    cut = client.get(page_of(run)).context["page"]
    whole = client.get(page_of(run) + "?all").context["page"]

    assert (len(cut.history), len(cut.steps)) == (2, 2)
    assert cut.history[-1].kind == "RunCompleted"
    assert cut.hidden_events == len(whole.history) - 2
    assert whole.hidden_events == 0


@pytest.mark.parametrize("object_id", [uuid.uuid4(), "nonsense"])
def test_a_missing_run_is_404(client, object_id):
    assert client.get(reverse("admin:workflows_run_change", args=[object_id])).status_code == 404


def test_the_page_of_a_run_that_moves_renews_itself_and_no_other_does(client, make, env):
    def renewal(run):
        return client.get(page_of(run)).context["page"].renews_after

    run = make.pending()
    young = renewal(run)
    env.now += timedelta(minutes=1)
    old = renewal(run)

    assert (young, old) == (1, 3)
    assert 'hx-trigger="every 3s [' in text_of(client, run)
    assert [renewal(other) for other in (make.paused(), make.completed(), make.held())] == [None] * 3


def test_a_viewer_sees_the_page_no_button_and_what_would_fit(viewer, make):
    page = signed_in(viewer).get(page_of(make.held()))

    assert page.context["page"].buttons == []
    assert "Retry, Compensate, Cancel, Rerun: fits the state, but your role may not do it." in page.content.decode()


def test_it_is_hidden_from_whoever_may_not_view_runs(operator, make):
    assert signed_in(without(operator, "view_run")).get(page_of(make.pending())).status_code == 403
