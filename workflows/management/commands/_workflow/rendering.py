"""Runs, steps, plans and histories as tables for a person at a terminal.

Everything shown may hold text from outside, so characters that steer a terminal are spelled out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from workflows.contracts import DeliveryView, Finding, HistoryEntry, PlanItemView, StepView, TimerView, WorkflowRun

_STYLES = {
    "completed": "green",
    "failed": "red",
    "timed_out": "red",
    "compensation_failed": "red",
    "held": "yellow",
    "compensating": "yellow",
    "compensated": "magenta",
    "cancelled": "dim",
    "terminated": "dim",
    "running": "cyan",
    "waiting": "cyan",
    "parked": "red",
    "delivered": "green",
    "undeliverable": "dim",
    "dropped": "dim",
}
_LONGEST_DATA = 160


def safe(value: object, style: str = "") -> Text:
    """A text whose every unprintable character is spelled out."""
    shown = "" if value is None else str(value)
    return Text("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown), style=style)


def at(moment: datetime | None) -> str:
    """A time as people read it, UTC to the second."""
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


def state(run: WorkflowRun) -> Text:
    """A run's status with why it is held and what is asked of it."""
    text = safe(run.status, _STYLES.get(run.status, ""))
    if run.hold_reason:
        text.append(f" ({run.hold_reason})")
    if run.requested:
        text.append(f", {run.requested} requested")
    return text


def line(run: WorkflowRun) -> Text:
    """A run in one line."""
    parts = [safe(run.id), safe(run.workflow), state(run)]
    if run.key is not None:
        parts.append(safe(f"key {run.key}"))
    return Text("  ").join(parts)


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=name in ("run", "status", "at", "kind", "due"), overflow="fold")
    return table


def runs(found: Sequence[WorkflowRun]) -> RenderableType:
    if not found:
        return safe("no runs")
    table = _table("run", "workflow", "status", "key", "created", "closed")
    for run in found:
        table.add_row(
            safe(run.id), safe(run.workflow), state(run), safe(run.key), at(run.created_at), at(run.closed_at)
        )
    return table


def whole(
    run: WorkflowRun, steps: Sequence[StepView], items: Sequence[PlanItemView], children: Sequence[WorkflowRun] = ()
) -> RenderableType:
    """A run with its steps, its children and its compensation plan."""
    parts: list[RenderableType] = [_facts(run)]
    if steps:
        parts += ["", _steps(steps)]
    if children:
        parts += ["", _children(children)]
    if items:
        parts += ["", plan(items)]
    return Group(*parts)


def _facts(run: WorkflowRun) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows: list[tuple[str, Any]] = [
        ("run", run.id),
        ("workflow", f"{run.workflow} version {run.version}"),
        ("status", state(run)),
        ("key", run.key),
        ("started by", run.actor),
        ("rerun of", run.rerun_of),
        ("parent", None if run.parent_id is None else f"{run.parent_id} step {run.parent_seq}"),
        ("chain", _chain(run)),
        ("continued by", run.continued_by),
        ("attributes", ", ".join(f"{name}={_attribute(value)}" for name, value in run.attributes.items())),
        ("created", at(run.created_at)),
        ("closed", at(run.closed_at)),
        ("due", at(run.wake_at)),
        ("input", json.dumps(run.input, ensure_ascii=False)),
        ("result", None if run.result_json is None else json.dumps(run.result_json, ensure_ascii=False)),
        ("error", None if run.error is None else error_text(run.error)),
    ]
    for name, value in rows:
        if value not in (None, ""):
            table.add_row(name, value if isinstance(value, Text) else safe(value))
    return table


def _chain(run: WorkflowRun) -> str | None:
    if run.link == 1 and run.continued_by is None:
        return None
    return f"link {run.link}" + (f" of {run.chain_id}" if run.link > 1 else "")


