"""Bad input at the command line: one line on standard error, a stable code, nothing written, never a traceback."""

import json
import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from tests.commands.conftest import INPUT, call
from workflows.models import Run

ROOT = Path(__file__).resolve().parents[2]


def refused(answer, code, exit_code=2):
    """The answer is a refusal in one line."""
    assert (answer.code, answer.out) == (exit_code, "")
    assert answer.err.startswith(f"error: {code}: "), answer.err
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err
    return answer.err


def start(source, name="desk.Settlement", *options):
    return call("start", name, "--input", source, *options)


@pytest.mark.parametrize(
    "source",
    [
        "{",
        "",
        "nonsense",
        '{"trade": }',
        "{'trade': 'T-1'}",
        '{"trade": NaN}',
        '{"trade": "T-1", "trade": "T-2"}',
        "[" * 100_000,
        "9" * 5_000,
    ],
)
def test_what_is_not_json_is_refused(env, written, source):
    before = written()

    refused(start(source), "invalid_input")

    assert written() == before


@pytest.mark.parametrize("source", ["[]", '"text"', "7", "null", "true"])
def test_json_that_is_no_object_is_refused(env, source):
    assert "is a JSON object, not a" in refused(start(source), "invalid_input")


def test_a_missing_file_is_refused(env, tmp_path):
    refused(start(f"@{tmp_path / 'nothing.json'}"), "invalid_input")


@pytest.mark.parametrize("path", ["@", "@/", "@a\x00b"])
def test_what_is_no_file_is_refused(env, path):
    refused(start(path), "invalid_input")


def test_a_file_that_is_not_utf_8_is_refused(env, tmp_path):
    (tmp_path / "latin.json").write_bytes(b'{"trade": "\xe9"}')

    refused(start(f"@{tmp_path / 'latin.json'}"), "invalid_input")


def test_standard_input_that_is_not_utf_8_is_refused(env, monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b'{"trade": "\xe9"}'), encoding="utf-8"))

    refused(start("-"), "invalid_input")


@pytest.mark.parametrize(
    "changed",
    [
        {"weather": "fair"},
        {"trade": None},
        {"trade": ["T-1"]},
        {"amount": "250.00"},
        {"amount": {"amount": "250.001", "currency": "USD"}},
        {"amount": {"amount": "NaN", "currency": "USD"}},
        {"amount": {"amount": "250.00", "currency": "XXX9"}},
        {"trade": "T\u0000"},
        {"trade": "\ud800"},
        {"reason": "not an input"},
        {"key": "not an input"},
    ],
)
def test_input_that_does_not_fit_the_workflow_is_refused(env, written, changed):
    before = written()

    refused(start(json.dumps(INPUT | changed)), "invalid_input")

    assert written() == before


def test_input_that_is_missing_is_named(env):
    assert "trade: is required" in refused(call("start", "desk.Settlement"), "invalid_input")


def test_an_unknown_workflow_is_told_apart(env, written):
    before = written()

    refused(call("start", "desk.Unheard"), "unknown_workflow", exit_code=3)

    assert written() == before


@pytest.mark.parametrize("version", ["0", "3", "-1"])
def test_an_unknown_version_is_told_apart(env, version):
    refused(call("start", "desk.Report", f"--version={version}"), "unknown_workflow", exit_code=3)


@pytest.mark.parametrize("text", ["a\x00b", "a\udcffb"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["start", "desk.Report", "--key"],
        ["start", "desk.Report", "--reason"],
        ["start", "desk.Report", "--user"],
        ["list", "--key"],
        ["list", "--workflow"],
    ],
)
def test_text_that_no_database_stores_is_refused(env, written, arguments, text):
    before = written()

    refused(call(*arguments, text), "invalid_input")

    assert written() == before


def test_an_unstorable_reason_of_an_act_is_refused(make, written):
    run = make.pending()
    before = written()

    refused(call("pause", str(run.id), "--reason", "a\x00b"), "invalid_input")

    assert written() == before


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_1_to_255_characters(env, key):
    refused(call("start", "desk.Report", "--key", key), "invalid_input")


def test_characters_that_steer_a_terminal_are_spelled_out_in_a_refusal(env):
    message = refused(start(json.dumps({"numbers": {"\x1b[31mred\nerror: x": "many"}}), "desk.Count"), "invalid_input")

    assert "\\x1b[31mred\\nerror: x" in message


@pytest.mark.parametrize("verb", ["list", "show", "watch"])
def test_characters_that_steer_a_terminal_are_spelled_out_in_an_answer(env, verb):
    run = call("start", "desk.Count", "--input", '{"numbers": {"\\u009b31m": 1}}', "--key", "\x1b[31m", "--json").json

    out = call(verb, *([] if verb == "list" else [run["id"]])).out

    assert not {char for char in out if not char.isprintable() and char != "\n"}


def test_a_run_id_that_fits_several_runs_is_refused(make):
    for number in range(2):
        run = make.pending()
        Run.objects.filter(pk=run.id).update(id=f"12345678-0000-4000-8000-00000000000{number}")

    refused(call("show", "12345678"), "ambiguous_run")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explode"],
        ["start"],
        ["show"],
        ["start", "desk.Report", "--wait", "soon"],
        ["start", "desk.Report", "--wait", "nan"],
        ["start", "desk.Report", "--delay", "-1"],
        ["start", "desk.Report", "--version", "two"],
        ["list", "--status", "asleep"],
        ["list", "--limit", "0"],
        ["list", "--limit", "99999"],
        ["watch", "12345678", "--timeout", "inf"],
    ],
)
def test_wrong_usage_says_how_it_is_used(env, written, arguments):
    before = written()

    answer = call(*arguments)

    assert (answer.code, answer.out) == (2, "")
    assert "usage: manage.py workflow" in answer.err
    assert written() == before


def test_a_delay_of_a_century_is_refused(env):
    refused(call("start", "desk.Report", "--delay", "999999999"), "invalid_input")


def test_a_database_that_is_away_is_told_apart():
    env = os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing"}

    done = subprocess.run([sys.executable, "manage.py", "workflow", "list"], cwd=ROOT, env=env, capture_output=True)

    assert (done.returncode, done.stdout) == (7, b"")
    assert done.stderr.startswith(b"error: database_unavailable: ")
    assert b"Traceback" not in done.stderr
