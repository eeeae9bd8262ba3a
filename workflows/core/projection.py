"""What the rows must be, derived from history alone: the judge of `verify` (SEMANTICS E24)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.core.events import CLOSING, Event, EventKind
from workflows.core.status import RunStatus, StepStatus

#: The end of a plan that `self.compensate()` asked for: the code goes on.
RESUME = "resume"


@dataclass(slots=True)
class Projection:
    """Status, result and error of a run and the status of each step, as its history tells them.

    While a run is open the history tells `open`, `held` or `compensating`; which of pending, running and waiting it is
    depends on the driver alone.
    """

    status: str = "open"
    hold_reason: str = ""
    result: Any = None
    error: dict[str, Any] | None = None
    steps: dict[int, str] = field(default_factory=dict)
    #: Which of them are undos.
    undos: set[int] = field(default_factory=set)
    #: How the plan in hand ends the run, None while no plan runs. RESUME: the code goes on after it.
    plan_end: str | None = None
    #: The step of `self.compensate()` that the plan in hand belongs to.
    plan_step: int | None = None
    #: Why it runs: kept while the run is held meanwhile for another reason.
    plan_error: dict[str, Any] | None = None
    #: Origins of the undos that the plan in hand is about; None = all.
    plan_only: set[int] | None = None
    #: Undo step -> the origin of its plan item.
    origins: dict[int, int] = field(default_factory=dict)
    #: Search attributes in stored form.
    attributes: dict[str, Any] = field(default_factory=dict)
    #: What they were before each change: its position, and the attributes until then.
    attributes_before: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    #: A fact that was posted -> where the code met it.
    met: dict[int, int] = field(default_factory=dict)

    @property
    def resumes(self) -> bool:
        """Whether the code goes on after the plan in hand."""
        return self.plan_end == RESUME

    def apply(self, event: Event) -> None:
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event)


def _started(state: Projection, event: Event) -> None:
    state.attributes = dict(event.data.get("attributes", {}))


def attributes_after(attributes: dict[str, Any], events: Sequence[Event]) -> dict[str, Any]:
    """Search attributes once `events` have been recorded: set, changed, taken away by None."""
    for event in events:
        if event.kind == EventKind.ATTRIBUTES_SET:
            merged = attributes | event.data["attributes"]
            attributes = {name: value for name, value in merged.items() if value is not None}
    return attributes


def _attributes_set(state: Projection, event: Event) -> None:
    state.attributes_before.append((event.position, state.attributes))
    state.attributes = attributes_after(state.attributes, [event])


def _delivered(state: Projection, event: Event) -> None:
    state.met[event.data["of"]] = event.position


def _closed(state: Projection, event: Event) -> None:
    state.status = CLOSING[EventKind(event.kind)]
    state.hold_reason = ""
    state.plan_end = None
    if event.kind == EventKind.RUN_COMPLETED:
        state.result = event.data.get("result")
        state.error = None
    elif event.data.get("error") is not None:
        state.error = event.data["error"]


def _held(state: Projection, event: Event) -> None:
    state.status = RunStatus.HELD
    state.hold_reason = event.data["reason"]
    if event.data.get("error") is not None:
        state.error = event.data["error"]


def _released(state: Projection, event: Event) -> None:
    state.hold_reason = ""
    if event.data.get("compensating"):
        state.status, state.error = RunStatus.COMPENSATING, state.plan_error
    else:
        state.status, state.error = "open", None


def _retried(state: Projection, event: Event) -> None:
    state.status = "open"
    state.hold_reason = ""
    state.error = None
    state.plan_end = None
    if event.data.get("seq") is not None:
        state.steps[event.data["seq"]] = StepStatus.SCHEDULED
    for seq in event.data.get("reopened", ()):
        state.steps[seq] = StepStatus.SCHEDULED
    # What the code set in reaction to the failure is taken back with the reaction (SEMANTICS D20).
    met = state.met.get(event.data["failure"], event.data["failure"])
    while state.attributes_before and state.attributes_before[-1][0] > met:
        state.attributes = state.attributes_before.pop()[1]


def _plan_started(state: Projection, event: Event) -> None:
    state.status = RunStatus.COMPENSATING
    state.hold_reason = ""
    state.plan_end = event.data["end"]
    state.plan_step = event.data.get("seq")
    state.plan_only = set(event.data["only"]) if "only" in event.data else None
    if event.data.get("error") is not None:
        state.error = event.data["error"]
    state.plan_error = state.error


def _step_completed(state: Projection, event: Event) -> None:
    seq = event.data["seq"]
    state.steps[seq] = StepStatus.COMPLETED
    if state.plan_end == RESUME and seq == state.plan_step:
        state.status, state.plan_end, state.plan_step = "open", None, None


def _step_cancelled(state: Projection, event: Event) -> None:
    """Given up, unless it is a child that had ended when it was left to itself."""
    state.steps[event.data["seq"]] = event.data.get("settled", StepStatus.CANCELLED)


def _undo_started(state: Projection, event: Event) -> None:
    state.undos.add(event.data["seq"])
    state.origins[event.data["seq"]] = event.data.get("origin", event.data["seq"])
    state.steps[event.data["seq"]] = StepStatus.RUNNING


def _undo_completed(state: Projection, event: Event) -> None:
    seq = event.data["seq"]
    state.steps[seq] = StepStatus.COMPLETED
    if state.plan_only is None:
        return
    state.plan_only.discard(state.origins[seq])
    if not state.plan_only:
        state.status, state.plan_end, state.plan_only = "open", None, None


def _undo_failed(state: Projection, event: Event) -> None:
    """For good, or given up where it stood with its run."""
    ended = StepStatus.CANCELLED if event.data.get("terminated") else StepStatus.FAILED
    state.steps[event.data["seq"]] = ended


def _step_resolved(state: Projection, event: Event) -> None:
    """What a doubt turned out to be stands on the step's row until the code meets it."""
    state.steps[event.data["seq"]] = StepStatus.SCHEDULED


