"""Retry of a failed run: it goes on from the step that failed, with fresh attempts (SEMANTICS D20)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from workflows import queries, store
from workflows.contracts import WorkflowRun
from workflows.core import payloads
from workflows.core.definitions import registry
from workflows.core.errors import InvalidInput, PayloadError, RetryRefused
from workflows.core.events import EventKind
from workflows.core.projection import project
from workflows.core.replay import Activation, dropped_by_retry, plan_replay
from workflows.core.status import HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import Run, Step
from workflows.operations.authority import Actor, authorise, checked_reason, record
from workflows.runtime import policies, searching
from workflows.runtime.locking import LockedRun, act_data, locked_run
from workflows.store import Checkpoint

#: Outcomes after which another input could double an effect.
_UNCERTAIN = ("timed_out", "worker_lost", "heartbeat_lost")
_FAILURES = (EventKind.STEP_FAILED, EventKind.STEP_TIMED_OUT)
_BEGUN = (EventKind.STEP_STARTED, EventKind.ATTEMPT_FAILED)
_CLOSE = EventKind.CHILD_CLOSE_REQUESTED
_ENDS = (EventKind.RUN_FAILED, EventKind.RUN_HELD)


def retry_run(
    run_id: uuid.UUID, *, actor: Actor = None, reason: str, input: Mapping[str, Any] | None = None
) -> WorkflowRun:
    """Let a failed run, or one held as `failure`, go on from the step that failed.

    `input` merges over that step's arguments and gives its key a new generation. Raises RetryRefused when a command or
    undo in reaction to the failure has begun, or when the input may not be edited; NotAllowedInState, InvalidInput,
    NotFound, PermissionRefused, ReasonRequired.
    """
    principal = authorise(actor, "retry")
    reason = checked_reason(reason, required=True)
    with locked_run(run_id) as run:
        if run.status != RunStatus.FAILED and run.row.hold_reason != HoldReason.FAILURE:
            raise run.refuse("retry")
        if run.status == RunStatus.FAILED and _parent_has_met(run):
            raise RetryRefused("its parent has met the failure: retry the parent")
        dropped = _dropped_activations(run)
        failed = dropped[0]
        is_step = failed.fact.kind in (EventKind.STEP_FAILED, EventKind.STEP_TIMED_OUT)
        if input and not is_step:
            raise RetryRefused("the workflow's own code failed, so there is no step whose input could be edited")
        checkpoint = run.amend()
        taken = [event.data["seq"] for event in run.events if isinstance(event.data.get("seq"), int)]
        # Numbers of what was asked for in reaction to the failure are not given again.
        data = act_data(principal, reason) | {"failure": failed.fact.position, "next_seq": max(taken, default=0) + 1}
        if is_step:
            data |= _retry_step(run, checkpoint, failed, input)
        data |= _reopen_cancelled(run, checkpoint, dropped)
        checkpoint.append(EventKind.RETRY_REQUESTED, data)
        taken_back = _take_attributes_back(run, checkpoint)
        run.commit(checkpoint, status=RunStatus.PENDING, error=None, closed_at=None, **taken_back)
        record("retry", principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow)
    return queries.get_run(run_id)


def _take_attributes_back(run: LockedRun, checkpoint: Checkpoint) -> dict[str, Any]:
    """What the code set in reaction to the failure goes with the reaction; gives the run's columns to write."""
    before, after = run.projection.attributes, project([*run.events, *checkpoint.events]).attributes
    if before == after:
        return {}
    checkpoint.joined.append(partial(searching.replace, run.row.id, before, after))
    return {"attributes": payloads.dumps(after) if after else None}


def _parent_has_met(run: LockedRun) -> bool:
    """Whether a parent waited for this run's end; one that was abandoned is its own."""
    parent, seq = run.row.parent, run.row.parent_seq
    if parent is None or seq is None:
        return False
    step = Step.objects.filter(run_id=parent, seq=seq, kind=StepKind.CHILD)
    if not step.exclude(status=StepStatus.CANCELLED).exists():
        return False
    # One that had ended already when it was left to itself keeps that on the step's row.
    told = [event.kind for event in store.load_history(parent) if event.data.get("seq") == seq]
    return told[-1] != EventKind.STEP_CANCELLED


def _dropped_activations(run: LockedRun) -> list[Activation]:
    """The activation in which the run failed and all after it; refused once anything in reaction to it has begun."""
    plan = plan_replay(run.events)
    if not plan.activations:
        raise RetryRefused("the run failed before its code began; start it anew with rerun")
    failed = _failed_activation(run, plan.activations)
    after = failed.fact.position
    if _has_undone(run, after):
        raise RetryRefused("its compensation has begun; start it anew with rerun")
    dropped = dropped_by_retry(plan, after)
    decisions = [event for activation in dropped for event in activation.decisions]
    asked = (EventKind.STEP_SCHEDULED, EventKind.SIDE_EFFECT_RECORDED)
    reaction = {event.data["seq"] for event in decisions if event.kind in asked}
    started = {note.data["seq"] for activation in dropped for note in activation.notes if note.kind in _BEGUN}
    met = {activation.fact.data.get("seq") for activation in dropped[1:]}
    if (started | met) & reaction:
        raise RetryRefused("a step in reaction to the failure has begun")
    if any(event.kind == EventKind.WAIT_SATISFIED and event.data["seq"] not in reaction for event in decisions):
        raise RetryRefused("a wait has been satisfied since the failure; start it anew with rerun")
    return dropped


def _has_undone(run: LockedRun, after: int) -> bool:
    """Whether an undo in reaction to a failure has begun; that of a race's loser is none (SEMANTICS B8)."""
    of_a_loser = False
    for event in run.events:
        if event.kind == EventKind.PLAN_STARTED:
            of_a_loser = "only" in event.data
        elif event.kind == EventKind.COMPENSATION_STARTED and event.position > after and not of_a_loser:
            return True
    return False


