"""DESIGN promise 10: a sensitive value is encrypted in every row, masked in every view, and in no log or error."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.views import sound
from workflows import NonRetryable, Retry, Sensitive, Workflow, WorkflowFailed, activity, operations, queries
from workflows.core.errors import InvalidInput
from workflows.models import Run
from workflows.testing import WorkflowEnvironment

SSN = "078-05-1120"
SCORE = "score-of-078"
MASK = "•••"


@dataclass(frozen=True)
class Report:
    """A result with a secret in it."""

    name: str
    score: Sensitive[str]


@activity(name="secrets.forget")
def forget(*, ssn: Sensitive[str], score: Sensitive[str] | None = None) -> None:
    effects.write(f"forgot {len(ssn.reveal())} {len(score.reveal()) if score else 0}")


@activity(name="secrets.look_up", undo=forget)
def look_up(*, ssn: Sensitive[str], name: str) -> Report:
    assert ssn.reveal() == SSN
    return Report(name, Sensitive(SCORE))


@activity(name="secrets.complain", retry=Retry(max_attempts=2, initial=1.0))
def complain(*, ssn: Sensitive[str], refuse: bool) -> None:
    if refuse:
        raise NonRetryable(f"refused for {ssn.reveal()}")
    raise ValueError(f"bad ssn {ssn.reveal()}") from KeyError(ssn.reveal())


class SecretWorkflow(Workflow[Report]):
    """Looks somebody up, and fails if asked."""

    async def execute(self, ssn: Sensitive[str], end: str = "complete") -> Report:
        report = await self.activity(look_up, ssn=ssn, name="Ada")
        self.track("looked up", {"by": "name"})
        if end == "code":
            raise ValueError(f"the code fails for {ssn.reveal()}")
        if end != "complete":
            await self.activity(complain, ssn=ssn, refuse=end == "refuse")
        return report


def everything_stored() -> str:
    """Every column of every row of the engine, as text."""
    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("workflows").get_models():
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            texts += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(texts)


def everything_shown(run_id: Any) -> str:
    """All that the queries give to doors."""
    shown = [
        queries.get_run(run_id),
        queries.list_runs(),
        queries.list_steps(run_id),
        queries.get_history(run_id),
        queries.get_compensation_plan(run_id),
        queries.list_audit(),
    ]
    return repr(shown)


@pytest.fixture
def _everything_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # What the database layer logs of statements is the deployment's choice, and off outside DEBUG.
    logging.getLogger("django.db.backends").setLevel(logging.INFO)


@pytest.mark.parametrize("end", ["complete", "refuse", "raise", "code"])
@pytest.mark.usefixtures("_everything_logged")
def test_a_secret_is_in_no_row_no_view_no_log_and_no_error(
    workflow_env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    run = operations.start_run(SecretWorkflow, SSN, end, key="k")
    workflow_env.skip(NOW)
    shown_meanwhile = everything_shown(run.id)
    workflow_env.skip(timedelta(minutes=5))

    assert queries.get_run(run.id).status == ("completed" if end == "complete" else "compensated")
    for where in (everything_stored(), shown_meanwhile, everything_shown(run.id), caplog.text):
        assert SSN not in where
        assert SCORE not in where
    sound(run.id)


@pytest.mark.parametrize("end", ["refuse", "raise", "code"])
def test_a_failure_is_raised_without_the_secret(workflow_env: WorkflowEnvironment, end: str) -> None:
    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.run(SecretWorkflow, SSN, end)

    error: BaseException | None = failed.value
    while error is not None:
        assert SSN not in f"{error!r} {error}"
        error = error.__cause__


def test_views_show_a_mask_and_the_code_gets_the_value(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(SecretWorkflow, SSN)

    report = workflow_env.finish(run.id)

    shown = queries.get_run(run.id)
    assert shown.input["ssn"] == MASK
    assert shown.result_json == {"name": "Ada", "score": MASK}
    assert report.score.reveal() == SCORE
    (step,) = queries.list_steps(run.id)
    assert (step.arguments, step.result) == ({"ssn": MASK, "name": "Ada"}, {"name": "Ada", "score": MASK})


def test_an_undo_gets_the_secrets_of_its_step_in_clear_and_its_plan_shows_a_mask(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(SecretWorkflow, SSN)
    workflow_env.finish(run.id)
    (item,) = queries.get_compensation_plan(run.id)
    assert item.arguments == {"ssn": MASK, "score": MASK}

    operations.compensate_run(run.id, reason="forget it")
    workflow_env.skip(NOW)

    assert effects.labels() == [f"forgot {len(SSN)} {len(SCORE)}"]


def test_an_input_that_does_not_fit_is_refused_without_repeating_it(db: None) -> None:
    with pytest.raises(InvalidInput) as refusal:
        operations.start_run(SecretWorkflow, {"not a text": SSN})

    assert SSN not in str(refusal.value)


def test_the_same_secret_is_stored_differently_each_time(workflow_env: WorkflowEnvironment) -> None:
    """Equal ciphertexts would tell who shares a secret."""
    runs = [operations.start_run(SecretWorkflow, SSN) for _ in range(2)]

    first, second = (_stored_input(run.id) for run in runs)
    assert first["ssn"] != second["ssn"]


def _stored_input(run_id: Any) -> Any:
    return json.loads(Run.objects.values_list("input", flat=True).get(pk=run_id))


def test_a_new_key_encrypts_and_the_old_one_still_decrypts(
    workflow_env: WorkflowEnvironment, settings: Settings
) -> None:
    run = workflow_env.start(SecretWorkflow, SSN)
    old = settings.WORKFLOWS["ENCRYPTION_KEYS"]

    settings.WORKFLOWS = {**settings.WORKFLOWS, "ENCRYPTION_KEYS": ["new", *old]}

    assert workflow_env.finish(run.id).score.reveal() == SCORE


def test_replay_of_a_run_with_secrets_warns_of_nothing(
    workflow_env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    """Encrypted anew, equal arguments have other bytes."""
    run = workflow_env.start(SecretWorkflow, SSN, "raise")
    workflow_env.skip(NOW)
    workflow_env.restart()

    with caplog.at_level(logging.WARNING, logger="workflows.replay"):
        workflow_env.skip(timedelta(minutes=5))

    assert queries.get_run(run.id).status == "compensated"
    assert caplog.records == []
