"""`manage.py workflow verify`: says for one run or for all whether histories are whole, and what is wrong."""

import io

from django.db import connection

from tests.commands.conftest import Terminal, call
from workflows import triggers
from workflows.models import HistoryEvent, Run


def tamper(run):
    """What somebody with a database client could do."""
    triggers.uninstall(connection)
    HistoryEvent.objects.filter(run_id=run.id, kind="StepCompleted").update(data='{"seq":1,"result":"more"}')
    triggers.install(connection)


def test_whole_histories_have_no_findings(make):
    make.completed()
    make.compensated()
    make.held()

    answer = call("verify")

    assert (answer.code, answer.out) == (0, "3 run(s) verified, no findings\n")


def test_an_edited_event_is_found_in_its_run(make):
    good, bad = make.completed(), make.compensated()
    tamper(bad)

    answer = call("verify", "--json")

    assert answer.code == 1
    assert answer.json["runs"] == 2
    assert {finding["run_id"] for finding in answer.json["findings"]} == {str(bad.id)}
    assert call("verify", str(good.id)).code == 0
    assert call("verify", str(bad.id)).code == 1


def test_a_finding_names_the_event_for_a_person(make):
    run = make.completed()
    tamper(run)

    out = call("verify", str(run.id)).out

    assert "the event was edited, moved or put in" in out
    assert str(run.id) in out
    assert "1 finding(s) in 1 run(s)" in out


def test_a_row_that_says_something_else_than_its_history_is_found(make):
    run = make.completed()
    Run.objects.filter(pk=run.id).update(result='"a million"')

    answer = call("verify", "--json")

    assert (answer.code, len(answer.json["findings"])) == (1, 1)
    assert "result" in answer.json["findings"][0]["problem"]


def test_progress_is_shown_at_a_terminal_and_stays_out_of_the_answer(make):
    make.completed()
    out, err = io.StringIO(), Terminal()

    answer = call("verify", "--json", out=out, err=err)

    assert answer.json == {"runs": 1, "findings": []}
    assert "verifying" in answer.err


def test_no_progress_is_shown_where_nobody_looks(make):
    make.completed()

    assert call("verify").err == ""


def test_a_run_that_is_not_there_is_told_apart(env):
    assert call("verify", "00000000-0000-4000-8000-000000000000").code == 3