def _failed_activation(run: LockedRun, activations: Sequence[Activation]) -> Activation:
    """That of the step whose failure left the code, or of the fact on which the code raised; else the last one.

    Others may have settled after it.
    """
    end = next((event for event in reversed(run.events) if event.kind in _ENDS), None)
    where = end.data if end is not None else {}
    for activation in reversed(activations):
        fact = activation.fact
        if (fact.kind in _FAILURES and fact.data["seq"] == where.get("step")) or fact.position == where.get("fact"):
            return activation
    return activations[-1]


def _retry_step(
    run: LockedRun, checkpoint: Checkpoint, failed: Activation, edits: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Open the failed step again; gives what the event says of it."""
    seq = failed.fact.data["seq"]
    step = Step.objects.get(run_id=run.row.id, seq=seq)
    columns: dict[str, Any] = {
        "status": str(StepStatus.SCHEDULED), "failures": 0, "result": None, "error": None, "settled_at": None,
        "due_at": checkpoint.at, "delivered": False,
    }  # fmt: skip
    said: dict[str, Any] = {"seq": seq, "name": step.name}
    if edits:
        args = _edited(run, step, edits)
        generation = step.key.split(":g")
        number = int(generation[1]) + 1 if len(generation) == 2 else 2
        columns |= {"args": payloads.dumps(args), "key": f"{generation[0]}:g{number}"}
        said |= {"args": args, "generation": number}
    checkpoint.change_step(seq, step.ticket, **columns, **_sent_again(step, checkpoint))
    return said


def _sent_again(step: Step, checkpoint: Checkpoint) -> dict[str, Any]:
    """A step that workers run is sent to them anew; who holds an older message finds another ticket."""
    if step.queue is None:
        return {}
    if step.kind == StepKind.CHILD:
        return {"ticket": step.ticket + 1, "queue": None}  # a new child is started when the code gets there
    within = policies.start_within(step.policy)
    return {
        "ticket": step.ticket + 1, "send_at": checkpoint.at, "sends": 0, "losses": 0,
        "start_by": checkpoint.at + within if within is not None else None,
    }  # fmt: skip


def _reopen_cancelled(run: LockedRun, checkpoint: Checkpoint, dropped: Sequence[Activation]) -> dict[str, Any]:
    """Open again what was given up since the failure and had been asked for before it; gives what the event says."""
    decisions = [event for activation in dropped for event in activation.decisions]
    since = {event.data["seq"] for event in decisions if event.kind == EventKind.STEP_SCHEDULED}
    cancelled = [event.data["seq"] for event in decisions if event.kind == EventKind.STEP_CANCELLED]
    reopened = [seq for seq in [*cancelled, *_closed_children(dropped)] if seq not in since]
    completed = Step.objects.filter(run_id=run.row.id, seq__in=reopened, status=StepStatus.COMPLETED)
    for step in completed:  # a child that was left to itself when it had ended: its end is delivered after all
        reopened.remove(step.seq)
        checkpoint.change_step(step.seq, step.ticket, delivered=False)
    for step in Step.objects.filter(run_id=run.row.id, seq__in=reopened):
        again: dict[str, Any] = {"status": str(StepStatus.SCHEDULED), "delivered": False, "settled_at": None}
        if step.kind == StepKind.CHILD:
            again["error"] = None  # that of the child that was closed
        checkpoint.change_step(step.seq, step.ticket, **again, **_sent_again(step, checkpoint))
    return {"reopened": reopened} if reopened else {}


def _closed_children(dropped: Sequence[Activation]) -> list[int]:
    """Children that were asked to close since the failure and did not complete all the same."""
    asked = [event.data["seq"] for activation in dropped for event in activation.decisions if event.kind == _CLOSE]
    ended = {activation.fact.data["seq"] for activation in dropped if activation.fact.kind == EventKind.STEP_FAILED}
    return [seq for seq in asked if seq in ended]


def _is_uncertain(run: LockedRun, step: Step) -> bool:
    """Whether an attempt may have had its effect: nobody has said since that it was not done."""
    last = payloads.loads(step.error) if step.error is not None else {}
    uncertain = step.status == StepStatus.TIMED_OUT or last.get("code") in _UNCERTAIN
    for event in run.events:
        if event.data.get("seq") != step.seq:
            continue
        if event.data.get("unknown"):
            uncertain = True
        elif event.kind == EventKind.STEP_RESOLVED and event.data["outcome"] == "not_done":
            uncertain = False
    return uncertain


def _signature(run: LockedRun, step: Step) -> payloads.Signature:
    if step.kind == StepKind.CHILD:
        versions = registry.workflows.get(step.name, {})
        # The parent's code names a class and so a version: that of the child it had.
        child = store.child_id(run.row.id, step.seq, step.attempt)
        version = Run.objects.filter(pk=child).values_list("version", flat=True).first()
        if version not in versions:
            raise RetryRefused(f"no workflow is registered as {step.name} with version {version}")
        signature: payloads.Signature = versions[version].definition.signature
        return signature
    activity = registry.activities.get(step.name)
    if activity is None:
        raise RetryRefused(f"no activity is registered as {step.name}")
    return activity.signature


def _edited(run: LockedRun, step: Step, edits: Mapping[str, Any]) -> dict[str, Any]:
    if _is_uncertain(run, step):
        raise RetryRefused("an attempt's outcome is not known, so its input may not be changed")
    signature = _signature(run, step)
    try:
        arguments = signature.decode(payloads.loads(step.args))
        return signature.encode(signature.bind((), {**arguments, **edits}))
    except PayloadError as error:
        raise InvalidInput(str(error)) from error
