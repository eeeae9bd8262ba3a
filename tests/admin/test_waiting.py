"""What a run waits for, in plain words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.talking import HaggleWorkflow
from workflows import queries
from workflows.admin.waiting import doubts, waits
from workflows.contracts import AttemptView, DoubtView, EvidenceView, StepView, WorkerView

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(minutes=30), NOW - timedelta(minutes=2)
DEAD = {"type": "ConnectionError", "code": "error", "message": "the line is dead", "cause": None}
WORKER = WorkerView(uuid.uuid4(), "vm-1", 42, True)


def step(seq=1, *, kind="activity", status="scheduled", attempts=0, due_at=None, error=None, **more):
    tries = tuple(AttemptView(n, EARLIER, None, None) for n in range(1, attempts + 1))
    return StepView(
        seq, kind, "desk.check", status, attempts, tries, "key", {}, None, error, None, EARLIER, EARLIER, None, due_at,
        **more,
    )  # fmt: skip


def said(*steps, takes=None):
    return list(waits(steps, takes, now=NOW))


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        (step(kind="timer", due_at=LATER), "Step 1 sleeps until 2026-01-05 12:30:00 UTC (30 min left)."),
        (step(kind="timer", due_at=EARLIER), "Step 1 sleeps until 2026-01-05 11:58:00 UTC, which is over."),
        (step(kind="wait", due_at=LATER),
         "Step 1 waits for its condition, at most until 2026-01-05 12:30:00 UTC (30 min left)."),
        (step(kind="wait"), "Step 1 waits for its condition, without a limit."),
        (step(), "Step 1, desk.check, is next."),
        (step(queue=""), "Step 1, desk.check, waits for a worker."),
        (step(queue="reports", start_by=LATER),
         "Step 1, desk.check, waits for a worker of the queue reports, at most until 2026-01-05 12:30:00 UTC "
         "(30 min left)."),
        (step(attempts=2, due_at=LATER),
         "Step 1, desk.check, failed its attempt 2; the next one is due at 2026-01-05 12:30:00 UTC (in 30 min)."),
        (step(status="running", attempts=1), "Step 1, desk.check, runs its attempt 1 since 2026-01-05 11:58:00 UTC."),
        (step(status="running", attempts=1, worker=WORKER, deadline_at=LATER, beat_by=LATER, heartbeat={"page": 7}),
         "Step 1, desk.check, runs its attempt 1 on vm-1, pid 42 since 2026-01-05 11:58:00 UTC, at most until "
         '2026-01-05 12:30:00 UTC (30 min left). Its last heartbeat told {"page": 7}. The next heartbeat is due '
         "at 2026-01-05 12:30:00 UTC (in 30 min)."),
        (step(status="running", attempts=1, awaits_token=True, deadline_at=LATER),
         "Step 1, desk.check, waits for somebody outside to end it, at most until 2026-01-05 12:30:00 UTC "
         "(30 min left)."),
    ],
)  # fmt: skip
def test_each_open_step_says_what_it_waits_for(waiting, sentence):
    assert said(waiting) == [sentence]


def test_a_worker_that_is_silent_is_told():
    silent = WorkerView(uuid.uuid4(), "vm-1", 42, False)

    assert "vm-1, pid 42 (silent)" in said(step(status="running", attempts=1, worker=silent))[0]


def test_steps_that_have_settled_wait_for_nothing():
    assert said(*(step(status=status) for status in ("completed", "failed", "timed_out", "cancelled"))) == []


def test_a_gather_says_how_many_are_done():
    statuses = ["completed", "completed", "running", "scheduled", "failed"]
    members = [step(seq, batch=1, status=status, attempts=1) for seq, status in enumerate(statuses, start=1)]

    assert said(*members)[0] == "2 of 5 steps side by side done, 1 running, 1 to come, 1 failed."


def test_a_gather_that_is_done_is_no_news():
    assert (
        said(*(step(seq, batch=1, status="completed") for seq in (1, 2)), step(3))[0] == "Step 3, desk.check, is next."
    )


def test_a_wait_names_the_messages_that_may_bring_it_about():
    takes = queries.get_workflow(HaggleWorkflow.name, 1)

    (sentence,) = said(step(kind="wait"), takes=takes)

    assert sentence.endswith("What may bring it about: signal say, signal confide, update offer, or another branch.")


def test_many_open_steps_are_left_to_the_table():
    sentences = said(*(step(seq, status="running") for seq in range(1, 20)))

    assert (len(sentences), sentences[-1]) == (6, "More steps are open; see below.")


def test_a_doubt_says_what_is_known_of_it():
    evidence = EvidenceView(NOW, None, DEAD)
    doubted = step(status="failed", attempts=1, error=DEAD, in_doubt=True, evidence=evidence)

    assert list(doubts([DoubtView(doubted, "desk.ask", {})])) == [
        "Step 1, desk.check, is in doubt after attempt 1: the line is dead (error).",
        "desk.ask was asked and does not know; it is asked again each half minute.",
        "An outcome came too late, at 2026-01-05 12:00:00 UTC: it failed: the line is dead (error).",
    ]
    assert len(list(doubts([DoubtView(step(in_doubt=True), None, None)]))) == 1
