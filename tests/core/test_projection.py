"""SEMANTICS E24: status, result, error and steps of a run, derived from its history alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.memory import history
from workflows.core.events import CLOSING
from workflows.core.events import EventKind as K
from workflows.core.projection import project

ERROR = {"type": "Refusal", "code": "refused", "message": "no", "cause": None}
STARTED = (K.RUN_STARTED, {"input": {}})
HELD = (K.RUN_HELD, {"reason": "failure", "error": ERROR})

Entry = tuple[K, dict[str, Any]]


def status(*entries: Entry) -> str:
    return str(project(history(STARTED, *entries)).status)


@pytest.mark.parametrize(("kind", "closed"), sorted(CLOSING.items()))
def test_a_closing_event_closes_the_run(kind: K, closed: str) -> None:
    assert status((kind, {})) == closed


def test_a_run_without_an_end_is_open() -> None:
    assert status() == "open"


def test_a_completed_run_has_its_result_and_no_error() -> None:
    state = project(history(STARTED, HELD, (K.RUN_RELEASED, {}), (K.RUN_COMPLETED, {"result": [1]})))

    assert (state.result, state.error) == ([1], None)


def test_a_hold_keeps_its_reason_until_it_is_released() -> None:
    held = project(history(STARTED, HELD))
    released = project(history(STARTED, HELD, (K.RUN_RELEASED, {})))

    assert (held.status, held.hold_reason, held.error) == ("held", "failure", ERROR)
    assert (released.status, released.hold_reason) == ("open", "")


def test_a_release_within_a_plan_goes_back_to_compensating() -> None:
    assert status(HELD, (K.RUN_RELEASED, {"compensating": True})) == "compensating"


def test_a_plan_makes_the_run_compensating_and_keeps_the_error() -> None:
    state = project(history(STARTED, (K.PLAN_STARTED, {"end": "compensated", "error": ERROR})))

    assert (state.status, state.plan_end, state.error) == ("compensating", "compensated", ERROR)


def test_a_plan_that_code_asked_for_ends_with_its_step() -> None:
    plan = (K.PLAN_STARTED, {"end": "resume", "seq": 2})
    other = (K.STEP_COMPLETED, {"seq": 1, "result": None})
    done = (K.STEP_COMPLETED, {"seq": 2, "result": None})

    assert status(plan, other) == "compensating"
    assert status(plan, other, done) == "open"


def test_a_compensated_run_keeps_the_result_it_had() -> None:
    state = project(
        history(
            STARTED,
            (K.RUN_COMPLETED, {"result": [1]}),
            (K.PLAN_STARTED, {"end": "compensated"}),
            (K.RUN_COMPENSATED, {}),
        )
    )

    assert (state.status, state.result, state.error) == ("compensated", [1], None)


def test_a_retry_opens_the_run_again_without_its_error_and_its_step_anew() -> None:
    failed = (K.STEP_FAILED, {"seq": 1, "error": ERROR, "attempts": 1})
    closed = (K.RUN_FAILED, {"error": ERROR})

    state = project(history(STARTED, failed, closed, (K.RETRY_REQUESTED, {"failure": 2, "seq": 1})))

    assert (state.status, state.error, state.steps) == ("open", None, {1: "scheduled"})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (K.STEP_SCHEDULED, "scheduled"),
        (K.STEP_STARTED, "running"),
        (K.ATTEMPT_FAILED, "scheduled"),
        (K.STEP_COMPLETED, "completed"),
        (K.STEP_FAILED, "failed"),
        (K.STEP_TIMED_OUT, "timed_out"),
        (K.STEP_CANCELLED, "cancelled"),
        (K.SIDE_EFFECT_RECORDED, "completed"),
        (K.COMPENSATION_STARTED, "running"),
        (K.COMPENSATION_COMPLETED, "completed"),
        (K.COMPENSATION_FAILED, "failed"),
    ],
)
def test_each_event_of_a_step_says_where_it_stands(kind: K, expected: str) -> None:
    assert project(history(STARTED, (kind, {"seq": 4}))).steps == {4: expected}
