"""Each button of the console, clicked: what it does, and every way in which it does nothing."""

import uuid

import pytest
from django.urls import reverse

from tests.admin import flows
from tests.admin.browsing import messages_of, once_of, open_dialog, resend, send
from tests.admin.conftest import page_of, signed_in, without
from workflows import operations, queries
from workflows.models import AuditEntry, Run

pytestmark = pytest.mark.django_db

#: Act -> (a state it fits, a state it does not fit, status right after it).
CASES = {
    "retry": ("held", "pending", "pending"),
    "compensate": ("held", "pending", "compensating"),
    "cancel": ("pending", "completed", "cancelled"),
    "pause": ("pending", "completed", "held"),
    "resume": ("paused", "pending", "pending"),
}
ALL = [*CASES, "rerun"]


def fitting(make, act):
    return getattr(make, CASES[act][0] if act in CASES else "completed")()


def rows():
    return {
        "runs": sorted(Run.objects.values_list("id", "status", "fence", "head_seq", "requested")),
        "audit": AuditEntry.objects.count(),
    }


@pytest.mark.parametrize("act", list(CASES))
def test_a_sent_dialog_acts_with_reason_and_principal(client, make, operator, act):
    run = fitting(make, act)

    answer = send(client, run, act)

    assert (answer.status_code, answer.url) == (302, page_of(run))
    assert queries.get_run(run.id).status == CASES[act][2]
    entry = queries.list_audit(run_id=run.id)[0]
    assert (entry.act, entry.actor, entry.reason) == (act, operator.username, "the desk asked for it")


def test_rerun_starts_a_run_and_shows_it(client, make):
    run = make.completed()

    answer = send(client, run, "rerun")

    (again,) = [other for other in queries.list_runs() if other.rerun_of == run.id]
    assert answer.url == page_of(again)
    assert queries.get_run(run.id).status == "completed"


def test_a_retry_may_change_the_failed_steps_input(client, make, env):
    run = make.held()

    send(client, run, "retry", **{"input.place": "Paris"})
    env.finish(run.id)

    assert queries.list_steps(run.id)[-1].arguments == {"trade": "T-1", "place": "Paris"}


@pytest.mark.parametrize("act", ALL)
def test_without_the_permission_there_is_no_button_and_no_dialog(make, operator, act):
    run = fitting(make, act)
    client = signed_in(without(operator, f"{act}_run"))
    before = rows()

    page = client.get(page_of(run)).content.decode()
    seen = [open_dialog(client, run, act).status_code, resend(client, run, act, once="x").status_code]

    assert reverse(f"admin:workflows_run_{act}", args=[run.id]) not in page
    assert seen == [403, 403]
    assert rows() == before


@pytest.mark.parametrize("act", ALL)
def test_whoever_may_not_look_at_runs_may_not_act_on_them(make, operator, act):
    run = fitting(make, act)
    client = signed_in(without(operator, "view_run"))

    assert open_dialog(client, run, act).status_code == 403
    assert client.get(page_of(run)).status_code == 403


@pytest.mark.parametrize("act", list(CASES))
def test_in_a_state_that_it_does_not_fit_it_is_refused_and_says_why(client, make, act):
    run = getattr(make, CASES[act][1])()
    shown = open_dialog(client, run, act)
    before = rows()

    answer = resend(client, run, act, once=shown.context["form"]["once"].value())

    state = CASES[act][1]
    assert f"does not fit the run as it stands now: it is {state}. What fits is" in shown.content.decode()
    assert 'class="fa-dialog"' not in shown.content.decode()
    assert answer.status_code == 200
    (said,) = answer.context["form"].non_field_errors()
    assert f"cannot {act} a run that is {state}" in said
    assert "allowed now: " in said
    assert rows() == before


@pytest.mark.parametrize("act", ALL)
@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_happens_and_what_was_typed_stays(client, make, act, reason):
    run = fitting(make, act)
    typed = {"input.place": "Oslo"} if act == "retry" else {}
    before = rows()

    answer = send(client, run, act, reason=reason, **typed)

    assert answer.status_code == 200
    assert "reason" in answer.context["form"].errors
    assert rows() == before
    assert ("Oslo" in answer.content.decode()) == bool(typed)


@pytest.mark.parametrize("act", ALL)
def test_a_dialog_that_is_sent_twice_acts_once(client, make, act):
    run = fitting(make, act)
    key = once_of(open_dialog(client, run, act))

    first = resend(client, run, act, once=key)
    messages_of(client, first)
    between = rows()
    second = resend(client, run, act, once=key)

    assert (second.status_code, second.url) == (302, first.url)
    assert rows() == between
    assert messages_of(client, second) == [
        f"{act.capitalize()} was sent twice; it acted once and nothing was repeated."
    ]


