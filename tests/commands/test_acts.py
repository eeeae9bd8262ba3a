"""`manage.py workflow retry|compensate|cancel|pause|resume`: each act does what its operation does, and says so."""

import json
from datetime import timedelta

import pytest

from tests.commands import cast
from tests.commands.conftest import AMOUNT, call, status_of
from workflows import queries


def act(verb, run, *options, reason="as agreed with the desk"):
    return call(verb, str(run.id), "--reason", reason, *options)


def test_a_retried_run_goes_on_from_the_step_that_failed(make):
    run = make.held()

    answer = act("retry", run, "--json")
    make.env.skip(timedelta(0))

    assert (answer.code, answer.json["status"]) == (0, "pending")
    assert status_of(run.id) == "completed"
    assert len(make.env.calls(cast.reserve)) == 1


def test_a_retry_can_edit_the_input_of_the_failed_step(make):
    run = make.held()

    answer = act("retry", run, "--input", json.dumps({"place": "Paris"}))
    make.env.skip(timedelta(0))

    assert answer.code == 0
    assert make.env.calls(cast.settle)[-1] == {"trade": "T-1", "place": "Paris"}


def test_a_compensated_run_has_its_effects_undone(make):
    run = make.completed()

    answer = act("compensate", run, "--json")
    make.env.skip(timedelta(0))

    assert (answer.code, answer.json["status"], status_of(run.id)) == (0, "compensating", "compensated")
    assert make.env.calls(cast.release) == [{"trade": "T-1", "amount": AMOUNT}]


def test_a_dry_run_shows_the_plan_with_its_amounts_and_changes_nothing(make, written):
    run = make.completed()
    before = written()

    answer = call("compensate", str(run.id), "--dry-run", "--json")

    (item,) = answer.json
    assert (answer.code, item["activity"], item["status"]) == (0, "desk.release", "planned")
    assert item["amounts"] == [{"amount": "250.00", "currency": "USD"}]
    assert written() == before


def test_a_plan_is_a_table_for_a_person(make):
    answer = call("compensate", str(make.completed().id), "--dry-run")

    assert "desk.release" in answer.out
    assert "250.00 USD" in answer.out


def test_a_cancelled_run_is_closed(make):
    run = make.pending()

    answer = act("cancel", run, "--json")

    assert (answer.code, answer.json["status"], status_of(run.id)) == (0, "cancelled", "cancelled")


def test_a_paused_run_is_held_until_it_is_resumed(make):
    run = make.pending()

    paused = act("pause", run, "--json")
    make.env.skip(timedelta(minutes=1))
    held = status_of(run.id)
    resumed = act("resume", run, "--json")
    make.env.skip(timedelta(0))

    assert (paused.json["status"], paused.json["hold_reason"], held) == ("held", "paused", "held")
    assert (resumed.json["status"], status_of(run.id)) == ("pending", "completed")


def test_an_act_tells_a_person_how_the_run_stands(make):
    run = make.pending()

    answer = act("pause", run)

    assert answer.out == f"{run.id}  desk.Settlement  held (paused)\n"


@pytest.mark.parametrize("verb", ["retry", "compensate", "cancel", "rerun", "pause", "resume"])
def test_every_act_needs_a_reason(make, written, verb):
    run = make.held()
    before = written()

    answer = call(verb, str(run.id))

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: reason_required: ")
    assert written() == before


@pytest.mark.parametrize("verb", ["retry", "compensate", "cancel", "rerun", "pause", "resume"])
def test_a_reason_of_blanks_is_none(make, verb):
    answer = act(verb, make.held(), reason=" \t ")

    assert (answer.code, answer.err.split(":")[1].strip()) == (2, "reason_required")


@pytest.mark.parametrize("verb", ["retry", "compensate", "cancel", "rerun", "pause", "resume"])
def test_an_act_on_an_unknown_run_is_told_apart(env, verb):
    answer = call(verb, "00000000-0000-4000-8000-000000000000", "--reason", "x")

    assert answer.code == 3
    assert answer.err.startswith("error: not_found: ")


@pytest.mark.parametrize(
    ("verb", "state", "allowed"),
    [
        ("retry", "completed", "compensate, rerun"),
        ("compensate", "paused", "cancel, resume, rerun"),
        ("cancel", "compensated", "compensate, rerun"),
        ("pause", "paused", "cancel, resume, rerun"),
        ("resume", "pending", "cancel, pause, rerun"),
    ],
)
def test_an_act_that_does_not_fit_names_the_state_and_what_does(make, written, verb, state, allowed):
    run = getattr(make, state)()
    before = written()

    answer = act(verb, run)

    assert answer.code == 4
    assert answer.err.startswith(f"error: not_allowed_in_state: cannot {verb} a run that is ")
    assert set(answer.err.rsplit("allowed now: ", 1)[1].strip().split(", ")) == set(allowed.split(", "))
    assert written() == before


def test_a_run_with_nothing_to_undo_is_told_apart(make):
    answer = act("compensate", make.failed())

    assert (answer.code, answer.err.split(":")[1].strip()) == (4, "nothing_to_compensate")


def test_a_retry_after_the_plan_has_begun_is_refused(make):
    run = make.held()
    act("compensate", run)
    make.env.skip(timedelta(0))

    assert act("retry", run).code == 4


def test_edited_input_that_does_not_fit_the_step_is_refused(make, written):
    run = make.held()
    before = written()

    answer = act("retry", run, "--input", json.dumps({"weather": "fair"}))

    assert (answer.code, written()) == (2, before)
    assert "weather" in answer.err


def test_acts_are_audited_with_their_reason(make):
    run = make.pending()

    act("pause", run, reason="the market is shut")
    act("cancel", run, reason="no longer wanted")

    audit = [(entry.act, entry.reason) for entry in reversed(queries.list_audit(run_id=run.id))]
    assert audit[1:] == [("pause", "the market is shut"), ("cancel", "no longer wanted")]
