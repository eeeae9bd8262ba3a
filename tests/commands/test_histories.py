"""`manage.py workflow export|replay`: histories as files, and whether the code still replays them."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest

from tests.commands import cast
from tests.commands.conftest import call
from workflows import Workflow, operations, queries
from workflows.core.definitions import registry


def exported(run, path):
    assert call("export", str(run.id), "--output", str(path)).code == 0
    return path


@pytest.fixture
def changed(monkeypatch):
    """Puts other code in the place of a workflow's."""

    def put(name, cls):
        monkeypatch.setitem(registry.workflows, name, {1: cls})

    return put


class BackwardsWorkflow(Workflow[str]):
    """What the settlement became: it settles first."""

    name = "desk.Backwards"

    async def execute(self, trade: str, amount: object) -> str:
        return await self.activity(cast.settle, trade=trade)


def test_a_history_is_a_header_and_a_line_for_each_event(make):
    run = make.completed()

    answer = call("export", str(run.id)[:8])

    header, *events = answer.json_lines
    assert (answer.code, header["run"], header["workflow"], header["version"]) == (0, str(run.id), "desk.Settlement", 1)
    assert [event["kind"] for event in events] == [entry.kind for entry in queries.get_history(run.id)]


def test_a_history_is_written_to_a_file(make, tmp_path):
    run = make.completed()
    file = tmp_path / "history.jsonl"

    answer = call("export", str(run.id), "--output", str(file), "--json")

    lines = file.read_text().splitlines()
    assert (answer.code, answer.json) == (0, {"file": str(file), "events": len(lines) - 1})
    assert lines == call("export", str(run.id)).out.splitlines()


def test_what_nobody_may_see_leaves_encrypted(make, tmp_path):
    text = exported(make.identified(), tmp_path / "history.jsonl").read_text()

    assert cast.SECRET not in text
    assert "$sensitive" in text


def test_a_file_that_cannot_be_written_is_a_refusal(make, tmp_path):
    answer = call("export", str(make.completed().id), "--output", str(tmp_path / "none" / "history.jsonl"))

    assert (answer.code, answer.err.split(":")[1].strip()) == (2, "invalid_input")


@pytest.mark.parametrize("verb", ["export", "replay"])
def test_a_run_that_is_none_is_told_apart(env, verb):
    assert call(verb, "00000000-0000-4000-8000-000000000000").code == 3


@pytest.mark.parametrize("state", ["completed", "held", "compensated", "paused", "pending", "failed", "identified"])
def test_a_run_replays_with_the_code_that_it_ran_with(make, written, state):
    run = getattr(make, state)()
    before = written()

    answer = call("replay", str(run.id), "--json")

    assert (answer.code, answer.json["fits"], answer.json["run"]) == (0, True, str(run.id))
    assert written() == before


def test_a_file_replays_like_its_run(make, tmp_path, monkeypatch):
    file = exported(make.completed(), tmp_path / "history.jsonl")
    monkeypatch.setattr("sys.stdin", io.StringIO(file.read_text()))

    assert [call("replay", named).code for named in (str(file), f"@{file}", "-")] == [0, 0, 0]


@pytest.mark.parametrize("of", ["run", "file"])
def test_a_mismatch_names_what_was_expected_and_found(make, tmp_path, changed, written, of):
    run = make.completed()
    named = str(run.id) if of == "run" else str(exported(run, tmp_path / "history.jsonl"))
    changed("desk.Settlement", BackwardsWorkflow)
    before = written()

    answer, as_json = call("replay", named), call("replay", named, "--json")

    expected, found = "schedule activity desk.reserve", "schedule activity desk.settle"
    assert (answer.code, as_json.code, written()) == (1, 1, before)
    assert answer.out.splitlines()[1:] == [f"expected: {expected}", f"found:    {found}"]
    assert (as_json.json["fits"], as_json.json["expected"], as_json.json["found"]) == (False, expected, found)


def test_a_workflow_that_is_gone_is_told_apart(make, monkeypatch):
    run = make.completed()
    monkeypatch.delitem(registry.workflows, "desk.Settlement")

    answer = call("replay", str(run.id))

    assert (answer.code, answer.err.split(":")[1].strip()) == (3, "unknown_workflow")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "not json", json.dumps({"format": 99}), b"\xff\xfe"],
    ids=["empty", "bare", "text", "new", "bytes"],
)
def test_a_file_that_holds_no_history_is_refused(env, tmp_path, text):
    file = tmp_path / "history.jsonl"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    answer = call("replay", str(file))

    assert (answer.code, answer.err.split(":")[1].strip()) == (2, "invalid_input")


def test_a_file_that_is_not_there_is_refused(env, tmp_path):
    assert call("replay", f"@{tmp_path / 'none.jsonl'}").code == 2


def test_a_run_that_waits_replays_to_where_it_stands(env):
    run = operations.start_run("talk.Sleep", 5)
    env.skip(timedelta(0))

    assert call("replay", str(run.id)).code == 0
