"""`manage.py workflow start` and `rerun`: a run begins, or is found, and the shell learns which."""

import io
import json
import sys
from datetime import timedelta

import pytest

from tests.commands import cast
from tests.commands.conftest import INPUT, call, status_of
from workflows import NonRetryable, queries
from workflows.operations import waiting

START = ("start", "desk.Settlement", "--input", json.dumps(INPUT))


def test_a_start_gives_the_pending_run_as_json(env):
    answer = call(*START, "--json")

    assert answer.code == 0
    assert (answer.json["status"], answer.json["workflow"], answer.json["input"]) == (
        "pending",
        "desk.Settlement",
        INPUT,
    )
    assert status_of(answer.json["id"]) == "pending"


def test_a_start_tells_a_person_the_run_in_one_line(env):
    answer = call(*START, "--key", "T-1")

    run = queries.list_runs()[0]
    assert answer.out == f"{run.id}  desk.Settlement  pending  key T-1  started\n"


def test_input_is_read_from_a_file(env, tmp_path):
    file = tmp_path / "input.json"
    file.write_text(json.dumps(INPUT))

    answer = call("start", "desk.Settlement", "--input", f"@{file}", "--json")

    assert (answer.code, answer.json["input"]) == (0, INPUT)


def test_input_is_read_from_standard_input(env, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(INPUT)))

    answer = call("start", "desk.Settlement", "--input", "-", "--json")

    assert (answer.code, answer.json["input"]) == (0, INPUT)


def test_a_workflow_without_input_needs_none(env):
    assert call("start", "desk.Report").code == 0


def test_a_second_start_with_the_key_finds_the_run(env):
    first = call(*START, "--key", "T-1", "--json").json

    again = call(*START, "--key", "T-1")

    assert again.code == 0
    assert again.out.startswith(first["id"])
    assert again.out.endswith("exists already\n")
    assert len(queries.list_runs()) == 1


def test_a_key_with_another_input_is_a_conflict(env, written):
    call(*START, "--key", "T-1")
    before = written()

    answer = call("start", "desk.Settlement", "--input", json.dumps(INPUT | {"trade": "T-9"}), "--key", "T-1")

    assert answer.code == 4
    assert answer.err.startswith("error: key_conflict: ")
    assert written() == before


def test_an_older_version_can_be_asked_for(env):
    answer = call("start", "desk.Report", "--version", "1", "--wait", "--json")

    assert (answer.code, answer.json["version"], answer.json["result"]) == (0, 1, "first")


def test_a_delayed_start_does_not_begin_before_its_time(env):
    run = call("start", "desk.Report", "--delay", "60", "--json").json

    env.skip(timedelta(seconds=59))
    before = status_of(run["id"])
    env.skip(timedelta(seconds=1))

    assert (before, status_of(run["id"])) == ("pending", "completed")


def test_waiting_ends_with_the_completed_run_and_zero(env):
    answer = call(*START, "--wait", "--json")

    assert (answer.code, answer.json["status"], answer.json["result"]) == (
        0,
        "completed",
        "settled T-1 in Frankfurt",
    )


def test_waiting_for_a_run_that_is_undone_ends_with_one_and_its_error(env):
    env.mock(cast.settle).raises(NonRetryable("the venue is closed", code="venue_closed"))

    answer = call("start", "desk.Undone", "--input", json.dumps(INPUT), "--wait")

    assert answer.code == 1
    assert "compensated" in answer.out
    assert "[venue_closed]: desk.settle failed after 1 attempt(s): the venue is closed" in answer.out


def test_waiting_stops_at_a_run_that_is_held_for_a_person(env):
    env.mock(cast.settle).raises(NonRetryable("the venue is closed"))

    answer = call(*START, "--wait", "--json")

    assert (answer.code, answer.json["status"], answer.json["hold_reason"]) == (6, "held", "failure")


def test_waiting_stops_when_its_time_is_over(env):
    answer = call("start", "desk.Report", "--delay", "3600", "--wait", "0", "--json")

    assert (answer.code, answer.json["status"]) == (6, "pending")


def test_whoever_gives_up_waiting_still_learns_which_run_goes_on(env):
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with waiting.paused_by(interrupt):
        answer = call(*START, "--wait", "--json")

    assert answer.code == 130
    assert status_of(answer.json["id"]) == "pending"


def test_the_reason_of_a_start_is_kept_in_the_audit(env):
    run = call(*START, "--reason", "asked for by the desk", "--json").json

    entry = queries.list_audit()[0]
    assert (str(entry.run_id), entry.act, entry.reason) == (run["id"], "start", "asked for by the desk")


@pytest.mark.parametrize(("given", "code"), [("open", 0), ("closed", 2)])
def test_a_start_check_decides_before_anything_is_written(env, written, given, code):
    before = written()

    answer = call("start", "desk.Checked", "--input", json.dumps({"trade": given}))

    assert answer.code == code
    assert (written() == before) == bool(code)
    assert answer.err == ("error: desk_closed: the desk is closed\n" if code else "")


def test_a_rerun_is_a_new_run_with_the_same_input(make):
    first = make.compensated()

    answer = call("rerun", str(first.id), "--reason", "the venue is open again", "--json")

    assert answer.code == 0
    assert (answer.json["rerun_of"], answer.json["input"]) == (str(first.id), first.input)
    assert (answer.json["id"] != str(first.id), answer.json["attempt"]) == (True, 2)


def test_a_rerun_can_be_waited_for(make):
    answer = call("rerun", str(make.completed().id), "--reason", "once more", "--wait", "--json")

    assert (answer.code, answer.json["status"]) == (0, "completed")
