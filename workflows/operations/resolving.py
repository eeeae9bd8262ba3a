"""An operator states what an attempt in doubt did (SEMANTICS D19)."""

from __future__ import annotations

import logging
import uuid
from bisect import bisect
from typing import Any, Literal

from workflows import queries, store
from workflows.contracts import WorkflowRun
from workflows.core import payloads
from workflows.core.definitions import registry
from workflows.core.errors import InvalidInput, NotFound, PayloadError
from workflows.core.events import EventKind
from workflows.core.reconciling import Outcome
from workflows.core.status import HoldReason, RunStatus
from workflows.models import Run, Step
from workflows.operations.authority import Actor, authorise, checked_reason, record
from workflows.runtime import doubts
from workflows.runtime.locking import LockedRun, act_data, locked_run
from workflows.store import StoredStep

log = logging.getLogger("workflows.resolving")

#: What the engine says when it finds out by itself.
RECONCILED = "the counterparty knows what happened"
#: Counterparties answer in their own time: so many are asked at once.
_AT_ONCE = 50


def resolve_step(
    run_id: uuid.UUID,
    seq: int,
    *,
    outcome: Literal["happened", "not_done"],
    result: Any = None,
    actor: Actor = None,
    reason: str,
) -> WorkflowRun:
    """Say what the step in doubt did: it happened, with this result, or it was not done; the run goes on from there.

    Raises NotAllowedInState (the run is not held in doubt), NotFound (no such step, or not in doubt), InvalidInput (a
    result of the wrong type, or for a step that was not done), PermissionRefused, ReasonRequired.
    """
    principal = authorise(actor, "resolve")
    reason = checked_reason(reason, required=True)
    if outcome not in ("happened", "not_done"):
        raise InvalidInput("the outcome is 'happened' or 'not_done'")
    if outcome == "not_done" and result is not None:
        raise InvalidInput("a step that was not done has no result")
    with locked_run(run_id) as run:
        if run.row.hold_reason != HoldReason.IN_DOUBT:
            raise run.refuse("resolve")
        step = _step_in_doubt(run, seq)
        answer = Outcome.happened(_stored_result(step, result)) if outcome == "happened" else Outcome.not_done()
        _resolve(run, step, answer, principal=principal, reason=reason)
        detail = {"seq": seq, "outcome": outcome}
        record("resolve", principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow, **detail)
    return queries.get_run(run_id)


def resolve_known() -> list[uuid.UUID]:
    """Ask counterparties again about runs held in doubt; gives those that go on because somebody knows now.

    So many at once, each time those that come after the last.
    """
    resolved = []
    for run_id in _next_in_doubt():
        try:
            if _resolve_if_known(run_id):
                resolved.append(run_id)
        except Exception:
            log.exception("run %s stays in doubt", run_id)
    return resolved


class _Asked:
    """The run that this process asked about last."""

    last: uuid.UUID | None = None


def _next_in_doubt() -> list[uuid.UUID]:
    held = Run.objects.filter(status=RunStatus.HELD, hold_reason=HoldReason.IN_DOUBT)
    run_ids = sorted(held.values_list("id", flat=True))
    start = bisect(run_ids, _Asked.last) if _Asked.last is not None else 0
    chosen = (run_ids[start:] + run_ids[:start])[:_AT_ONCE]
    _Asked.last = chosen[-1] if chosen else None
    return chosen


def _resolve_if_known(run_id: uuid.UUID) -> bool:
    asked = {step.seq: answer for step, answer in _answers(run_id) if answer.state != "unknown"}
    if not asked:
        return False
    with locked_run(run_id) as run:
        if run.row.hold_reason != HoldReason.IN_DOUBT:
            return False
        for row in _rows_in_doubt(run_id):
            if row.seq in asked:  # the run goes on; another doubt of it is met by its driver
                answer = asked[row.seq]
                _resolve(run, store.stored_step(row), answer, principal="system", reason=RECONCILED)
                told = {"seq": row.seq, "outcome": answer.state}
                name = run.row.workflow
                record("resolve", principal="system", reason=RECONCILED, run_id=run_id, workflow=name, **told)
                return True
    return False


def _answers(run_id: uuid.UUID) -> list[tuple[StoredStep, Outcome]]:
    """What counterparties say of each step in doubt. Asked outside of any transaction."""
    steps = [store.stored_step(row) for row in _rows_in_doubt(run_id)]
    return [
        (step, doubts.ask(registry.activities[step.name], run_id, step))
        for step in steps
        if step.name in registry.activities
    ]


def _rows_in_doubt(run_id: uuid.UUID) -> list[Step]:
    rows = Step.objects.filter(run_id=run_id, status__in=["failed", "timed_out"], delivered=False).order_by("seq")
    return [row for row in rows if row.error is not None and payloads.loads(row.error).get("in_doubt")]


def _step_in_doubt(run: LockedRun, seq: int) -> StoredStep:
    row = next((row for row in _rows_in_doubt(run.row.id) if row.seq == seq), None)
    if row is None:
        raise NotFound(f"step {seq} of run {run.row.id} is not in doubt")
    return store.stored_step(row)


def _stored_result(step: StoredStep, result: Any) -> Any:
    activity = registry.activities.get(step.name)
    if activity is None:
        raise InvalidInput(f"no activity is registered as {step.name}, so its result cannot be checked")
    codec = activity.signature.result
    try:
        return codec.encode(codec.validate(result, path="result"), path="result")
    except PayloadError as error:
        raise InvalidInput(str(error)) from error


def _resolve(run: LockedRun, step: StoredStep, answer: Outcome, *, principal: str, reason: str) -> None:
    checkpoint = run.amend()
    data = {"seq": step.seq, "name": step.name, "outcome": answer.state} | act_data(principal, reason)
    checkpoint.append(EventKind.STEP_RESOLVED, data)
    checkpoint.append(EventKind.RUN_RELEASED, act_data(principal, reason))
    checkpoint.change_step(step.seq, step.ticket, **doubts.resolved(step, answer))
    run.commit(checkpoint, status=RunStatus.PENDING, error=None)