def _attribute(value: Any) -> str:
    """A search attribute as `list --attribute` takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _children(found: Sequence[WorkflowRun]) -> RenderableType:
    table = _table("step", "run", "workflow", "status", "created", "closed", title="Children")
    for child in found:
        table.add_row(
            str(child.parent_seq), safe(child.id), safe(child.workflow), state(child), at(child.created_at),
            at(child.closed_at),
        )  # fmt: skip
    return table


def deliveries(found: Sequence[DeliveryView]) -> RenderableType:
    """Business events and what became of them, newest first."""
    if not found:
        return safe("no events")
    table = _table("event", "at", "name", "saga", "for", "key", "status", "run", "error")
    for item in found:
        status = safe(item.status, _STYLES.get(item.status, ""))
        if item.behind:
            status.append(f" ({item.behind} behind)")
        table.add_row(
            str(item.id), at(item.published_at), safe(item.event), safe(item.workflow), safe(item.method or "start"),
            safe(item.key), status, safe(item.run_id),
            safe(None if item.error is None or item.status == "delivered" else error_text(item.error)),
        )  # fmt: skip
    return table


def delivery(item: DeliveryView) -> Text:
    """A delivery in one line."""
    parts = [str(item.id), item.event, item.workflow, item.key]
    return Text("  ").join([*map(safe, parts), safe(item.status, _STYLES.get(item.status, ""))])


def error_text(error: dict[str, Any]) -> str:
    return f"{error.get('type')} [{error.get('code')}]: {error.get('message')}"


def _steps(steps: Sequence[StepView]) -> RenderableType:
    table = _table("step", "kind", "name", "status", "attempts", "started", "settled", "error", title="Steps")
    for step in steps:
        table.add_row(
            str(step.seq),
            safe(step.kind if step.undoes is None else f"{step.kind} of {step.undoes}"),
            safe(step.name),
            safe(step.status, _STYLES.get(step.status, "")),
            str(step.attempts),
            at(step.started_at),
            at(step.settled_at),
            safe(None if step.error is None else error_text(step.error)),
        )
    return table


def plan(items: Sequence[PlanItemView]) -> RenderableType:
    """The undos of a run in the order they run."""
    if not items:
        return safe("nothing to compensate")
    table = _table("order", "undo", "of step", "status", "amounts", title="Compensation plan")
    for item in items:
        undone = None if item.undoes is None else f"{item.undoes} {item.undone_activity or ''}"
        amounts = ", ".join(f"{amount['amount']} {amount['currency']}" for amount in item.amounts)
        status = safe(item.status, _STYLES.get(item.status, ""))
        table.add_row(str(item.seq), safe(item.activity), safe(undone), status, safe(amounts))
    return table


def timers(found: Sequence[TimerView], *, now: datetime) -> RenderableType:
    """What runs wait for, first due first."""
    if not found:
        return safe("no timers")
    table = _table("due", "", "kind", "run", "step", "workflow", "key", "status")
    for timer in found:
        late = safe("overdue", "red") if timer.is_overdue else safe(f"in {_length(timer.due_at - now)}")
        state_of = timer.run_status + (f" ({timer.hold_reason})" if timer.hold_reason else "")
        table.add_row(
            at(timer.due_at), late, safe(timer.kind), safe(timer.run_id), safe(f"{timer.seq} {timer.name}"),
            safe(timer.workflow), safe(timer.key), safe(state_of, _STYLES.get(timer.run_status, "")),
        )  # fmt: skip
    return table


def _length(time: timedelta) -> str:
    """A length of time in days, hours, minutes and seconds: `3d 04:05:06`."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d " * bool(days) + f"{hours:02}:{minutes:02}:{seconds:02}"


def history(entries: Iterable[HistoryEntry]) -> RenderableType:
    table = _table("", "at", "kind", "data", title="History")
    for entry in entries:
        data = json.dumps(entry.data, ensure_ascii=False)
        shown = data if len(data) <= _LONGEST_DATA else f"{data[:_LONGEST_DATA]}..."
        table.add_row(str(entry.position), at(entry.at), safe(entry.kind), safe(shown))
    return table


def findings(found: Sequence[Finding]) -> RenderableType:
    table = _table("run", "event", "problem")
    for finding in found:
        table.add_row(safe(finding.run_id), safe(finding.position), safe(finding.problem, "red"))
    return table
