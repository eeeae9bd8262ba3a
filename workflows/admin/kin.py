"""Runs that belong to a run, on its page: its parent, its children and why it waits for them, its chain."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html

from workflows import clock, queries
from workflows.admin.outlook import HELD
from workflows.admin.presentation import RUN_COLOURS, error_text, moment, span, state_text
from workflows.admin.sending import run_url
from workflows.contracts import HistoryEntry, StepView, WorkflowRun
from workflows.core.errors import NotFound
from workflows.core.events import EventKind
from workflows.core.status import CLOSED, RunStatus, StepKind, StepStatus

#: Children that a page reads, held and open ones first, and rows of their card.
MOST_CHILDREN = 200
_MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact with its name; an id can be copied, one with an address leads there."""

    name: str
    text: str
    is_id: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A child, as text."""

    seq: int | None
    workflow: str
    short_id: str
    state: str
    colour: str
    url: str
    created: str
    took: str


@dataclass(frozen=True, slots=True)
class ChildrenCard:
    """The children of a run; `more` when the list behind `url` has others."""

    rows: list[ChildRow]
    more: bool
    url: str


@dataclass(frozen=True, slots=True)
class Children:
    """The children of a run: by step and by the id of their first link, as a card, and what open steps wait for."""

    ids: dict[int, uuid.UUID] = field(default_factory=dict)
    by_id: dict[uuid.UUID, WorkflowRun] = field(default_factory=dict)
    card: ChildrenCard | None = None
    #: Step -> sentence; steps whose child is held stand first.
    told: dict[int, str] = field(default_factory=dict)

    def of(self, step: StepView) -> ChildRow | None:
        """The child that a step started, or that an undo lets run its plan."""
        child = self.ids.get(step.seq)
        if child is None:
            return None
        run = self.by_id.get(child)
        if run is None:
            return ChildRow(step.seq, step.name, str(child)[:8], "", "default", run_url(child), "", "")
        return _row(run)


def _ids(steps: Sequence[StepView], history: Sequence[HistoryEntry]) -> dict[int, uuid.UUID]:
    """By step, the first link of the child that it started, or that it lets run its plan."""
    started = {step.seq: step.child_id for step in steps if step.child_id is not None}
    undone = (event.data for event in history if event.kind == EventKind.COMPENSATION_STARTED)
    return started | {data["seq"]: uuid.UUID(data["child"]) for data in undone if data.get("child")}


def read_children(
    run: WorkflowRun, steps: Sequence[StepView], history: Sequence[HistoryEntry], *, everything: bool
) -> Children:
    """The children that the run's steps started or undo; nothing is asked where there are none."""
    ids = _ids(steps, history)
    if not ids:
        return Children()
    found = queries.list_children([run.id], limit=None if everything else MOST_CHILDREN)
    by_id = {child.chain_id or child.id: child for child in found}
    waiting = [step for step in steps if step.status == StepStatus.RUNNING and step.seq in ids]
    by_id |= _elsewhere(ids[step.seq] for step in waiting if ids[step.seq] not in by_id)
    pairs = [(step, by_id[ids[step.seq]]) for step in waiting if ids[step.seq] in by_id]
    rows = [_row(child) for child in found[:_MOST_ROWS]]
    url = f"{reverse('admin:workflows_run_changelist')}?{urlencode({'parent': run.id})}"
    card = ChildrenCard(rows, len(found) > _MOST_ROWS, url) if rows else None
    return Children(ids, by_id, card, _told(pairs) if run.status not in CLOSED else {})


def _elsewhere(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, WorkflowRun]:
    """Children that an earlier link of the run's chain started, and that this one undoes."""
    found = {}
    for child in ids:
        try:
            found[child] = queries.get_run(queries.current_run_id(child))
        except NotFound:
            continue
    return found


