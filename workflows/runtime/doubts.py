"""Outcomes in doubt: the counterparty is asked by key, and only who gets no answer is held (SEMANTICS D19).

Also outcomes that somebody else brings by a token: they settle the step that waits for them.
"""

from __future__ import annotations

import logging
from typing import Any

from workflows.core import payloads
from workflows.core.definitions import Activity, registry
from workflows.core.events import EventKind
from workflows.core.reconciling import Outcome as Answer
from workflows.core.status import HoldReason, StepKind, StepStatus
from workflows.models import InboxItem
from workflows.runtime import attempts, execution, policies, verdicts
from workflows.runtime.attempts import Outcome
from workflows.runtime.hosting import Host
from workflows.runtime.session import Next, Session
from workflows.store import Checkpoint, StoredStep

log = logging.getLogger("workflows.doubts")


def in_doubt(session: Session) -> StoredStep | None:
    """The first settled step of which nobody knows what it did."""
    return next((step for step in session.steps.values() if _is_doubt(step)), None)


def _is_doubt(step: StoredStep) -> bool:
    failed = step.status in (StepStatus.FAILED, StepStatus.TIMED_OUT) and step.kind == StepKind.ACTIVITY
    return failed and step.error is not None and bool(step.error.get("in_doubt"))


def find_out(session: Session, step: StoredStep) -> Next:
    """Ask what happened, if the activity says whom to ask; else, or if nobody knows, hold the run."""
    activity = registry.activities.get(step.name)
    session.identity.check()
    answer = ask(activity, session.claim.run_id, step) if activity is not None else Answer.unknown()
    checkpoint = session.checkpoint()
    if step.queue is not None:
        session.tell_attempts(checkpoint, step)
    if answer.state == "unknown":
        following = session.hold(checkpoint, HoldReason.IN_DOUBT, step.error, step=step.seq)
        session.commit(checkpoint)
        return following
    data: dict[str, Any] = {"seq": step.seq, "name": step.name, "outcome": answer.state, "actor": "reconcile"}
    session.count_told(checkpoint.append(EventKind.STEP_RESOLVED, data))
    checkpoint.change_step(step.seq, step.ticket, **resolved(step, answer))
    session.commit(checkpoint)
    return Next(again=True)


def ask(activity: Activity[..., Any], run_id: Any, step: StoredStep) -> Answer:
    """What the counterparty knows of a step, by its key; an answer that cannot be had or used is `unknown`."""
    reconcile = activity.options_.reconcile
    if reconcile is None:
        return Answer.unknown()
    known = {**step.args, "key": step.key}
    asked = StoredStep(
        step.seq, step.kind, reconcile.name, step.status, step.attempt, 0, step.ticket, step.key,
        {name: known[name] for name in reconcile.signature.parameters if name in known}, None, None, None, None, None,
        None, step.scheduled_at,
    )  # fmt: skip
    host = Host(run_id, asked, heartbeat=None, transactional=False)
    try:
        outcome = attempts.call(reconcile, run_id, asked, None, host)
        answer = reconcile.signature.result.decode(outcome.result, path="result") if outcome.error is None else None
        if isinstance(answer, Answer) and answer.state == "happened":
            codec = activity.signature.result
            return Answer.happened(codec.encode(codec.validate(answer.result, path="result"), path="result"))
        if isinstance(answer, Answer):
            return answer
        log.warning("run %s step %s: its reconcile gave no answer: %s", run_id, step.seq, outcome.error)
    except Exception as error:
        log.warning("run %s step %s: its reconcile failed: %r", run_id, step.seq, error)
    return Answer.unknown()


def resolved(step: StoredStep, answer: Answer) -> dict[str, Any]:
    """Move a step whose doubt is over on; gives the columns to write. `answer.result` is stored JSON."""
    if answer.state == "happened":
        step.status, step.result = StepStatus.COMPLETED, answer.result
        return {"status": str(step.status), "result": payloads.dumps(answer.result), "delivered": False}
    step.error = {key: value for key, value in (step.error or {}).items() if key not in ("in_doubt", "unknown")}
    return {"error": payloads.dumps(step.error), "delivered": False}


def take_outcomes(session: Session) -> bool:
    """Settle the steps whose outcome somebody brought by a token; whether there was any."""
    items = [item for item in session.inbox if item.kind == "outcome"]
    if not items:
        return False
    checkpoint = session.checkpoint(unless_wanted=False)
    for item in items:
        checkpoint.taken.append(item.pk)
        _take_outcome(session, checkpoint, item)
    session.inbox = [item for item in session.inbox if item.kind != "outcome"]
    session.commit(checkpoint)
    return True


def _take_outcome(session: Session, checkpoint: Checkpoint, item: InboxItem) -> None:
    data = payloads.loads(item.data)
    step = session.steps.get(data["seq"])
    if step is None or step.ticket != data["ticket"] or step.status != StepStatus.RUNNING:
        return  # given up meanwhile
    session.lay_down(checkpoint, step)
    registered = registry.activities.get(step.name)
    activity = policies.restored(registered, step.policy) if registered is not None else None
    failed = data["error"]
    outcome = Outcome(data["result"], failed, retryable=data["retryable"], doubt=data["doubt"])
    columns = verdicts.judge(step, outcome, activity, at=item.arrived_at, seed=session.claim.seed)
    columns |= {"process": None, "deadline_at": None, "beat_by": None}
    if step.status == StepStatus.SCHEDULED:
        columns["send_at"] = step.due_at
    if failed and step.queue is None:
        execution.note_failure(session, checkpoint, step, activity)
        if session.machine is not None:
            session.machine.note(checkpoint.events[-1])
    elif failed:
        checkpoint.attempts.append(verdicts.failed_attempt(step, at=item.arrived_at))
    checkpoint.change_step(step.seq, step.ticket, **columns)