def test_a_refused_dialog_can_be_put_right_and_sent_again(client, make):
    run = make.held()
    key = once_of(open_dialog(client, run, "retry"))

    refused = resend(client, run, "retry", once=key, reason="", **{"input.place": "Oslo"})
    accepted = resend(client, run, "retry", once=once_of(refused), **{"input.place": "Oslo"})

    assert once_of(refused) == key
    assert accepted.status_code == 302
    assert [entry.act for entry in queries.list_audit(run_id=run.id)] == ["retry", "start"]


@pytest.mark.parametrize("act", ALL)
@pytest.mark.parametrize("object_id", [uuid.uuid4(), "nonsense"])
def test_an_act_on_a_missing_run_is_404(client, act, object_id):
    url = reverse(f"admin:workflows_run_{act}", args=[object_id])

    assert client.get(url).status_code == 404
    assert client.post(url, {"reason": "x"}).status_code == 404


@pytest.mark.parametrize("act", ALL)
def test_an_act_without_csrf_token_or_by_another_method_is_refused(make, operator, act):
    run = fitting(make, act)
    client = signed_in(operator, enforce_csrf_checks=True)
    url = reverse(f"admin:workflows_run_{act}", args=[run.id])
    before = rows()

    refused = [client.post(url, {"reason": "x", "once": once_of(client.get(url))}).status_code]
    client = signed_in(operator)
    refused += [client.put(url).status_code, client.delete(url).status_code, client.patch(url).status_code]

    assert refused == [403, 405, 405, 405]
    assert rows() == before


@pytest.mark.parametrize(
    "state,expected",
    [
        ("pending", ["Pause", "Cancel", "Rerun"]),
        ("held", ["Retry", "Compensate", "Cancel", "Rerun"]),
        ("paused", ["Resume", "Cancel", "Rerun"]),
        ("completed", ["Compensate", "Rerun"]),
        ("compensated", ["Rerun"]),
        ("failed", ["Retry", "Rerun"]),
        ("undo_failed", ["Compensate", "Rerun"]),
        ("cancelled", ["Rerun"]),
    ],
)
def test_the_buttons_are_those_that_fit_the_state(client, make, state, expected):
    run = getattr(make, state)()

    page = client.get(page_of(run)).context["page"]

    assert [button.title for button in page.buttons] == expected


def test_compensate_shows_the_plan_with_its_amounts_before_anything_runs(client, make, env):
    run = make.held()

    page = open_dialog(client, run, "compensate").content.decode()

    assert "console.release" in page
    assert "250.00 USD" in page
    assert env.calls(flows.release) == []
    assert queries.get_run(run.id).status == "held"


def test_a_cancel_that_leaves_what_was_done_says_so(client, make):
    undoing, leaving = make.held(), make.leaving()

    pages = [open_dialog(client, run, "cancel").content.decode() for run in (undoing, leaving)]

    assert ["console.release" in page for page in pages] == [True, False]
    assert "what it did stands" in pages[1]


def test_a_dialog_names_its_button_after_the_act(client, make):
    """A button that says Cancel beside one that says Back would be read as the way out."""
    assert ">Cancel the run</button>" in open_dialog(client, make.pending(), "cancel").content.decode()


def test_an_act_for_a_living_driver_says_that_it_is_only_requested(client, make, monkeypatch):
    run = make.pending()
    monkeypatch.setattr("workflows.runtime.locking.LockedRun.is_driven", True)

    answer = send(client, run, "cancel")

    assert messages_of(client, answer) == ["Cancel is requested; the run is pending until its driver delivers it."]
    page = client.get(page_of(run))
    assert "cancel requested" in page.content.decode()
    assert [button.title for button in page.context["page"].buttons] == ["Pause", "Rerun"]


def test_what_another_login_opened_cannot_be_sent(client, make, viewer, operator):
    run = make.pending()
    viewer.groups.set(operator.groups.all())
    key = once_of(open_dialog(signed_in(viewer), run, "pause"))

    answer = resend(client, run, "pause", once=key)
    again = resend(client, run, "pause", once=once_of(answer))

    assert "came from another login" in answer.content.decode()
    assert again.status_code == 302


def test_a_key_serves_the_dialog_it_was_made_for_and_no_other(client, make):
    run, other = make.pending(), make.pending()
    key = once_of(open_dialog(client, run, "pause"))

    answers = [resend(client, other, "pause", once=key), resend(client, run, "cancel", once=key)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {queries.get_run(item.id).status for item in (run, other)} == {"pending"}


def test_no_message_shows_success_for_a_run_that_is_open(client, make):
    run = make.paused()

    page = client.get(send(client, run, "resume").url)

    assert [message.level_tag for message in page.context["messages"]] == ["info"]
    assert operations.pause_run(run.id, reason="x").status == "held"