def _told(pairs: Sequence[tuple[StepView, WorkflowRun]]) -> dict[int, str]:
    """What each step waits for, those with somebody to decide first; a child's own children are told one floor down."""
    moving = [child.id for _, child in pairs if child.status not in (*CLOSED, RunStatus.HELD)]
    below: dict[uuid.UUID | None, WorkflowRun] = {}
    for grandchild in queries.list_children(moving, limit=MOST_CHILDREN) if moving else ():
        if grandchild.status not in CLOSED:
            below.setdefault(grandchild.parent_id, grandchild)  # a held one stands first
    told = [(step, child, below.get(child.id)) for step, child in pairs]
    told.sort(key=lambda item: (not _is_held(item[1], item[2]), item[0].seq))
    return {step.seq: _sentence(step, child, grandchild) for step, child, grandchild in told}


def _is_held(*runs: WorkflowRun | None) -> bool:
    return any(run is not None and run.status == RunStatus.HELD for run in runs)


def _sentence(step: StepView, child: WorkflowRun, grandchild: WorkflowRun | None) -> str:
    what = "undoes its child" if step.kind == StepKind.COMPENSATION else "waits for its child"
    said = format_html("Step {} {} {}, which is {}.{}", step.seq, what, _link(child), _state(child), _why(child))
    if grandchild is None:
        return said
    return format_html(
        "{} That one has a child of its own, {}, which is {}.{}",
        said, _link(grandchild), _state(grandchild), _why(grandchild),
    )  # fmt: skip


def _link(run: WorkflowRun) -> str:
    return format_html('<a class="fa-link" href="{}">{} {}</a>', run_url(run.id), run.workflow, str(run.id)[:8])


def _state(run: WorkflowRun) -> str:
    return f"held as {(run.hold_reason or '').replace('_', ' ')}" if _is_held(run) else state_text(run.status, None)


def _why(run: WorkflowRun) -> str:
    """Why a held run waits; nothing for one that moves."""
    if not _is_held(run):
        return ""
    error = f" {error_text(run.error)}." if run.error else ""
    return f"{error} {HELD.get(run.hold_reason or '', '')}"


def _row(run: WorkflowRun) -> ChildRow:
    ended = run.closed_at
    return ChildRow(
        seq=run.parent_seq,
        workflow=run.workflow,
        short_id=str(run.id)[:8],
        state=state_text(run.status, run.hold_reason),
        colour=RUN_COLOURS[run.status],
        url=run_url(run.id),
        created=moment(run.created_at),
        took=span(ended - run.created_at) if ended is not None else f"open for {span(clock.now() - run.created_at)}",
    )


# --- Facts -----------------------------------------------------------------------------------------------------------


def kin_facts(run: WorkflowRun, history: Sequence[HistoryEntry]) -> list[Fact]:
    """Whose child it is, and its place in its chain."""
    facts = []
    if run.parent_id is not None:
        facts.append(_parent(run.parent_id, run.parent_seq))
    if run.link > 1 or run.continued_by is not None:
        facts.append(Fact("Chain", f"link {run.link}"))
    before = history[0].data.get("continues") if history else None
    if before is not None:
        facts.append(Fact("Continues", str(before)[:8], url=run_url(uuid.UUID(str(before)))))
    if run.continued_by is not None:
        facts.append(Fact("Continued by", str(run.continued_by)[:8], url=run_url(run.continued_by)))
        last = queries.current_run_id(run.id)
        if last != run.continued_by:
            facts.append(Fact("Newest link", str(last)[:8], url=run_url(last)))
    return facts


def _parent(parent_id: uuid.UUID, seq: int | None) -> Fact:
    try:
        parent = queries.get_run(parent_id)
    except NotFound:
        return Fact("Parent", str(parent_id), is_id=True)
    text = f"{parent.workflow} {str(parent_id)[:8]}, step {seq}, {state_text(parent.status, parent.hold_reason)}"
    return Fact("Parent", text, url=run_url(parent_id))


def attribute_facts(run: WorkflowRun) -> list[Fact]:
    """The search attributes, each with what its name is."""
    return [
        Fact(name, _attribute_text(value), is_id=isinstance(value, uuid.UUID)) for name, value in run.attributes.items()
    ]


def _attribute_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{moment(value)} UTC"
    return value.isoformat() if isinstance(value, date) else str(value)
