"""Steps in doubt: what is known of each for whoever has to say what happened (SEMANTICS D19)."""

from __future__ import annotations

import uuid
from typing import Any

from workflows.contracts import DoubtView, StepView
from workflows.core.definitions import registry
from workflows.core.errors import NotFound
from workflows.queries.steps import list_steps
from workflows.queries.types import result_schema


def list_doubts(run_id: uuid.UUID) -> list[DoubtView]:
    """The steps of a run that are in doubt, by number; raises NotFound for an unknown run."""
    return doubts_among(list_steps(run_id))


def get_doubt(run_id: uuid.UUID, seq: int) -> DoubtView:
    """One step in doubt; raises NotFound."""
    found = next((doubt for doubt in list_doubts(run_id) if doubt.step.seq == seq), None)
    if found is None:
        raise NotFound(f"step {seq} of run {run_id} is not in doubt")
    return found


def doubts_among(steps: list[StepView]) -> list[DoubtView]:
    """Those of a run's steps that are in doubt."""
    return [_doubt(step) for step in steps if step.in_doubt]


def _doubt(step: StepView) -> DoubtView:
    activity = registry.activities.get(step.name)
    reconcile = activity.options_.reconcile if activity is not None else None
    schema: dict[str, Any] | None = result_schema(activity.signature) if activity is not None else None
    return DoubtView(step, reconcile.name if reconcile is not None else None, schema)
