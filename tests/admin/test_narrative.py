"""Histories in sentences: every kind of event has one, and says who, what and why."""

import pytest

from workflows.admin.narrative import sentence
from workflows.core.events import EventKind

DOWN = {"type": "Down", "code": "down", "message": "the gateway answered 503", "cause": None}


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_has_a_sentence(kind):
    data = {"seq": 3, "name": "console.settle", "actor": "ada", "reason": "r", "of": 1, "step": "note", "data": "said",
            "attempt": 1, "end": "compensated", "change": "fees", "outcome": "happened",
            "due_at": "2026-01-05T13:00:00+00:00"}  # fmt: skip

    said = sentence(kind, data)

    assert len(said.split()) >= 2
    assert "None" not in said


@pytest.mark.parametrize(
    "kind,data,said",
    [
        ("RunStarted", {"actor": "ada", "key": "K-1", "reason": "month end"},
         "Started by ada with the key K-1: “month end”"),
        ("RunStarted", {"actor": "system", "key": None, "reason": ""}, "Started by system"),
        ("StepScheduled", {"seq": 2, "name": "a.reserve", "undo": "a.release"},
         "The workflow asks for step 2, a.reserve; a.release would undo it"),
        ("StepStarted", {"seq": 2, "name": "a.Reserve", "attempt": 2}, "Step 2, a.Reserve, begins attempt 2"),
        ("AttemptFailed", {"seq": 2, "name": "a.reserve", "attempt": 1, "error": DOWN},
         "Step 2, a.reserve, fails attempt 1: the gateway answered 503 (down)"),
        ("StepFailed", {"seq": 2, "name": "a.reserve", "error": DOWN, "attempts": 3},
         "Step 2, a.reserve, failed for good after 3 attempts: the gateway answered 503 (down)"),
        ("RunHeld", {"reason": "failure", "error": DOWN}, "Held, failure: the gateway answered 503 (down)"),
        ("RunHeld", {"reason": "worker_lost"}, "Held, worker lost"),
        ("RunHeld", {"reason": "paused", "actor": "ada", "note": "lunch"}, "Paused by ada: “lunch”"),
        ("RetryRequested", {"actor": "ada", "reason": "rail is up", "seq": 4, "name": "a.pay", "generation": 2},
         "ada asks for a retry of step 4, a.pay, with changed input: “rail is up”"),
        ("RetryRequested", {"actor": "ada", "reason": "again", "failure": 7},
         "ada asks for a retry, with the same input: “again”"),
        ("CancelRequested", {"actor": "ada", "reason": "twice", "too_late": True},
         "ada asks to cancel: “twice”; it came too late"),
        ("RunReleased", {"actor": "ada", "reason": "go", "compensating": True},
         "Released by ada, the compensation goes on: “go”"),
        ("PlanStarted", {"end": "timed_out"}, "What was done is undone now, last first; then the run is timed out"),
        ("CompensationStarted", {"seq": 9, "name": "a.release", "attempt": 1, "undoes": 2},
         "The undo of step 2, a.release, begins attempt 1"),
        ("Tracked", {"step": "warning", "data": "stale figures"}, "warning: stale figures"),
        ("SignalReceived", {"name": "confirm", "actor": "ada", "reason": "called in"},
         "The signal confirm arrives from ada: “called in”"),
        ("UpdateCompleted", {"name": "decide", "error": DOWN},
         "The update decide fails: the gateway answered 503 (down)"),
        ("TimerMoved", {"seq": 2, "name": "sleep", "actor": "ada", "reason": "rail is late",
                        "due_at": "2026-01-05T13:00:00+00:00"},
         "ada moves the timer of step 2, sleep, to 2026-01-05 13:00:00 UTC: “rail is late”"),
        ("TimerFired", {"seq": 2, "name": "sleep", "result": None}, "The timer of step 2, sleep, fires"),
        ("TimerFired", {"seq": 2, "name": "wait_for", "result": False},
         "The time of step 2, wait_for, is over; what it waited for has not come"),
        ("StepResolved", {"seq": 3, "name": "a.pay", "outcome": "not_done", "actor": "ada", "reason": "bank says no"},
         "ada states that step 3, a.pay, was not done: “bank says no”"),
        ("RunStarted", {"actor": "system", "key": None, "parent": {"run_id": "4f2a1c3e-1111", "seq": 2}},
         "Started as the child of step 2 of 4f2a1c3e"),
        ("RunStarted", {"actor": "system", "key": "K", "continues": "4f2a1c3e-1111"},
         "Goes on where 4f2a1c3e continued as new"),
        ("StepStarted", {"seq": 3, "name": "a.Carry", "attempt": 1, "child": "4f2a1c3e-1111"},
         "Step 3, a.Carry, starts its child 4f2a1c3e"),
        ("StepStarted", {"seq": 3, "name": "a.Carry", "attempt": 2, "child": "4f2a1c3e-1111"},
         "Step 3, a.Carry, starts its child 4f2a1c3e in attempt 2"),
        ("ChildCloseRequested", {"seq": 3, "name": "a.Carry", "how": "cancel"},
         "The child of step 3, a.Carry, is asked to cancel"),
        ("ChildCloseRequested", {"seq": 3, "name": "a.Carry", "how": "terminate"},
         "The child of step 3, a.Carry, is terminated"),
        ("CompensationStarted", {"seq": 9, "name": "a.Carry", "attempt": 1, "undoes": 3, "child": "4f2a1c3e-1111"},
         "The undo of step 3 lets its child a.Carry 4f2a1c3e run its plan, attempt 1"),
        ("AttributesSet", {"attributes": {"customer": {"type": "text", "value": "Ada"}, "amount": None}},
         "The run can be found by what it is about: customer is Ada, amount is taken away"),
        ("RunContinued", {"next": "4f2a1c3e-1111", "input": {}},
         "The run goes on as a new link of its chain, 4f2a1c3e"),
        ("StepCancelled", {"seq": 3, "name": "a.Carry", "terminated": True},
         "Step 3, a.Carry, ends with the run as it stands"),
        ("StepResolved", {"seq": 3, "name": "a.pay", "outcome": "happened", "actor": "reconcile"},
         "The counterparty knows that step 3, a.pay, happened"),
    ],
)  # fmt: skip
def test_a_sentence_says_who_what_and_why(kind, data, said):
    assert sentence(kind, data) == said


def test_what_has_no_sentence_is_left_to_its_data():
    assert sentence("SomethingNew", {"seq": 1}) == ""
    assert sentence("Tracked", {"step": "note", "data": {"a": 1}}) == ""
