"""The compensation plan, derived from history alone: what would be undone, with which arguments, in which order.

No workflow code is needed, so the plan is visible before it runs and survives code changes (SEMANTICS A).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.core.events import Event, EventKind

PLANNED = "planned"
RUNNING = "running"
COMPLETED = "completed"
FAILED = "failed"


@dataclass(slots=True)
class PlanItem:
    """One undo: an activity, or a child's own plan. `undoes` is the step it undoes, None for one registered by hand or
    by an earlier link of the chain (its `origin` is below zero); `seq` its own step once it has one."""

    origin: int
    position: int
    activity: str
    arguments: dict[str, Any]
    undoes: int | None
    undone_activity: str | None
    status: str = PLANNED
    seq: int | None = None
    #: Whether the undone step has an outcome of its own; a failed attempt's undo leaves the plan on a retry.
    certain: bool = True
    #: The child whose plan it runs, where it stands for one; None for an activity.
    child: str | None = None
    #: The undone step's idempotency key, where an earlier link of the chain recorded it.
    undone_key: str | None = None

    def carried(self, key: str | None) -> dict[str, Any]:
        """What the next link of a chain is given of it; `key` is that of the undone step."""
        return {
            "activity": self.activity, "arguments": self.arguments, "undone_activity": self.undone_activity,
            "child": self.child, "undone_key": self.undone_key or key,
        }  # fmt: skip


@dataclass(slots=True)
class _Declared:
    name: str
    args: dict[str, Any]
    undo: str
    undo_map: dict[str, list[str]]
    attempted: bool
    attempts: int = 0
    #: An attempt was lost or overdue: it may have had its effect, whatever became of the step later.
    uncertain: bool = False


@dataclass(slots=True)
class _Child:
    name: str
    run_id: str | None = None


@dataclass(slots=True)
class Plan:
    """Every undo of a run in the order of delivery; it runs in reverse."""

    items: list[PlanItem] = field(default_factory=list)
    _declared: dict[int, _Declared] = field(default_factory=dict)
    _children: dict[int, _Child] = field(default_factory=dict)

    @property
    def remaining(self) -> list[PlanItem]:
        """What is left to run, first to run first."""
        return [item for item in reversed(self.items) if item.status != COMPLETED]

    @property
    def in_running_order(self) -> list[PlanItem]:
        return list(reversed(self.items))

    def apply(self, event: Event) -> None:
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event)

    def _by_undo_seq(self, seq: int) -> PlanItem:
        return next(item for item in self.items if item.seq == seq)


def _run_started(plan: Plan, event: Event) -> None:
    """A chain has one plan across its links (SEMANTICS A6): a link begins with what is left of those before it."""
    for number, item in enumerate(event.data.get("plan", ()), start=1):
        plan.items.append(
            PlanItem(
                -number,
                event.position,
                item["activity"],
                item["arguments"],
                None,
                item["undone_activity"],
                child=item["child"],
                undone_key=item["undone_key"],
            )
        )


def _scheduled(plan: Plan, event: Event) -> None:
    data = event.data
    if data.get("compensate"):
        plan._children[data["seq"]] = _Child(data["name"])
    if data.get("undo") is not None:
        plan._declared[data["seq"]] = _Declared(
            data["name"], data["args"], data["undo"], data["undo_map"], data.get("undo_when") == "attempted"
        )


def _started(plan: Plan, event: Event) -> None:
    declared = plan._declared.get(event.data["seq"])
    if declared is not None:
        declared.attempts += 1
    child = plan._children.get(event.data["seq"])
    if child is not None:
        child.run_id = event.data["child"]


def _attempt_failed(plan: Plan, event: Event) -> None:
    declared = plan._declared.get(event.data["seq"])
    if declared is not None and event.data.get("unknown"):
        declared.uncertain = True


def _resolved(plan: Plan, event: Event) -> None:
    """Somebody knows what an attempt in doubt did: if nothing, there is nothing to undo."""
    declared = plan._declared.get(event.data["seq"])
    if declared is not None and event.data["outcome"] == "not_done":
        declared.uncertain = False


def _settled(plan: Plan, event: Event) -> None:
    seq = event.data["seq"]
    child = plan._children.get(seq)
    if child is not None:
        if event.data.get("compensable") and all(item.origin != seq for item in plan.items):
            run = {"run_id": child.run_id}
            plan.items.append(PlanItem(seq, event.position, child.name, run, seq, child.name, child=child.run_id))
        return
    declared = plan._declared.get(seq)
    if declared is None or any(item.origin == seq for item in plan.items):
        return
    unknown = declared.uncertain or event.data.get("unknown")
    # An attempt that is overdue or silent was told as unknown, unless it was a transaction: that did nothing (A2).
    known_failure = event.kind != EventKind.STEP_COMPLETED and not unknown
    if known_failure and not (declared.attempted and declared.attempts):
        return
    result = event.data.get("result") if event.kind == EventKind.STEP_COMPLETED else None
    arguments = fill_arguments(
        declared.undo_map, declared.args, result, has_result=not known_failure and result is not None
    )
    plan.items.append(
        PlanItem(
            seq,
            event.position,
            declared.undo,
            arguments,
            seq,
            declared.name,
            certain=event.kind == EventKind.STEP_COMPLETED,
        )
    )


def fill_arguments(
    undo_map: dict[str, list[str]], args: dict[str, Any], result: Any, *, has_result: bool
) -> dict[str, Any]:
    """Arguments of an undo in stored form: result fields, then arguments; what no result gives is left to defaults."""
    filled: dict[str, Any] = {}
    for parameter, source in undo_map.items():
        if source[0] == "argument":
            filled[parameter] = args[source[1]]
        elif has_result and len(source) == 1:
            filled[parameter] = result
        elif has_result and isinstance(result, dict) and source[1] in result:
            filled[parameter] = result[source[1]]
        elif len(source) == 2 and source[1] in args:
            filled[parameter] = args[source[1]]
    return filled


def _added(plan: Plan, event: Event) -> None:
    data = event.data
    plan.items.append(PlanItem(data["seq"], event.position, data["name"], data["args"], None, None))


def _retried(plan: Plan, event: Event) -> None:
    """What runs anew is taken back: the failed step, those it cancelled, and undos added by hand in reaction to it.

    A sibling that ended otherwise meanwhile is not retried, its outcome is only delivered again: its effect stands.
    """
    failure = event.data["failure"]
    anew = {event.data.get("seq"), *event.data.get("reopened", ())}
    plan.items = [
        item
        for item in plan.items
        if item.position < failure
        or item.status == COMPLETED
        or (item.undoes is not None and (item.certain or item.undoes not in anew))
    ]
    new_args = event.data.get("args")
    declared = plan._declared.get(event.data.get("seq", -1))
    if declared is not None and new_args is not None:
        declared.args = new_args


def _undo_started(plan: Plan, event: Event) -> None:
    data = event.data
    item = next(item for item in plan.items if item.origin == data["origin"])
    item.seq = data["seq"]
    item.status = RUNNING


def _undo_completed(plan: Plan, event: Event) -> None:
    plan._by_undo_seq(event.data["seq"]).status = COMPLETED


def _undo_failed(plan: Plan, event: Event) -> None:
    plan._by_undo_seq(event.data["seq"]).status = FAILED


def _asked_again(plan: Plan, event: Event) -> None:
    """An operator asks for the plan: undos that failed get fresh attempts."""
    for item in plan.items:
        if item.status == FAILED:
            item.status = PLANNED


_HANDLERS: dict[str, Callable[[Plan, Event], None]] = {
    EventKind.RUN_STARTED: _run_started,
    EventKind.STEP_SCHEDULED: _scheduled,
    EventKind.STEP_STARTED: _started,
    EventKind.ATTEMPT_FAILED: _attempt_failed,
    EventKind.STEP_RESOLVED: _resolved,
    EventKind.STEP_COMPLETED: _settled,
    EventKind.STEP_FAILED: _settled,
    EventKind.STEP_TIMED_OUT: _settled,
    EventKind.STEP_CANCELLED: _settled,
    EventKind.COMPENSATION_ADDED: _added,
    EventKind.RETRY_REQUESTED: _retried,
    EventKind.COMPENSATION_REQUESTED: _asked_again,
    EventKind.COMPENSATION_STARTED: _undo_started,
    EventKind.COMPENSATION_COMPLETED: _undo_completed,
    EventKind.COMPENSATION_FAILED: _undo_failed,
}


def plan_of(events: Sequence[Event]) -> Plan:
    """The plan a history leads to."""
    plan = Plan()
    for event in events:
        plan.apply(event)
    return plan


def plan_data(
    *, end: str, error: dict[str, Any] | None = None, seq: int | None = None, only: list[int] | None = None
) -> dict[str, Any]:
    """What the event says that begins a plan: how it ends the run.

    `resume`: the code goes on, at step `seq` where it asked for the plan. `only`: origins of the items it is about.
    """
    data: dict[str, Any] = {"end": str(end)}
    if error is not None:
        data["error"] = error
    if seq is not None:
        data["seq"] = seq
    if only is not None:
        data["only"] = only
    return data
