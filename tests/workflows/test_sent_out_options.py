"""What makes a step go out to workers, and what its row keeps of the options the code asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import write as write_here
from tests.workflows.sent_out_acts import ask, codes, drive, row, state, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    START_WITHIN,
    TIMEOUT,
    TWICE,
    Blocked,
    Disturbed,
    Rails,
    SentOutWorkflow,
    inside,
    make,
    raising,
    write,
)
from tests.workflows.views import sound
from workflows import Retry, Workflow, activity, conf
from workflows.core.definitions import Activity, registry
from workflows.core.errors import DefinitionError
from workflows.runtime import policies
from workflows.testing import WorkflowEnvironment

VARIANTS: dict[str, Activity[..., str]] = {
    "queue": write_here.options(queue="reports"),
    "timeout": write_here.options(timeout=timedelta(minutes=1)),
    "heartbeat": write_here.options(heartbeat=timedelta(minutes=1)),
    "schedule_to_start": write_here.options(schedule_to_start=timedelta(minutes=1)),
    "retry": write_here.options(retry=Retry(max_attempts=9)),
    "blocked": write.options(retry=Retry(max_attempts=5, initial=1.0, jitter=0.0, non_retryable=(Blocked,))),
    "closed": write.options(retry=Retry(max_attempts=5, initial=1.0, jitter=0.0, non_retryable=(Rails.Closed,))),
    "patient": write.options(retry=Retry(max_attempts=2, initial=60.0, jitter=0.0)),
    "quick": write.options(timeout=timedelta(seconds=3), queue="others"),
}


class SentOutVariantWorkflow(Workflow[str]):
    """One step, as its variant asks."""

    async def execute(self, variant: str) -> str:
        return await self.activity(VARIANTS[variant], label=variant)


@pytest.mark.parametrize("option", ["queue", "timeout", "heartbeat", "schedule_to_start"])
def test_an_activity_with_any_of_four_options_is_sent_out(workflow_env: WorkflowEnvironment, option: str) -> None:
    run_id = ask(workflow_env, SentOutVariantWorkflow, option)

    assert row(run_id).status == "scheduled"
    assert effects.labels() == []
    work(run_id)
    assert effects.labels() == [option]


def test_any_other_activity_of_a_lone_branch_runs_with_its_workflows_code(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutVariantWorkflow, "retry")

    assert row(run_id).queue is None
    assert state(run_id) == ("completed", None)


@pytest.mark.parametrize(("variant", "queue"), [("queue", "reports"), ("timeout", ""), ("quick", "others")])
def test_the_row_says_whose_workers_run_it(workflow_env: WorkflowEnvironment, variant: str, queue: str) -> None:
    run_id = ask(workflow_env, SentOutVariantWorkflow, variant)

    assert row(run_id).queue == queue


def test_an_attempt_without_a_time_out_is_overdue_after_that_of_the_settings(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    seen: list[object] = []

    with inside(lambda: seen.append(row(run_id).deadline_at)):
        work(run_id)

    assert seen == [workflow_env.now + conf.engine().activity_timeout]


def test_a_variants_time_out_counts_not_that_of_the_activity_it_was_made_from(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutVariantWorkflow, "quick")
    seen: list[object] = []

    with inside(lambda: seen.append(row(run_id).deadline_at)):
        work(run_id)

    assert seen == [workflow_env.now + timedelta(seconds=3)]


def test_a_variants_retry_counts_not_that_of_the_activity_it_was_made_from(workflow_env: WorkflowEnvironment) -> None:
    """A worker gets one attempt and knows no workflow code: the row tells the policy."""
    run_id = ask(workflow_env, SentOutVariantWorkflow, "patient")

    with inside(raising(Disturbed())):
        work(run_id)

    assert row(run_id).due_at == workflow_env.now + timedelta(seconds=60)


@pytest.mark.parametrize(("variant", "error"), [("blocked", Blocked()), ("closed", Rails.Closed())])
def test_what_a_variant_declares_final_is_not_tried_again(
    workflow_env: WorkflowEnvironment, variant: str, error: Exception
) -> None:
    """`Rails.Closed` is an error class inside another class: its name has one more part than its module."""
    run_id = ask(workflow_env, SentOutVariantWorkflow, variant)

    with inside(raising(error)):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("failed", None)
    assert codes(run_id) == [error.code]  # type: ignore[attr-defined]
    sound(run_id)


def test_what_no_variant_declares_final_is_tried_again(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutVariantWorkflow, "patient")

    with inside(raising(Blocked())):
        work(run_id)

    assert row(run_id).status == "scheduled"


def test_a_final_error_declared_within_a_function_is_known_by_the_activitys_own_policy() -> None:
    class Local(Exception):
        pass

    @activity(name="options.local", queue="writers", retry=Retry(max_attempts=7, non_retryable=(Local,)))
    def local() -> None: ...

    try:
        restored = policies.restored(local, policies.stored(local))
    finally:
        del registry.activities["options.local"]

    assert restored.options_.retry == local.options_.retry


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": TIMEOUT, "queue": "a"},
        {"heartbeat": timedelta(seconds=0.5)},
        {"schedule_to_start": START_WITHIN, "retry": Retry(max_attempts=4, initial=0.25, backoff=3.0, jitter=0.1)},
        {"retry": Retry(non_retryable=(Blocked, Rails.Closed, ValueError))},
    ],
)
def test_every_option_comes_back_from_the_row_as_it_was_stored(options: dict[str, object]) -> None:
    variant = make.options(**options)  # type: ignore[arg-type]

    restored = policies.restored(make, policies.stored(variant))

    for name in ("timeout", "heartbeat", "schedule_to_start", "retry"):
        assert getattr(restored.options_, name) == getattr(variant.options_, name)


def test_a_final_error_whose_class_is_gone_is_left_out_of_the_policy() -> None:
    gone = type("Gone", (Exception,), {"__module__": "tests.workflows.no_such_module"})

    restored = policies.restored(write, policies.stored(write.options(retry=Retry(non_retryable=(gone, Blocked)))))

    assert restored.options_.retry.non_retryable == (Blocked,)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": timedelta(0)},
        {"timeout": 5},
        {"heartbeat": timedelta(seconds=-1)},
        {"schedule_to_start": "soon"},
        {"queue": ""},
    ],
)
def test_options_that_make_no_sense_are_refused_where_they_are_written(options: dict[str, object]) -> None:
    with pytest.raises(DefinitionError):
        write.options(**options)  # type: ignore[arg-type]


def test_a_transactional_activity_has_no_heartbeat() -> None:
    with pytest.raises(DefinitionError, match="heartbeat"):

        @activity(name="options.silent", transactional=True, heartbeat=timedelta(seconds=1))
        def silent() -> None: ...


def test_two_tries_ten_seconds_apart(workflow_env: WorkflowEnvironment) -> None:
    """The cast's own policy, as the other tests count on it."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    with inside(raising(Disturbed())):
        work(run_id)

    assert row(run_id).due_at == workflow_env.now + BACK_OFF
    assert TWICE.max_attempts == 2
