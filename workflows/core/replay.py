"""Brings a machine to where its history ends, checking every decision on the way.

`plan_replay` sorts a recorded history into activations (a fact and the decisions it caused) and facts that still wait
for delivery. An operator's retry takes the failure and the reaction to it out again (SEMANTICS D20).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows.core.asking import WorkflowInfo
from workflows.core.definitions import WorkflowDefinition
from workflows.core.events import DECISIONS, DIRECT_FACTS, POSTED_FACTS, STEP_OUTCOMES, Event, EventKind
from workflows.core.machine import Machine

_NOTES = frozenset(
    {EventKind.STEP_STARTED, EventKind.ATTEMPT_FAILED, EventKind.PLAN_STARTED, EventKind.COMPENSATION_STARTED}
)


@dataclass(slots=True)
class Activation:
    """One delivered fact, when it was delivered, and what the code asked for."""

    fact: Event
    at: datetime
    decisions: list[Event] = field(default_factory=list)
    notes: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class ReplayPlan:
    """A history, sorted: what was decided, and which recorded facts are still to be delivered, in order."""

    activations: list[Activation] = field(default_factory=list)
    undelivered: list[Event] = field(default_factory=list)
    #: Numbers below it are taken before the code begins: a retry dropped even its first activation.
    next_seq: int = 1


def plan_replay(events: Sequence[Event]) -> ReplayPlan:
    """Sort a history into activations and undelivered facts."""
    plan = ReplayPlan()
    by_position: dict[int, Event] = {}
    for event in events:
        by_position[event.position] = event
        kind = event.kind
        if kind in POSTED_FACTS:
            if not (event.data.get("too_late") or event.data.get("ended")):
                plan.undelivered.append(event)
        elif kind == EventKind.FACT_DELIVERED:
            fact = by_position[event.data["of"]]
            plan.undelivered = [waiting for waiting in plan.undelivered if waiting.position != fact.position]
            plan.activations.append(Activation(fact, event.at))
        elif event.data.get("terminated"):
            continue  # no code met or decided what ended with its run
        elif kind in DIRECT_FACTS:
            plan.activations.append(Activation(event, event.at))
        elif kind in DECISIONS:
            plan.activations[-1].decisions.append(event)
        elif kind in _NOTES:
            plan.activations[-1].notes.append(event)
        elif kind == EventKind.RETRY_REQUESTED:
            _take_out_failure(plan, event)
    return plan


def _take_out_failure(plan: ReplayPlan, retry: Event) -> None:
    """Drop the failed activation and what came of it; facts that came after it are delivered again."""
    failure = retry.data["failure"]
    dropped = dropped_by_retry(plan, failure)
    plan.activations = plan.activations[: -len(dropped)]
    again = [activation.fact for activation in dropped]
    if retry.data.get("seq") is not None:
        again = again[1:]  # the failed step runs anew, so its old outcome is not delivered
    reopened = set(retry.data.get("reopened", ()))  # nor is that of a child which was asked to close since
    again = [fact for fact in again if not (fact.kind in STEP_OUTCOMES and fact.data["seq"] in reopened)]
    if plan.activations:
        plan.activations[-1].notes.append(retry)  # the step counts as not started again
    else:
        plan.next_seq = retry.data.get("next_seq", 1)
    plan.undelivered = again + plan.undelivered


def dropped_by_retry(plan: ReplayPlan, failure: int) -> list[Activation]:
    """The failed activation (`failure` is its fact's position) and every one after it."""
    index = next(i for i, activation in enumerate(plan.activations) if activation.fact.position == failure)
    return plan.activations[index:]


def replay(
    definition: WorkflowDefinition, info: WorkflowInfo, stored_input: dict[str, Any], events: Sequence[Event]
) -> tuple[Machine, list[Event]]:
    """A live machine that has decided all its history, and the recorded facts still to be delivered.

    Raises NonDeterminismError naming the expected and the found command when the code no longer matches.
    """
    plan = plan_replay(events)
    machine = Machine(definition, info, stored_input)
    machine.pass_over(plan.next_seq)
    try:
        for activation in plan.activations:
            machine.deliver(activation.fact, at=activation.at, recorded=activation.decisions)
            for event in activation.notes:
                machine.note(event)
                if event.kind == EventKind.PLAN_STARTED and "only" in event.data:
                    machine.completed_after_all = []  # what a race had given up was undone then
    except BaseException:
        machine.dispose()
        raise
    return machine, plan.undelivered
