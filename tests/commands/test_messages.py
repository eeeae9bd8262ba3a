"""`manage.py workflow signal|query|update`: what is sent, answered, refused, and by whom."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.commands.conftest import call
from tests.talking import HaggleWorkflow
from workflows import operations, queries
from workflows.core.definitions import registry
from workflows.models import InboxItem

VERBS = ("signal", "query", "update")


@pytest.fixture
def run(env):
    """A run that waits."""
    run = operations.start_run(HaggleWorkflow)
    env.skip(timedelta(0))
    return queries.get_run(run.id)


@pytest.fixture
def left(written):
    return lambda: {**written(), "InboxItem": InboxItem.objects.count()}


def said(run):
    return operations.query_run(run.id, "said")


def test_a_signal_is_left_and_delivered(env, run):
    answer = call("signal", str(run.id), "say", "--input", '{"text": "good day"}', "--reason", "called in")
    env.skip(timedelta(0))

    assert (answer.code, answer.out) == (0, f"{run.id}  talk.Haggle  waiting\n")
    assert said(run) == ["good day (none, 0)"]
    entry = queries.list_audit(run_id=run.id)[0]
    assert (entry.act, entry.reason, entry.actor[:3]) == ("signal", "called in", "os:")


def test_arguments_come_by_name_in_order_or_from_a_file(env, run, tmp_path):
    file = tmp_path / "signal.json"
    file.write_text('{"text": "third", "reason": "from a file"}')

    codes = [
        call("signal", str(run.id), "say", "--input", given).code
        for given in ('{"key": 1, "text": "first"}', '["second", "why"]', f"@{file}")
    ]
    env.skip(timedelta(0))

    assert codes == [0, 0, 0]
    assert said(run) == ["first (none, 1)", "second (why, 0)", "third (from a file, 0)"]


def test_a_key_signals_once(env, run):
    for _ in range(2):
        call("signal", str(run.id), "say", "--input", '["once"]', "--key", "k")
    env.skip(timedelta(0))

    assert said(run) == ["once (none, 0)"]


def test_a_query_is_answered_and_writes_nothing(env, run, left):
    operations.signal_run(run.id, "say", "a")
    env.skip(timedelta(0))
    before = left()

    plain, as_json = call("query", str(run.id), "said"), call("query", str(run.id), "said", "--input", "[1]", "--json")

    assert (plain.code, plain.out) == (0, '["a (none, 0)"]\n')
    assert (as_json.code, as_json.json) == (0, {"result": ["a (none, 0)"]})
    assert left() == before


def test_an_answer_that_nobody_may_see_is_masked(env, run):
    operations.signal_run(run.id, "confide", "planted-4711")
    env.skip(timedelta(0))

    assert call("query", str(run.id), "secret", "--json").json == {"result": "•••"}


def test_an_update_is_answered(run):
    plain = call("update", str(run.id), "offer", "--input", '{"amount": 3}')
    as_json = call("update", str(run.id), "offer", "--input", "[4]", "--id", "o-1", "--json")

    assert (plain.code, plain.out) == (0, "3 is thought about\n")
    assert (as_json.code, as_json.json["status"]) == (0, "completed")
    assert (as_json.json["id"], as_json.json["result"]) == ("o-1", "4 is thought about")


@pytest.mark.parametrize("option", ["--id", "--key"])
def test_a_known_id_gets_its_stored_answer(run, left, option):
    call("update", str(run.id), "offer", "--input", "[3]", "--id", "o-1")
    before = left()

    again = call("update", str(run.id), "offer", "--input", "[4]", option, "o-1")

    assert (again.code, again.out, left()) == (0, "3 is thought about\n", before)


def test_one_that_is_not_answered_in_time_says_how_to_ask_again(env, run):
    pending = call("update", str(run.id), "offer", "--input", "[3]", "--timeout", "0", "--json")
    env.skip(timedelta(0))
    again = call("update", str(run.id), "offer", "--input", "[3]", "--id", pending.json["id"])

    assert (pending.code, pending.json["status"]) == (6, "waiting")
    assert (again.code, again.out) == (0, "3 is thought about\n")


def test_a_rejected_update_is_a_refusal_that_leaves_no_trace(run):
    before = len(queries.get_history(run.id))

    answer = call("update", str(run.id), "offer", "--input", "[0]")

    assert (answer.code, answer.err) == (2, "error: too_small: 0 is no offer\n")
    assert (len(queries.get_history(run.id)), queries.list_messages(run.id)) == (before, [])


def test_a_failed_update_is_told_apart(run):
    answer = call("update", str(run.id), "offer", "--input", "[13]")

    assert (answer.code, answer.err) == (1, "error: unlucky: thirteen is unlucky\n")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["signal", "shout"], 3, "unknown_signal"),
        (["query", "say"], 3, "unknown_query"),
        (["update", "said"], 3, "unknown_update"),
        (["signal", "say"], 2, "invalid_input"),
        (["signal", "say", "--input", '{"text": 7}'], 2, "invalid_input"),
        (["signal", "say", "--input", '"text"'], 2, "invalid_input"),
        (["signal", "say", "--input", "{"], 2, "invalid_input"),
        (["update", "offer", "--input", '{"amount": "three"}'], 2, "invalid_input"),
        (["query", "said", "--input", "[1, 2]"], 2, "invalid_input"),
        (["query", "broken"], 2, "too_small"),
        (["query", "writing"], 4, "nondeterminism"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_writes_nothing(run, left, arguments, code, error):
    before = left()
    verb, *more = arguments

    answer = call(verb, str(run.id), *more)

    assert (answer.code, answer.out, answer.err.split(":")[1].strip()) == (code, "", error)
    assert left() == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_message_to_an_unknown_run_is_told_apart(env, verb):
    answer = call(verb, "00000000-0000-4000-8000-000000000000", "say")

    assert (answer.code, answer.err.split(":")[1].strip()) == (3, "not_found")


@pytest.mark.parametrize(("verb", "name"), [("signal", "say"), ("update", "offer")])
def test_a_closed_run_takes_no_message(run, left, verb, name):
    operations.update_run(run.id, "offer", 10)
    before = left()

    answer = call(verb, str(run.id), name, "--input", '["7"]' if verb == "signal" else "[7]")

    assert (answer.code, answer.err.split(":")[1].strip(), left()) == (4, "not_allowed_in_state", before)


def test_a_run_whose_code_is_not_here_cannot_be_talked_to(run, monkeypatch):
    monkeypatch.delitem(registry.workflows, "talk.Haggle")

    assert [call(verb, str(run.id), "say").code for verb in VERBS] == [4, 4, 4]


def test_a_user_with_the_permission_is_the_sender(run, operator):
    call("signal", str(run.id), "say", "--input", '["x"]', "--user", "the-operator")

    assert queries.list_audit(run_id=run.id)[0].actor == "the-operator"


def test_a_viewer_may_query_and_not_send(run, viewer, left):
    before = left()

    codes = [call(verb, str(run.id), "said", "--user", "the-viewer").code for verb in VERBS]

    assert (codes, left()) == ([5, 0, 5], before)


def test_whether_one_may_is_asked_before_what_is_sent(run, viewer):
    answer = call("signal", str(run.id), "say", "--input", json.dumps({"wrong": 1}), "--user", "the-viewer")

    assert answer.err == "error: permission_denied: the-viewer lacks the permission workflows.signal_run\n"
