"""The compensation plan as history alone tells it (SEMANTICS A2, A4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.memory import history
from workflows.core.compensation import plan_of
from workflows.core.events import EventKind as K

Entry = tuple[K, dict[str, Any]]
ERROR = {"type": "Refusal", "code": "refused", "message": "no", "cause": None}


def asked(seq: int, label: str, *, undo: str | None = "undo", when: str = "completed") -> Entry:
    data: dict[str, Any] = {"seq": seq, "kind": "activity", "name": f"do_{label}", "args": {"label": label}}
    if undo is not None:
        data |= {"undo": undo, "undo_map": {"label": ["argument", "label"]}, "undo_when": when}
    return K.STEP_SCHEDULED, data


def begun(seq: int) -> Entry:
    return K.STEP_STARTED, {"seq": seq, "attempt": 1}


def done(seq: int, result: Any = None) -> Entry:
    return K.STEP_COMPLETED, {"seq": seq, "result": result}


def failed(seq: int, **more: Any) -> Entry:
    return K.STEP_FAILED, {"seq": seq, "error": ERROR, "attempts": 1, **more}


def labels(*entries: Entry) -> list[tuple[str, str]]:
    """(label, status) of each item in the order it runs."""
    return [(item.arguments["label"], item.status) for item in plan_of(history(*entries)).in_running_order]


def test_it_runs_in_reverse_order_of_delivery_not_of_scheduling() -> None:
    plan = labels(asked(1, "a"), asked(2, "b"), begun(1), begun(2), done(2), done(1))

    assert plan == [("a", "planned"), ("b", "planned")]


def test_a_step_without_an_undo_is_not_in_it() -> None:
    assert labels(asked(1, "a", undo=None), begun(1), done(1)) == []


def test_a_step_that_did_not_settle_is_not_in_it() -> None:
    assert labels(asked(1, "a"), begun(1)) == []


def test_a_timed_out_step_is_in_it() -> None:
    overdue = (K.ATTEMPT_FAILED, {"seq": 1, "name": "do_a", "attempt": 1, "error": ERROR, "unknown": True})
    timed_out = (K.STEP_TIMED_OUT, {"seq": 1, "error": ERROR, "attempts": 1})

    assert labels(asked(1, "a"), begun(1), overdue, timed_out) == [("a", "planned")]


def test_a_timed_out_step_that_certainly_did_nothing_is_not_in_it() -> None:
    timed_out = (K.STEP_TIMED_OUT, {"seq": 1, "error": ERROR, "attempts": 1})

    assert labels(asked(1, "a"), begun(1), timed_out) == []


def test_a_failed_step_is_in_it_when_its_outcome_is_unknown() -> None:
    assert labels(asked(1, "a"), begun(1), failed(1, unknown=True)) == [("a", "planned")]


@pytest.mark.parametrize("end", [failed(1), (K.STEP_CANCELLED, {"seq": 1, "name": "do_a"})])
def test_a_failed_or_cancelled_step_is_in_it_only_when_attempted_says_so_and_an_attempt_began(end: Entry) -> None:
    assert labels(asked(1, "a"), begun(1), end) == []
    assert labels(asked(1, "a", when="attempted"), begun(1), end) == [("a", "planned")]
    assert labels(asked(1, "a", when="attempted"), end) == []


def test_an_undo_by_hand_is_in_it_from_its_record_on() -> None:
    by_hand = (K.COMPENSATION_ADDED, {"seq": 2, "name": "undo", "args": {"label": "by hand"}})

    (item,) = plan_of(history(asked(1, "a", undo=None), begun(1), by_hand)).items

    assert (item.activity, item.arguments, item.undoes) == ("undo", {"label": "by hand"}, None)


def test_an_item_that_ran_stays_with_its_status() -> None:
    steps = [asked(1, "a"), begun(1), done(1), asked(2, "b"), begun(2), done(2)]
    run_b = [
        (K.COMPENSATION_STARTED, {"seq": 3, "origin": 2, "undoes": 2}),
        (K.COMPENSATION_COMPLETED, {"seq": 3, "result": None}),
    ]
    fail_a = [
        (K.COMPENSATION_STARTED, {"seq": 4, "origin": 1, "undoes": 1}),
        (K.COMPENSATION_FAILED, {"seq": 4, "error": ERROR}),
    ]

    assert labels(*steps, *run_b[:1]) == [("b", "running"), ("a", "planned")]
    assert labels(*steps, *run_b, *fail_a) == [("b", "completed"), ("a", "failed")]


def test_an_operators_request_gives_a_failed_undo_a_fresh_start() -> None:
    entries = [
        asked(1, "a"),
        begun(1),
        done(1),
        (K.COMPENSATION_STARTED, {"seq": 2, "origin": 1, "undoes": 1}),
        (K.COMPENSATION_FAILED, {"seq": 2, "error": ERROR}),
        (K.COMPENSATION_REQUESTED, {"actor": "ada", "reason": "repaired"}),
    ]

    assert labels(*entries) == [("a", "planned")]
    assert plan_of(history(*entries)).remaining[0].seq == 2


def test_a_retry_takes_out_the_undo_of_the_failed_attempt_and_what_the_reaction_registered() -> None:
    entries = [
        asked(1, "a"),
        begun(1),
        done(1),
        asked(2, "b", when="attempted"),
        begun(2),
        failed(2),
        (K.COMPENSATION_ADDED, {"seq": 3, "name": "undo", "args": {"label": "reaction"}}),
    ]
    assert labels(*entries) == [("reaction", "planned"), ("b", "planned"), ("a", "planned")]

    retry = (K.RETRY_REQUESTED, {"failure": 6, "seq": 2})

    assert labels(*entries, retry) == [("a", "planned")]
    assert labels(*entries, retry, begun(2), done(2)) == [("b", "planned"), ("a", "planned")]


def test_a_retry_with_edited_input_is_undone_by_the_edited_arguments() -> None:
    entries = [asked(1, "a"), begun(1), failed(1)]
    retry = (K.RETRY_REQUESTED, {"failure": 3, "seq": 1, "args": {"label": "edited"}})

    assert labels(*entries, retry, begun(1), done(1)) == [("edited", "planned")]


def test_only_what_is_left_is_remaining_newest_first() -> None:
    plan = plan_of(
        history(
            asked(1, "a"),
            begun(1),
            done(1),
            asked(2, "b"),
            begun(2),
            done(2),
            (K.COMPENSATION_STARTED, {"seq": 3, "origin": 2, "undoes": 2}),
            (K.COMPENSATION_COMPLETED, {"seq": 3, "result": None}),
        )
    )

    assert [item.arguments["label"] for item in plan.remaining] == ["a"]
