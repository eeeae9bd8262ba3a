"""A token is the authority to end a step: it stands hashed in the database and nowhere else."""

from __future__ import annotations

import logging
import re
import uuid

import pytest
from django.apps import apps
from django.db import connection

from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, drive, state, work
from tests.workflows.sent_out_cast import BACK_OFF, TOKENS, SentOutWorkflow
from tests.workflows.views import entries, sound
from workflows import Sensitive, Workflow, activity, activity_info, operations, queries
from workflows.core.errors import TokenUnknown
from workflows.models import AuditEntry, CompletionToken
from workflows.testing import WorkflowEnvironment

SECRET = "078-05-1120"


@activity(name="later.verify", queue="verifiers")
def verify(*, number: Sensitive[str]) -> str:
    TOKENS.append(activity_info().complete_later())
    return "asked"


class LaterVerifyWorkflow(Workflow[str]):
    """Somebody outside verifies a number that nobody else may see."""

    async def execute(self, number: Sensitive[str]) -> str:
        return await self.activity(verify, number=number)


@pytest.fixture(autouse=True)
def _no_tokens_yet() -> None:
    TOKENS.clear()


def rows_with(text: str) -> list[str]:
    """Tables of the engine in which a text stands, in any column."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("workflows").get_models():
            table = model._meta.db_table
            cursor.execute(f"SELECT * FROM {table}")
            if any(text in str(value) for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


@pytest.mark.parametrize("line", ["sign:a", "sign_here:a"])
def test_a_token_stands_nowhere_in_the_database(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line])
    work(run_id)
    (token,) = TOKENS
    assert CompletionToken.objects.count() == 1
    assert rows_with(token) == []

    operations.fail_step(token, error=f"the holder of {line} went away")
    workflow_env.skip(BACK_OFF)
    operations.complete_step(TOKENS[1], result="signed")
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert [rows_with(each) for each in TOKENS] == [[], []]


@pytest.mark.parametrize("line", ["sign:a", "sign_here:a"])
def test_a_token_stands_in_no_log_and_in_no_error(
    workflow_env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        run_id = ask(workflow_env, SentOutWorkflow, [line])
        work(run_id)
        operations.heartbeat_step(TOKENS[0])
        operations.complete_step(TOKENS[0], result="signed")
        with pytest.raises(TokenUnknown) as refused:
            operations.complete_step(TOKENS[0], result="again")
        workflow_env.skip(NOW)

    assert TOKENS[0] not in caplog.text
    assert TOKENS[0] not in str(refused.value)
    assert TOKENS[0] not in repr(refused.value.args)


def test_no_two_tokens_are_equal_and_none_can_be_guessed(workflow_env: WorkflowEnvironment) -> None:
    for _ in range(20):
        work(ask(workflow_env, SentOutWorkflow, ["sign:a"]))

    assert len(set(TOKENS)) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in TOKENS)  # 32 random bytes


def test_the_hash_of_a_token_opens_nothing(workflow_env: WorkflowEnvironment) -> None:
    """Who reads the database cannot end a step."""
    work(ask(workflow_env, SentOutWorkflow, ["sign:a"]))
    (stored,) = CompletionToken.objects.values_list("hash", flat=True)

    with pytest.raises(TokenUnknown):
        operations.complete_step(stored, result="forged")


def test_a_used_token_leaves_no_hash_behind(workflow_env: WorkflowEnvironment) -> None:
    work(ask(workflow_env, SentOutWorkflow, ["sign:a"]))

    operations.complete_step(TOKENS[0], result="signed")

    assert not CompletionToken.objects.exists()


def test_who_ended_a_step_and_why_is_recorded(workflow_env: WorkflowEnvironment) -> None:
    """The token is the authority; who held it is told if he is known."""
    runs = [ask(workflow_env, SentOutWorkflow, ["sign:a"]) for _ in range(2)]
    for run_id in runs:
        work(run_id)

    operations.complete_step(TOKENS[0], result="signed", actor="os:ada", reason="seen in person")
    operations.fail_step(TOKENS[1], error="gone")

    told = AuditEntry.objects.order_by("id").values_list("act", "actor", "reason", "run_id")
    assert list(told)[-2:] == [
        ("complete_step", "os:ada", "seen in person", runs[0]),
        ("fail_step", "system", "", runs[1]),
    ]


def test_a_refused_completion_is_not_recorded(workflow_env: WorkflowEnvironment) -> None:
    work(ask(workflow_env, SentOutWorkflow, ["sign:a"]))
    operations.complete_step(TOKENS[0], result="signed")
    before = AuditEntry.objects.count()

    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="again")

    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("as_exception", [False, True])
def test_sensitive_values_of_the_call_are_scrubbed_from_what_somebody_fails_it_with(
    workflow_env: WorkflowEnvironment, as_exception: bool
) -> None:
    run_id = _verified(workflow_env)
    text = f"no person has the number {SECRET}"

    operations.fail_step(TOKENS[0], error=ValueError(text) if as_exception else text, retryable=False)
    drive(run_id)

    assert state(run_id) == ("failed", None)
    assert "no person has the number" in queries.get_run(run_id).error["message"]  # type: ignore[index]
    assert rows_with(SECRET) == []
    assert SECRET not in str(entries(run_id, "StepFailed"))
    sound(run_id)


def test_text_that_no_database_stores_is_replaced_in_what_somebody_fails_a_step_with(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = _verified(workflow_env)

    operations.fail_step(TOKENS[0], error="nul \x00 and half \ud800 a pair" + "x" * 10_000, retryable=False)
    drive(run_id)

    assert state(run_id) == ("failed", None)
    message = queries.list_steps(run_id)[0].error["message"]  # type: ignore[index]
    assert message.startswith("nul ")
    assert "\x00" not in message
    assert len(message) <= 4000


def _verified(env: WorkflowEnvironment) -> uuid.UUID:
    run_id = ask(env, LaterVerifyWorkflow, SECRET)
    work(run_id)
    return run_id
