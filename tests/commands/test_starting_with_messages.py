"""`manage.py workflow start --signal|--update`: run and message, both or neither."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.commands.conftest import call
from workflows import operations, queries
from workflows.models import InboxItem

NAME = "talk.Haggle"
NOW = timedelta(0)


def runs():
    return queries.list_runs(workflow=NAME)


def test_a_signal_is_left_with_the_start_and_once_with_its_key(env):
    asked = ["start", NAME, "--key", "k", "--signal", "say", "--message-input", '["good day"]', "--message-key", "m"]

    first, second = call(*asked), call(*asked)
    env.skip(NOW)

    (run,) = runs()
    assert (first.code, second.code) == (0, 0)
    assert operations.query_run(run.id, "said") == ["good day (none, 0)"]
    assert "exists already" in second.out


def test_an_update_is_answered_and_a_known_id_gives_its_stored_answer(env):
    asked = ["start", NAME, "--key", "k", "--update", "offer", "--message-input", '{"amount": 5}', "--message-key", "m"]

    answers = [json.loads(call(*asked, "--json").out)["result"] for _ in range(2)]

    assert answers == ["5 is thought about"] * 2
    assert len(runs()) == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--signal", "say"], 2),
        (["--key", "k", "--signal", "nosuch"], 3),
        (["--key", "k", "--signal", "say", "--message-input", "{}"], 2),
        (["--key", "k", "--signal", "say", "--message-input", "7"], 2),
        (["--key", "k", "--update", "nosuch"], 3),
        (["--key", "k", "--update", "offer", "--message-input", '["much"]'], 2),
        (["--key", "k", "--update", "offer", "--message-input", '["5"]', "--wait"], 2),
        (["--key", "k", "--signal", "say", "--update", "offer"], 2),
    ],
)
def test_what_does_not_fit_starts_nothing(env, written, options, code):
    before = written(), InboxItem.objects.count()

    answer = call("start", NAME, *options)

    assert answer.code == code, answer.err
    assert (written(), InboxItem.objects.count()) == before
