"""Everything the page of one run shows, read by `workflows.queries` alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workflows import clock, queries
from workflows.admin import timeline
from workflows.admin.acts import (
    AUDIT,
    RESCHEDULE,
    RESOLVE,
    Button,
    User,
    buttons,
    locked,
    may,
    move_url,
    resolve_url,
)
from workflows.admin.kin import (
    Children,
    ChildrenCard,
    ChildRow,
    Fact,
    attribute_facts,
    kin_facts,
    read_children,
)
from workflows.admin.messages_card import MessagesCard, messages_card
from workflows.admin.narrative import BACKGROUND, sentence
from workflows.admin.outlook import outlook
from workflows.admin.panels import MoneyCard, RecordsCard, money_card, records_card
from workflows.admin.presentation import (
    RUN_COLOURS,
    STEP_COLOURS,
    amounts_text,
    brief,
    error_text,
    instant,
    moment,
    pretty,
    span,
    state_text,
)
from workflows.admin.values import Outline, outline
from workflows.admin.waiting import when, worker_text
from workflows.contracts import DoubtView, HistoryEntry, PlanItemView, StepView, WorkflowRun, WorkflowType
from workflows.core.errors import CodeMissing
from workflows.core.status import HoldReason, RunStatus, StepKind, StepStatus
from workflows.queries.doubts import doubts_among
from workflows.queries.runs import AuditView

#: Rows of steps and of history on a page unless everything is asked for; the newest are shown.
MOST_ROWS = 200
_YOUNG = timedelta(seconds=30)
_WAITS = frozenset({StepKind.TIMER, StepKind.WAIT})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, as text."""

    number: int
    started: str
    took: str
    error: str
    #: What the attempt's last heartbeat told, and who runs it; of the present one alone.
    heartbeat: str = ""
    worker: str = ""


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step, as text. `note` is what it waits for; `move` and `resolve` are addresses of dialogs, empty without."""

    view: StepView
    colour: str
    is_undo: bool
    started: str
    took: str
    attempts: tuple[Attempt, ...]
    arguments: str
    result: str
    error: str
    note: str
    move: str
    resolve: str
    #: The child that it started, or whose plan it runs.
    child: ChildRow | None = None

    @property
    def has_details(self) -> bool:
        """Whether there is more to say of its attempts than how many there were."""
        one = self.attempts[0] if len(self.attempts) == 1 else None
        return len(self.attempts) > 1 or (one is not None and bool(one.error or one.heartbeat or one.worker))


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, as text; `is_faint` for what only an engineer asks for."""

    position: int
    kind: str
    at: str
    says: str
    data: str
    is_faint: bool


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One undo, as text."""

    view: PlanItemView
    colour: str
    amounts: str
    arguments: Outline


@dataclass(frozen=True, slots=True)
class Payload:
    """A stored value: as people read it, and as it is stored."""

    outline: Outline
    json: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """The page of one run. `hidden_*` count the older rows that are not shown."""

    run: WorkflowRun
    state: str
    colour: str
    error: str
    error_detail: str
    #: Seconds until the page of a run that moves asks again; None for one that does not.
    renews_after: int | None
    outlook: list[str]
    facts: list[Fact]
    #: Its search attributes.
    attributes: list[Fact]
    buttons: list[Button]
    #: Acts that fit the state but not the user's permissions.
    locked: list[str]
    input: Payload
    result: Payload | None
    steps: list[StepRow]
    hidden_steps: int
    #: None for a run that started no child.
    children: ChildrenCard | None
    history: list[EventRow]
    hidden_events: int
    plan: list[PlanRow]
    #: None for whoever may not see the audit trail.
    audit: list[AuditView] | None
    timeline: timeline.Timeline | None
    #: None for a run that takes no messages and was sent none.
    messages: MessagesCard | None
    #: Records of domains, and money; None where there is none, and for who may not see it.
    related: RecordsCard | None
    money: MoneyCard | None


def read_run_page(run_id: uuid.UUID, user: User, *, everything: bool = False) -> RunPage:
    """The page for one user; `everything` shows also the oldest rows. Raises NotFound."""
    run = queries.get_run(run_id)
    steps = queries.list_steps(run_id)
    history = queries.get_history(run_id)
    plan = queries.get_compensation_plan(run_id)
    shown = None if everything else MOST_ROWS
    now = clock.now()
    doubts = doubts_among(steps) if run.hold_reason == HoldReason.IN_DOUBT else []
    takes = _type_of(run)
    family = queries.family_of([run])
    children = read_children(run, steps, history, everything=everything)
    return RunPage(
        run=run,
        state=state_text(run.status, run.hold_reason),
        colour=RUN_COLOURS[run.status],
        error=error_text(run.error) if run.error else "",
        error_detail=pretty(run.error) if run.error else "",
        renews_after=_renews_after(run, now),
        outlook=outlook(run, steps, plan, history, now=now, doubts=doubts, takes=takes, children=children.told),
        facts=[*_facts(run), *kin_facts(run, history)],
        attributes=attribute_facts(run),
        buttons=[*_resolve_buttons(run, doubts, user), *buttons(run, plan, user)],
        locked=[*(["Resolve"] if doubts and not may(user, RESOLVE) else []), *locked(run, plan, user)],
        input=_payload(run.input),
        result=_payload(run.result_json) if run.result_json is not None else None,
        steps=[_step(step, run, user, now, children) for step in _newest(steps, shown)],
        hidden_steps=_hidden(steps, shown),
        children=children.card,
        history=[_event(event) for event in _newest(history, shown)],
        hidden_events=_hidden(history, shown),
        plan=plan_rows(plan),
        audit=queries.list_audit(run_id=run_id) if may(user, AUDIT) else None,
        timeline=timeline.draw(steps, begin=run.created_at, end=_end(run, history)),
        messages=messages_card(run, takes, history, user),
        related=records_card(queries.list_related(family, user=user)),
        money=money_card(queries.money_of([relative.id for relative in family], user=user)),
    )


def _type_of(run: WorkflowRun) -> WorkflowType | None:
    """What the run's workflow takes, where this process has its code."""
    try:
        return queries.get_workflow(run.workflow, run.version)
    except CodeMissing:
        return None


