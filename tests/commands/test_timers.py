"""`manage.py workflow timers`, `timers move`, `resolve`."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.commands.conftest import call, status_of
from tests.talking import HaggleWorkflow, PaymentWorkflow, SleepWorkflow, pay
from workflows import operations, queries

WHY = ("--reason", "the rail opens late")


@pytest.fixture
def asleep(env):
    """Makes runs that wait for time."""

    def start(hours=1, workflow=SleepWorkflow):
        run = operations.start_run(workflow, *([hours] if workflow is SleepWorkflow else []))
        env.skip(timedelta(0))
        return run

    return start


def ids(answer):
    return [timer["run_id"] for timer in answer.json]


def test_what_is_due_first_stands_first(asleep):
    late, early = asleep(3), asleep(1)

    answer = call("timers", "--json")

    assert (answer.code, ids(answer)) == (0, [str(early.id), str(late.id)])
    assert [timer["is_overdue"] for timer in answer.json] == [False, False]


def test_a_person_sees_when_and_how_long_until_then(asleep):
    run = asleep(30)

    header, line = call("timers").out.splitlines()

    assert header.split() == ["due", "kind", "run", "step", "workflow", "key", "status"]
    assert line.split() == [
        "2026-01-06", "18:00:00", "in", "1d", "06:00:00", "timer", str(run.id), "1", "sleep", "talk.Sleep", "waiting",
    ]  # fmt: skip


def test_what_is_overdue_can_be_seen_alone(env, asleep):
    asleep(9)
    stuck = asleep(1)
    env.now += timedelta(hours=2)

    assert ids(call("timers", "--overdue", "--json")) == [str(stuck.id)]
    assert "overdue" in call("timers", "--overdue").out


def test_the_list_is_filtered_and_limited(asleep):
    sleeping, waiting = asleep(1), asleep(workflow=HaggleWorkflow)

    assert ids(call("timers", "--workflow", "talk.Haggle", "--json")) == [str(waiting.id)]
    assert ids(call("timers", "--kind", "timer", "--json")) == [str(sleeping.id)]
    assert ids(call("timers", "--run", str(waiting.id)[:8], "--json")) == [str(waiting.id)]
    assert len(ids(call("timers", "--limit", "1", "--json"))) == 1


def test_an_empty_list_says_so(env):
    assert (call("timers").out, call("timers", "--json").json) == ("no timers\n", [])


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_moved_timer_is_due_at_its_new_time(env, asleep, place):
    run = asleep(5)
    words = ["move", str(run.id), "1", "--to", "2026-01-05T12:10:00Z", *WHY]

    answer = call("timers", *(["--json", *words] if place == "before" else [*words, "--json"]))
    env.skip(timedelta(minutes=10))

    assert (answer.code, answer.json["id"], status_of(run.id)) == (0, str(run.id), "completed")
    entry = queries.list_audit(run_id=run.id)[0]
    assert (entry.act, entry.reason) == ("reschedule", "the rail opens late")


@pytest.mark.parametrize(
    ("seq", "to", "more", "code", "error"),
    [
        ("1", "2026-01-05T12:10:00", WHY, 2, "invalid_input"),
        ("1", "2026-01-05T12:10:00Z", (), 2, "reason_required"),
        ("2", "2026-01-05T12:10:00Z", WHY, 3, "not_found"),
        ("1", "2026-01-05T12:10:00Z", (*WHY, "--user", "the-viewer"), 5, "permission_denied"),
    ],
)
def test_a_move_that_cannot_be_is_refused(asleep, viewer, written, seq, to, more, code, error):
    run = asleep(5)
    before = written()

    answer = call("timers", "move", str(run.id), seq, "--to", to, *more)

    assert (answer.code, answer.err.split(":")[1].strip(), written()) == (code, error, before)


@pytest.mark.parametrize("words", [["1", "--to", "soon"], ["one", "--to", "2026-01-05T12:10:00Z"], ["1"]])
def test_a_move_that_is_none_is_wrong_usage(asleep, words):
    assert call("timers", "move", str(asleep(5).id), *words, *WHY).code == 2


def test_a_timer_of_a_closed_run_is_not_moved(env, asleep):
    run = asleep(1)
    env.skip(timedelta(hours=1))

    assert call("timers", "move", str(run.id), "1", "--to", "2026-01-05T12:10:00Z", *WHY).code == 4


# --- Steps in doubt --------------------------------------------------------------------------------------------------


@pytest.fixture
def in_doubt(env):
    env.mock(pay).raises(ConnectionError("the line is dead"))
    run = operations.start_run(PaymentWorkflow, 7)
    env.skip(timedelta(0))
    return run


def resolve(run, *words):
    return call("resolve", str(run.id), *words)


def test_what_happened_has_its_result(env, in_doubt):
    paid = json.dumps({"reference": "R-1", "fee": "0.50"})

    answer = resolve(in_doubt, "1", "--outcome", "happened", "--result", paid, "--reason", "seen at the bank", "--json")
    env.skip(timedelta(0))

    assert (answer.code, answer.json["status"]) == (0, "pending")
    assert queries.get_run(in_doubt.id).result == "R-1"
    assert len(env.calls(pay)) == 1


def test_what_was_not_done_is_a_failure(env, in_doubt):
    answer = resolve(in_doubt, "1", "--outcome", "not_done", "--reason", "the bank knows no such key")
    env.skip(timedelta(0))

    assert (answer.code, answer.out) == (0, f"{in_doubt.id}  talk.Payment  pending\n")
    assert status_of(in_doubt.id) == "failed"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["1", "--outcome", "happened", "--reason", "x"], 2, "invalid_input"),
        (["1", "--outcome", "happened", "--result", "{", "--reason", "x"], 2, "invalid_input"),
        (["1", "--outcome", "not_done", "--result", "1", "--reason", "x"], 2, "invalid_input"),
        (["1", "--outcome", "not_done"], 2, "reason_required"),
        (["2", "--outcome", "not_done", "--reason", "x"], 3, "not_found"),
        (["1", "--outcome", "not_done", "--reason", "x", "--user", "the-viewer"], 5, "permission_denied"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(in_doubt, viewer, written, words, code, error):
    before = written()

    answer = resolve(in_doubt, *words)

    assert (answer.code, answer.err.split(":")[1].strip(), written()) == (code, error, before)


@pytest.mark.parametrize("words", [["1"], ["1", "--outcome", "perhaps"], ["one", "--outcome", "not_done"]])
def test_an_outcome_that_is_none_is_wrong_usage(in_doubt, words):
    assert resolve(in_doubt, *words, "--reason", "x").code == 2


def test_a_run_that_is_not_in_doubt_has_nothing_to_resolve(make):
    assert resolve(make.held(), "2", "--outcome", "not_done", "--reason", "x").code == 4
