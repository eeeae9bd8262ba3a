"""What each step was given, gave and failed with, derived from history alone: for `verify` (SEMANTICS E24)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows.core.events import Event, EventKind
from workflows.core.status import StepKind

_K = EventKind
#: A cancel has values where it left a child to itself that had ended.
_RESULTS = frozenset(
    {_K.STEP_COMPLETED, _K.COMPENSATION_COMPLETED, _K.SIDE_EFFECT_RECORDED, _K.TIMER_FIRED, _K.STEP_CANCELLED}
)
_ERRORS = frozenset(
    {
        _K.ATTEMPT_FAILED, _K.STEP_FAILED, _K.STEP_TIMED_OUT, _K.COMPENSATION_FAILED, _K.SIDE_EFFECT_RECORDED,
        _K.STEP_CANCELLED,
    }
)  # fmt: skip


@dataclass(slots=True)
class StepValues:
    """Stored forms. An error stays beside the result of a later attempt; a retry by an operator clears both."""

    args: Any = None
    result: Any = None
    error: Any = None


def step_values(events: Sequence[Event]) -> dict[int, StepValues]:
    """The values of every step by its number, as its row must hold them."""
    steps: dict[int, StepValues] = {}
    undos: set[int] = set()
    children: set[int] = set()
    for event in events:
        seq, data = event.data.get("seq"), event.data
        if event.kind == _K.COMPENSATION_REQUESTED:
            for undo in undos:
                if steps[undo].result is None:
                    steps[undo].error = None
            continue
        for reopened in data.get("reopened", ()) if event.kind == _K.RETRY_REQUESTED else ():
            if reopened in children:
                steps[reopened].error = None
        if seq is None:
            continue
        if event.kind in (_K.STEP_SCHEDULED, _K.SIDE_EFFECT_RECORDED):
            steps[seq] = StepValues(args=data.get("args", {}))
            if data.get("kind") == StepKind.CHILD:
                children.add(seq)
        elif event.kind == _K.COMPENSATION_STARTED:
            undos.add(seq)
            steps.setdefault(seq, StepValues(args=data.get("args")))
        elif event.kind == _K.RETRY_REQUESTED:
            steps[seq] = StepValues(args=data.get("args", steps[seq].args))
        if seq in steps and event.kind == _K.WAIT_SATISFIED:
            steps[seq].result = True
        if seq in steps and event.kind in _RESULTS:
            steps[seq].result = data.get("result")
        if seq in steps and event.kind in _ERRORS and data.get("error") is not None:
            steps[seq].error = data["error"]
    return steps
