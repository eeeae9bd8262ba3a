"""Who acts: a Django user whose permission is checked, or whoever runs the process."""

import os
import pwd

import pytest

from tests.commands.conftest import call
from workflows import queries


def last_actor():
    return queries.list_audit()[0].actor


def test_without_a_user_the_login_of_the_process_acts(env):
    call("start", "desk.Report")

    assert last_actor() == f"os:{pwd.getpwuid(os.getuid()).pw_name}"


def test_the_login_is_not_taken_from_the_environment(env, monkeypatch):
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")

    call("start", "desk.Report")

    assert "somebody-else" not in last_actor()


def test_a_user_acts_under_their_own_name(make, operator):
    run = make.pending()

    answer = call("pause", str(run.id), "--reason", "lunch", "--user", "the-operator")

    assert (answer.code, last_actor()) == (0, "the-operator")


def test_a_user_who_starts_a_run_is_its_actor(env, operator):
    answer = call("start", "desk.Report", "--user", "the-operator", "--json")

    assert answer.json["actor"] == "the-operator"


@pytest.mark.parametrize("verb", ["retry", "compensate", "cancel", "rerun", "pause", "resume"])
def test_a_user_without_the_permission_is_refused(make, viewer, written, verb):
    run = make.held()
    before = written()

    answer = call(verb, str(run.id), "--reason", "x", "--user", "the-viewer")

    assert (answer.code, written()) == (5, before)
    assert answer.err == f"error: permission_denied: the-viewer lacks the permission workflows.{verb}_run\n"


def test_a_start_by_a_user_without_the_permission_is_refused(env, viewer, written):
    before = written()

    answer = call("start", "desk.Report", "--user", "the-viewer")

    assert (answer.code, written()) == (5, before)


def test_a_plan_is_not_shown_to_a_user_who_may_not_compensate(make, viewer):
    answer = call("compensate", str(make.completed().id), "--dry-run", "--user", "the-viewer")

    assert (answer.code, answer.out) == (5, "")


def test_a_user_who_was_locked_out_is_refused(make, operator):
    operator.is_active = False
    operator.save()

    answer = call("pause", str(make.pending().id), "--reason", "lunch", "--user", "the-operator")

    assert answer.code == 5


def test_a_user_who_does_not_exist_is_told_apart(make, written):
    run = make.pending()
    before = written()

    answer = call("pause", str(run.id), "--reason", "lunch", "--user", "nobody-here")

    assert (answer.code, written()) == (2, before)
    assert answer.err == "error: unknown_user: there is no user 'nobody-here'\n"