def _resolve_buttons(run: WorkflowRun, doubts: Sequence[DoubtView], user: User) -> list[Button]:
    if not may(user, RESOLVE):
        return []
    return [
        Button(f"Resolve step {doubt.step.seq}", "fact_check", "primary", resolve_url(run.id, doubt.step.seq))
        for doubt in doubts
    ]


def _renews_after(run: WorkflowRun, now: datetime) -> int | None:
    """Most runs end in their first seconds, while somebody watches."""
    if not _moves(run):
        return None
    return 1 if now - run.created_at < _YOUNG else 3


def _moves(run: WorkflowRun) -> bool:
    return run.closed_at is None and run.status != RunStatus.HELD


def _end(run: WorkflowRun, history: list[HistoryEntry]) -> datetime:
    """Where the picture ends: now for a run that goes on, else where its history does."""
    if _moves(run):
        return clock.now()
    return max(history[-1].at, run.created_at) if history else run.created_at


def _newest(rows: list[Any], shown: int | None) -> list[Any]:
    return rows if shown is None else rows[-shown:]


def _hidden(rows: list[Any], shown: int | None) -> int:
    return 0 if shown is None else max(len(rows) - shown, 0)


def _payload(value: Any) -> Payload:
    return Payload(outline(value), pretty(value))


def _facts(run: WorkflowRun) -> list[Fact]:
    ended = run.closed_at
    facts = [
        Fact("Run", str(run.id), is_id=True),
        Fact("Key", run.key or "none", is_id=bool(run.key)),
        Fact("Version", str(run.version)),
        Fact("Started by", run.actor),
        Fact("Created", f"{moment(run.created_at)} UTC"),
    ]
    if ended is not None:
        facts.append(Fact("Closed", f"{moment(ended)} UTC"))
    else:
        facts.append(Fact("Open for", span(clock.now() - run.created_at)))
    if run.wake_at is not None:
        facts.append(Fact("Due", f"{moment(run.wake_at)} UTC"))
    if run.attempt > 1:
        facts.append(Fact("Start number", str(run.attempt)))
    return facts


def _step(step: StepView, run: WorkflowRun, user: User, now: datetime, children: Children) -> StepRow:
    took = ""
    if step.settled_at is not None:
        took = span(step.settled_at - (step.started_at or step.scheduled_at))
    is_movable = step.status == StepStatus.SCHEDULED and step.kind in _WAITS and step.due_at is not None
    is_doubted = step.in_doubt and run.hold_reason == HoldReason.IN_DOUBT
    return StepRow(
        view=step,
        colour="warning" if _is_undo(step) and step.status == StepStatus.COMPLETED else STEP_COLOURS[step.status],
        is_undo=_is_undo(step),
        started=moment(step.started_at or step.scheduled_at),
        took=took,
        attempts=_attempts(step),
        arguments=pretty(step.arguments),
        result=pretty(step.result) if step.result is not None else "",
        error=error_text(step.error) if step.error else "",
        note=_note(step, now) if run.closed_at is None else "",
        move=move_url(run.id, step.seq) if is_movable and run.closed_at is None and may(user, RESCHEDULE) else "",
        resolve=resolve_url(run.id, step.seq) if is_doubted and may(user, RESOLVE) else "",
        child=children.of(step),
    )


def _note(step: StepView, now: datetime) -> str:
    """What an open step waits for, beside its status."""
    if step.status == StepStatus.SCHEDULED and step.due_at is not None:
        return f"due {moment(step.due_at)} UTC, {when(step.due_at, now)}"
    if step.awaits_token:
        return "to be ended from outside"
    if step.in_doubt:
        return "in doubt"
    return ""


def _attempts(step: StepView) -> tuple[Attempt, ...]:
    last = len(step.tries) - 1
    return tuple(
        Attempt(
            item.number,
            moment(item.started_at),
            span(item.ended_at - item.started_at) if item.ended_at and item.started_at else "",
            error_text(item.error) if item.error else "",
            heartbeat=brief(step.heartbeat) if number == last and step.heartbeat is not None else "",
            worker=worker_text(step.worker) if number == last and step.worker is not None else "",
        )
        for number, item in enumerate(step.tries)
    )


def _is_undo(step: StepView) -> bool:
    return step.kind == StepKind.COMPENSATION


def _event(event: HistoryEntry) -> EventRow:
    return EventRow(
        event.position,
        event.kind,
        instant(event.at),
        sentence(event.kind, event.data) or brief(event.data),
        pretty(event.data),
        event.kind in BACKGROUND,
    )


def plan_rows(plan: Sequence[PlanItemView]) -> list[PlanRow]:
    """The undos of a plan as rows of a table."""
    return [_plan_item(item) for item in plan]


def _plan_item(item: PlanItemView) -> PlanRow:
    colour = "warning" if item.status == "completed" else STEP_COLOURS.get(item.status, "default")
    return PlanRow(item, colour, amounts_text(item.amounts), outline(item.arguments))
