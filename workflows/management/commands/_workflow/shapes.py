"""The JSON that `--json` prints: the shapes of the REST answers, sensitive fields masked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from workflows.contracts import (
    DeliveryView,
    Finding,
    HistoryEntry,
    PlanItemView,
    SentMessage,
    StepView,
    TimerView,
    WorkflowRun,
)

_RUN_FIELDS = (
    "id", "workflow", "version", "key", "status", "hold_reason", "requested", "input", "error", "actor", "attempt",
    "rerun_of", "created_at", "closed_at", "wake_at", "parent_id", "parent_seq", "chain_id", "link", "continued_by",
    "attributes",
)  # fmt: skip


def of_run(run: WorkflowRun, **more: Any) -> dict[str, Any]:
    """A run; `more` is put behind it."""
    fields = {name: getattr(run, name) for name in _RUN_FIELDS}
    shape: dict[str, Any] = _plain({**fields, "result": run.result_json, **more})
    return shape


def of_steps(steps: Sequence[StepView]) -> list[Any]:
    return [_plain(asdict(step)) for step in steps]


def of_history(entries: Sequence[HistoryEntry]) -> list[Any]:
    return [_plain(asdict(entry)) for entry in entries]


def of_plan(items: Sequence[PlanItemView]) -> list[Any]:
    return [_plain(asdict(item)) for item in items]


def of_timers(timers: Sequence[TimerView]) -> list[Any]:
    return [_plain({**asdict(timer), "is_movable": timer.is_movable}) for timer in timers]


def of_delivery(delivery: DeliveryView) -> dict[str, Any]:
    shape: dict[str, Any] = _plain(asdict(delivery))
    return shape


def of_update(sent: SentMessage) -> dict[str, Any]:
    """An update as it stands; `id` tells it from its repetition."""
    shape: dict[str, Any] = _plain(
        {
            "id": sent.key, "name": sent.name, "run_id": sent.run_id, "status": sent.status, "input": sent.arguments,
            "result": sent.result, "error": sent.error, "actor": sent.actor, "arrived_at": sent.arrived_at,
            "delivered_at": sent.delivered_at,
        }
    )  # fmt: skip
    return shape


def of_findings(findings: Sequence[Finding]) -> list[Any]:
    return [_plain(asdict(finding)) for finding in findings]


def _plain(value: Any) -> Any:
    """A value of our contracts in JSON's own types."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    if isinstance(value, date):  # a time too
        return value.isoformat()
    return value
