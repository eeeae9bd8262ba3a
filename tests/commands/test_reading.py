"""`manage.py workflow list|show|watch|history`: what is seen, by people and by scripts."""

from datetime import timedelta

import pytest

from tests.commands import cast
from tests.commands.conftest import Terminal, call
from workflows import operations
from workflows.operations import waiting


def ids(answer):
    return [run["id"] for run in answer.json]


def test_a_list_shows_the_newest_runs_first(make):
    first, second = make.pending(), make.pending()
    make.env.now += timedelta(seconds=1)
    third = make.pending()

    found = ids(call("list", "--json"))

    assert found[0] == str(third.id)
    assert set(found) == {str(run.id) for run in (first, second, third)}


def test_a_list_is_limited(make):
    for _ in range(3):
        make.pending()

    assert len(ids(call("list", "--limit", "2", "--json"))) == 2


def test_a_list_is_filtered_by_state_workflow_and_key(make):
    make.completed()
    wanted = make.pending(key="T-1")
    operations.start_run("desk.Report", key="T-1")

    by_state = ids(call("list", "--status", "pending", "--workflow", "desk.Settlement", "--json"))
    by_key = ids(call("list", "--key", "T-1", "--workflow", "desk.Settlement", "--json"))
    by_states = ids(call("list", "--status", "pending", "--status", "completed", "--json"))

    assert (by_state, by_key, len(by_states)) == ([str(wanted.id)], [str(wanted.id)], 3)


def test_an_empty_list_says_so_to_a_person_and_is_empty_for_a_script(env):
    assert (call("list").out, call("list", "--json").json) == ("no runs\n", [])


def test_a_list_for_a_person_has_a_line_for_each_run(make):
    run = make.paused()

    lines = call("list").out.splitlines()

    assert lines[0].split() == ["run", "workflow", "status", "key", "created", "closed"]
    assert lines[1].split()[:4] == [str(run.id), "desk.Settlement", "held", "(paused)"]


def test_a_run_is_shown_with_steps_and_plan(make):
    run = make.held()

    shown = call("show", str(run.id), "--json").json

    assert (shown["status"], shown["hold_reason"], shown["error"]["code"]) == ("held", "failure", "venue_closed")
    assert [(step["name"], step["status"]) for step in shown["steps"]] == [
        ("desk.reserve", "completed"),
        ("desk.settle", "failed"),
    ]
    assert [item["activity"] for item in shown["compensation_plan"]] == ["desk.release"]


def test_a_person_sees_the_same_run(make):
    run = make.held()

    out = call("show", str(run.id)).out

    for fact in (str(run.id), "desk.Settlement version 1", "held (failure)", "desk.reserve", "venue_closed", "250.00"):
        assert fact in out


def test_a_run_is_found_by_the_first_characters_of_its_id(make):
    run = make.pending()

    assert call("show", str(run.id)[:8], "--json").json["id"] == str(run.id)


def test_a_history_shows_every_event_in_order(make):
    run = make.completed()

    entries = call("history", str(run.id), "--json").json

    assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))
    kinds = [entry["kind"] for entry in entries]
    assert (kinds[0], kinds[-1], kinds.count("StepCompleted")) == ("RunStarted", "RunCompleted", 2)


def test_a_person_sees_the_same_history(make):
    out = call("history", str(make.completed().id)).out

    assert [word for word in ("RunStarted", "StepScheduled", "StepCompleted", "RunCompleted") if word in out] == [
        "RunStarted",
        "StepScheduled",
        "StepCompleted",
        "RunCompleted",
    ]


@pytest.mark.parametrize("verb", ["show", "history", "watch"])
def test_sensitive_fields_are_masked_everywhere(make, verb):
    run = make.identified()

    as_text, as_json = call(verb, str(run.id)), call(verb, str(run.id), "--json")

    assert as_text.code == as_json.code == 0
    assert cast.SECRET not in as_text.out + as_json.out
    assert "$sensitive" not in as_text.out + as_json.out


def test_sensitive_input_is_masked_in_the_answer_to_a_start(env):
    answer = call("start", "desk.Identity", "--input", f'{{"ssn": "{cast.SECRET}"}}', "--wait", "--json")

    assert (answer.code, answer.json["status"]) == (0, "completed")
    assert answer.json["input"] == {"ssn": "•••"}
    assert answer.json["result"] == "•••"


def test_watching_prints_each_change_until_the_run_is_closed(make):
    run = make.pending()

    answer = call("watch", str(run.id), "--json")

    assert answer.code == 0
    assert [seen["status"] for seen in answer.json_lines] == ["pending", "completed"]


def test_watching_a_run_that_was_undone_ends_with_one(make):
    assert call("watch", str(make.compensated().id)).code == 1


def test_watching_ends_when_its_time_is_over(make):
    run = make.paused()

    answer = call("watch", str(run.id), "--timeout", "0")

    assert (answer.code, answer.out) == (6, f"{run.id}  held (paused)\n")


def test_watching_can_be_broken_off(make):
    def interrupt(_):
        raise KeyboardInterrupt

    with waiting.paused_by(interrupt):
        answer = call("watch", str(make.paused().id))

    assert (answer.code, answer.err) == (130, "")


def test_watching_at_a_terminal_shows_the_whole_run(make):
    run = make.completed()

    answer = call("watch", str(run.id), out=Terminal())

    assert answer.code == 0
    assert "desk.settle" in answer.out
    assert "Compensation plan" in answer.out


@pytest.mark.parametrize("verb", ["show", "history", "watch"])
def test_an_unknown_run_is_told_apart(env, verb):
    answer = call(verb, "00000000-0000-4000-8000-000000000000")

    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("error: not_found: ")


@pytest.mark.parametrize("verb", ["show", "history", "watch", "verify"])
@pytest.mark.parametrize("name", ["nonsense", "1234567", "", "0" * 33, "00000000-0000-4000-8000-00000000000g"])
def test_what_is_no_id_is_refused(env, verb, name):
    answer = call(verb, name)

    assert (answer.code, answer.err.split(":")[1].strip()) == (2, "invalid_input")


def test_looking_changes_nothing(make, written):
    run = make.held()
    before = written()

    for arguments in (["list"], ["show", str(run.id)], ["history", str(run.id)], ["verify"]):
        assert call(*arguments).code == 0

    assert written() == before