def _plan_asked_again(state: Projection, event: Event) -> None:
    for seq in state.undos:
        if state.steps[seq] in (StepStatus.FAILED, StepStatus.TIMED_OUT, StepStatus.CANCELLED):
            state.steps[seq] = StepStatus.SCHEDULED  # a failed undo gets fresh attempts


def _step(status: str) -> Callable[[Projection, Event], None]:
    def apply(state: Projection, event: Event) -> None:
        state.steps[event.data["seq"]] = status

    return apply


_HANDLERS: dict[str, Callable[[Projection, Event], None]] = {
    **dict.fromkeys(CLOSING, _closed),
    EventKind.RUN_STARTED: _started,
    EventKind.FACT_DELIVERED: _delivered,
    EventKind.ATTRIBUTES_SET: _attributes_set,
    EventKind.RUN_HELD: _held,
    EventKind.RUN_RELEASED: _released,
    EventKind.RETRY_REQUESTED: _retried,
    EventKind.PLAN_STARTED: _plan_started,
    EventKind.STEP_SCHEDULED: _step(StepStatus.SCHEDULED),
    EventKind.STEP_STARTED: _step(StepStatus.RUNNING),
    EventKind.ATTEMPT_FAILED: _step(StepStatus.SCHEDULED),
    EventKind.STEP_COMPLETED: _step_completed,
    EventKind.STEP_FAILED: _step(StepStatus.FAILED),
    EventKind.STEP_TIMED_OUT: _step(StepStatus.TIMED_OUT),
    EventKind.STEP_CANCELLED: _step_cancelled,
    EventKind.STEP_RESOLVED: _step_resolved,
    EventKind.TIMER_FIRED: _step(StepStatus.COMPLETED),
    EventKind.WAIT_SATISFIED: _step(StepStatus.COMPLETED),
    EventKind.SIDE_EFFECT_RECORDED: _step(StepStatus.COMPLETED),
    EventKind.COMPENSATION_REQUESTED: _plan_asked_again,
    EventKind.COMPENSATION_STARTED: _undo_started,
    EventKind.COMPENSATION_COMPLETED: _undo_completed,
    EventKind.COMPENSATION_FAILED: _undo_failed,
}


def project(events: Sequence[Event]) -> Projection:
    """The state a history leads to."""
    state = Projection()
    for event in events:
        state.apply(event)
    return state
