"""A history told in sentences: what each event says, for whoever reads the page of a run. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from workflows.admin.presentation import error_text, moment, pair, state_text
from workflows.core.events import EventKind
from workflows.core.status import HoldReason

Data = dict[str, Any]

#: Events that only an engineer asks for; the page shows them fainter.
BACKGROUND = frozenset({EventKind.FACT_DELIVERED, EventKind.STEP_SCHEDULED, EventKind.PATCH_MARKED})


def sentence(kind: str, data: Data) -> str:
    """What an event says; empty for a kind that has no sentence, whose data then speaks for itself."""
    tell = _SENTENCES.get(kind)
    return tell(data) if tell is not None else ""


def _step(data: Data) -> str:
    return f"step {data.get('seq')}, {data.get('name')}"


def _the_step(data: Data) -> str:
    return f"Step {data.get('seq')}, {data.get('name')}"


def _short(run_id: Any) -> str:
    """A run by the beginning of its id, as lists show it."""
    return str(run_id)[:8]


def _because(data: Data, *names: str) -> str:
    """The reason in quotation marks, as it was typed."""
    given = next((data[name] for name in names if data.get(name)), "")
    return f": “{given}”" if given else ""


def _failed(data: Data) -> str:
    error = data.get("error")
    return f": {error_text(error)}" if error else ""


def _attempts(data: Data) -> str:
    number = data.get("attempts")
    return "" if not number else f" after {pair(number, 'attempt')}"


def _run_started(data: Data) -> str:
    if data.get("continues"):
        return f"Goes on where {_short(data['continues'])} continued as new"
    if data.get("parent"):
        parent = data["parent"]
        return f"Started as the child of step {parent.get('seq')} of {_short(parent.get('run_id'))}"
    key = f" with the key {data['key']}" if data.get("key") else ""
    return f"Started by {data.get('actor')}{key}{_because(data, 'reason')}"


def _step_scheduled(data: Data) -> str:
    undo = f"; {data['undo']} would undo it" if data.get("undo") else ""
    return f"The workflow asks for {_step(data)}{undo}"


def _run_held(data: Data) -> str:
    if data.get("reason") == HoldReason.PAUSED:
        return f"Paused by {data.get('actor')}{_because(data, 'note')}"
    error = data.get("error")
    return f"Held, {state_text(data.get('reason') or '', None)}{': ' + error_text(error) if error else ''}"


def _cancel_requested(data: Data) -> str:
    late = "; it came too late" if data.get("too_late") else ""
    return f"{data.get('actor')} asks to cancel{_because(data, 'reason')}{late}"


def _retry_requested(data: Data) -> str:
    what = f" of {_step(data)}," if data.get("seq") is not None else ","
    how = " with changed input" if data.get("generation") else " with the same input"
    return f"{data.get('actor')} asks for a retry{what}{how}{_because(data, 'reason')}"


def _released(data: Data) -> str:
    where = "the compensation goes on" if data.get("compensating") else "the run goes on"
    return f"Released by {data.get('actor')}, {where}{_because(data, 'reason')}"


def _plan_started(data: Data) -> str:
    if data.get("end") == "resume":
        return "The workflow itself asks for what it did to be undone, then goes on"
    return f"What was done is undone now, last first; then the run is {state_text(str(data.get('end')), None)}"


def _step_started(data: Data) -> str:
    if not data.get("child"):
        return f"{_the_step(data)}, begins attempt {data.get('attempt')}"
    anew = f" in attempt {data['attempt']}" if data.get("attempt", 1) > 1 else ""
    return f"{_the_step(data)}, starts its child {_short(data['child'])}{anew}"


def _step_cancelled(data: Data) -> str:
    if data.get("terminated"):
        return f"{_the_step(data)}, ends with the run as it stands"
    return f"{_the_step(data)}, is given up"


def _child_close(data: Data) -> str:
    how = "is terminated" if data.get("how") == "terminate" else "is asked to cancel"
    return f"The child of {_step(data)}, {how}"


def _attributes_set(data: Data) -> str:
    given = data.get("attributes") or {}
    told = [f"{name} is {value['value']}" if value else f"{name} is taken away" for name, value in given.items()]
    return f"The run can be found by what it is about: {', '.join(told) or 'nothing'}"


def _continued(data: Data) -> str:
    following = f", {_short(data['next'])}" if data.get("next") else ""
    return f"The run goes on as a new link of its chain{following}"


def _undo_started(data: Data) -> str:
    if data.get("child"):
        return (
            f"The undo of step {data.get('undoes')} lets its child {data.get('name')} {_short(data['child'])} run its "
            f"plan, attempt {data.get('attempt')}"
        )
    undone = f" of step {data['undoes']}" if data.get("undoes") is not None else ""
    return f"The undo{undone}, {data.get('name')}, begins attempt {data.get('attempt')}"


def _arrived(what: str) -> Callable[[Data], str]:
    def tell(data: Data) -> str:
        sender = f" from {data['actor']}" if data.get("actor") else ""
        return f"The {what} {data.get('name')} arrives{sender}{_because(data, 'reason')}"

    return tell


def _update_answered(data: Data) -> str:
    failed = _failed(data)
    return f"The update {data.get('name')} fails{failed}" if failed else f"The update {data.get('name')} is answered"


def _resolved(data: Data) -> str:
    what = "happened" if data.get("outcome") == "happened" else "was not done"
    if data.get("actor") == "reconcile":
        return f"The counterparty knows that {_step(data)}, {what}"
    return f"{data.get('actor')} states that {_step(data)}, {what}{_because(data, 'reason')}"


def _moved(data: Data) -> str:
    until = _time(data.get("due_at"))
    return f"{data.get('actor')} moves the timer of {_step(data)}, to {until}{_because(data, 'reason')}"


def _fired(data: Data) -> str:
    if data.get("result") is False:
        return f"The time of {_step(data)}, is over; what it waited for has not come"
    return f"The timer of {_step(data)}, fires"


def _time(text: Any) -> str:
    try:
        return f"{moment(datetime.fromisoformat(text))} UTC"
    except (TypeError, ValueError):
        return "another time"


def _tracked(data: Data) -> str:
    said = data.get("data")
    return f"{data.get('step')}: {said}" if isinstance(said, str) else ""


_SENTENCES: dict[str, Callable[[Data], str]] = {
    EventKind.RUN_STARTED: _run_started,
    EventKind.CANCEL_REQUESTED: _cancel_requested,
    EventKind.RETRY_REQUESTED: _retry_requested,
    EventKind.COMPENSATION_REQUESTED: lambda data: f"{data.get('actor')} asks to compensate{_because(data, 'reason')}",
    EventKind.RUN_RELEASED: _released,
    EventKind.FACT_DELIVERED: lambda data: f"Event {data.get('of')} reaches the workflow",
    EventKind.STEP_COMPLETED: lambda data: f"{_the_step(data)}, completed",
    EventKind.STEP_FAILED: lambda data: f"{_the_step(data)}, failed for good{_attempts(data)}{_failed(data)}",
    EventKind.STEP_TIMED_OUT: lambda data: f"{_the_step(data)}, timed out{_attempts(data)}{_failed(data)}",
    EventKind.STEP_RESOLVED: _resolved,
    EventKind.TIMER_MOVED: _moved,
    EventKind.TIMER_FIRED: _fired,
    EventKind.WAIT_SATISFIED: lambda data: f"What step {data.get('seq')} waited for has come",
    EventKind.SIGNAL_RECEIVED: _arrived("signal"),
    EventKind.UPDATE_RECEIVED: _arrived("update"),
    EventKind.UPDATE_COMPLETED: _update_answered,
    EventKind.TIMEOUT_REACHED: lambda data: "The run's time is over",
    EventKind.PATCH_MARKED: lambda data: f"The run goes the new way at the change {data.get('change')}",
    EventKind.STEP_SCHEDULED: _step_scheduled,
    EventKind.STEP_CANCELLED: _step_cancelled,
    EventKind.CHILD_CLOSE_REQUESTED: _child_close,
    EventKind.ATTRIBUTES_SET: _attributes_set,
    EventKind.SIDE_EFFECT_RECORDED: lambda data: f"The side effect of {_step(data)} is recorded",
    EventKind.TRACKED: _tracked,
    EventKind.COMPENSATION_ADDED: lambda data: f"The workflow registers an undo by hand: {data.get('name')}",
    EventKind.STEP_STARTED: _step_started,
    EventKind.ATTEMPT_FAILED: lambda data: f"{_the_step(data)}, fails attempt {data.get('attempt')}{_failed(data)}",
    EventKind.PLAN_STARTED: _plan_started,
    EventKind.COMPENSATION_STARTED: _undo_started,
    EventKind.COMPENSATION_COMPLETED: lambda data: f"The undo {data.get('name')} completed",
    EventKind.COMPENSATION_FAILED: lambda data: (
        f"The undo {data.get('name')} failed for good{_attempts(data)}{_failed(data)}"
    ),
    EventKind.RUN_HELD: _run_held,
    EventKind.RUN_COMPLETED: lambda data: "The run is completed",
    EventKind.RUN_FAILED: lambda data: f"The run has failed{_failed(data)}",
    EventKind.RUN_COMPENSATED: lambda data: "Everything in the plan is undone; the run is compensated",
    EventKind.RUN_CANCELLED: lambda data: "The run is cancelled",
    EventKind.RUN_TERMINATED: lambda data: f"The run is terminated{_because(data, 'reason')}",
    EventKind.RUN_TIMED_OUT: lambda data: f"The run has timed out{_failed(data)}",
    EventKind.RUN_CONTINUED: _continued,
}
