"""Runs that belong together, at the command line: children, chains; and runs found by attributes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.commands.conftest import call
from tests.kin import LabelledWorkflow, MoveHouseWorkflow, RoundsWorkflow
from workflows import operations, queries
from workflows.operations import waiting

HOUR = timedelta(hours=1)


@pytest.fixture
def begin(env):
    """Starts a run and lets it go as far as it goes by itself."""

    def start(workflow, *args, **options):
        run = operations.start_run(workflow, *args, **options)
        env.skip(timedelta(0))
        return queries.get_run(run.id)

    return start


def facts(run):
    """What `show` tells a person before the first table."""
    lines = call("show", str(run.id)).out.split("\n\n")[0].splitlines()
    return {line[:12].strip(): line[12:].strip() for line in lines}


def test_the_children_of_a_run_are_listed(begin):
    parent = begin(MoveHouseWorkflow, ["lamp", "chair"])
    begin(MoveHouseWorkflow, ["table"])

    answer = call("list", "--parent", str(parent.id)[:8], "--json")

    assert {run["parent_id"] for run in answer.json} == {str(parent.id)}
    assert sorted(run["input"]["label"] for run in answer.json) == ["chair", "lamp"]


@pytest.mark.parametrize(("parent", "code"), [("nonsense", 2), ("0" * 32, 3)])
def test_a_parent_that_is_none_is_refused(env, parent, code):
    assert call("list", "--parent", parent).code == code


def test_a_parent_is_shown_with_its_children(begin):
    parent = begin(MoveHouseWorkflow, ["lamp", "stone"])
    held = next(run for run in queries.list_children([parent.id]) if run.status == "held")

    text = call("show", str(parent.id)).out
    shown = call("show", str(parent.id), "--json").json

    table = text[text.index("Children") :].splitlines()[1:]
    assert table[0].split() == ["step", "run", "workflow", "status", "created", "closed"]
    assert table[1].split()[:5] == ["2", str(held.id), "kin.Carry", "held", "(failure)"]
    assert [child["status"] for child in shown["children"]] == ["held", "completed"]
    assert [step["child_id"] for step in shown["steps"]] == [child["id"] for child in shown["children"]][::-1]


def test_a_child_is_shown_with_its_parent(begin):
    parent = begin(MoveHouseWorkflow, ["stone"])
    (child,) = queries.list_children([parent.id])

    assert facts(child)["parent"] == f"{parent.id} step 1"
    assert "chain" not in facts(child)


def test_links_of_a_chain_name_each_other(begin, env):
    first = begin(RoundsWorkflow, 1)
    env.skip(HOUR)
    first = queries.get_run(first.id)
    second = queries.get_run(first.continued_by)

    assert (facts(first)["chain"], facts(first)["continued by"]) == ("link 1", str(second.id))
    assert (facts(second)["chain"], facts(second)["attributes"]) == (f"link 2 of {first.id}", "round=0")
    assert call("show", str(first.id), "--json").json["continued_by"] == str(second.id)


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        (["customer=Ada"], ["Ada"]),
        (["amount=12.5"], ["Ada"]),
        (["amount__gte=12.5"], ["Ada", "Bo"]),
        (["amount__gt=1", "amount__lt=100"], ["Ada"]),
        (["customer=Bo", "amount=1"], []),
        (["customer=a=b"], []),
    ],
)
def test_runs_are_listed_by_their_attributes(begin, asked, fitting):
    begin(LabelledWorkflow, "Ada", Decimal("12.50"))
    begin(LabelledWorkflow, "Bo", Decimal(300))

    answer = call("list", *(word for text in asked for word in ("--attribute", text)), "--json")

    assert sorted(run["attributes"]["customer"] for run in answer.json) == fitting


def test_attributes_are_told_as_they_are_asked_for(begin):
    run = begin(LabelledWorkflow, "Ada", Decimal("12.50"))

    told = facts(run)["attributes"].split(", ")

    assert told[:2] == ["customer=Ada", "amount=12.50"]
    assert "at=2026-01-05T12:00:00+00:00" in told
    for text in told:
        assert [item["id"] for item in call("list", "--attribute", text, "--json").json] == [str(run.id)]


@pytest.mark.parametrize(
    "words",
    [
        ["customer"],
        ["=Ada"],
        ["9lives=1"],
        ["customer__near=Ada"],
        ["customer__lt=Ada"],
        ["a=1", "a=2"],
        ["a=1e999999999"],
    ],
)
def test_an_attribute_that_is_asked_for_otherwise_is_refused(env, words):
    answer = call("list", *(word for text in words for word in ("--attribute", text)))

    assert (answer.code, answer.out) == (2, "")


# --- Waiting ---------------------------------------------------------------------------------------------------------


def test_watch_follows_a_chain_to_its_end(begin, env):
    first = begin(RoundsWorkflow, 1)

    def pass_an_hour(seconds):
        env.skip(HOUR)

    with waiting.paused_by(pass_an_hour):
        answer = call("watch", str(first.id), "--json")

    seen = list(dict.fromkeys(item["link"] for item in answer.json_lines))
    assert (answer.code, seen, answer.json_lines[-1]["status"]) == (0, [1, 2], "completed")


def test_watch_of_a_chain_that_was_lost_ends_with_its_error(begin, env):
    first = begin(RoundsWorkflow, -1)

    with waiting.paused_by(lambda seconds: env.skip(HOUR)):
        answer = call("watch", str(first.id))

    assert answer.code == 1
    assert "failed" in answer.out.splitlines()[-1]


def test_watch_of_a_chain_that_goes_on_stops_in_time(begin, env):
    first = begin(RoundsWorkflow, 5)
    env.skip(2 * HOUR)

    answer = call("watch", str(first.id), "--timeout", "0", "--json")

    assert (answer.code, answer.json_lines[-1]["link"], answer.json_lines[-1]["status"]) == (6, 3, "waiting")


def test_a_chain_that_has_ended_is_watched_at_once(begin, env):
    first = begin(RoundsWorkflow, 2)
    env.skip(4 * HOUR)

    answer = call("watch", str(first.id), "--json")

    assert (answer.code, answer.json["link"], answer.json["status"]) == (0, 3, "completed")


def test_a_start_waits_for_the_end_of_the_chain_that_its_key_belongs_to(begin, env):
    first = begin(RoundsWorkflow, 1, key="k")
    env.skip(HOUR)
    words = ("start", "kin.Rounds", "--input", '{"rounds": 1}', "--key", "k")

    still_open = call(*words, "--wait", "0", "--json")
    env.skip(HOUR)
    ended = call(*words, "--wait", "5", "--json")

    assert (still_open.code, still_open.json["link"], still_open.json["status"]) == (6, 2, "waiting")
    assert (ended.code, ended.json["result"], ended.json["chain_id"]) == (0, "home", str(first.id))
