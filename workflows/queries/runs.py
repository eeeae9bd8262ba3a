"""Runs, their types, and what was done to them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from workflows.contracts import WorkflowRun
from workflows.core import payloads
from workflows.core.attributes import LOOKUPS, ORDERED, Stored, check_name, decoded, index_key, readings, stored
from workflows.core.definitions import registry
from workflows.core.errors import InvalidInput, NotFound, PayloadError
from workflows.core.status import OPEN, RunStatus, StepKind, StepStatus
from workflows.models import AuditEntry, Run, RunAttribute, Step
from workflows.queries.errors import error_view
from workflows.store.chains import current_link

#: Far more digits than an attribute's number has.
_MOST_DIGITS = 100


def get_run(run_id: uuid.UUID) -> WorkflowRun:
    """A run as it stands; raises NotFound."""
    row = Run.objects.filter(pk=run_id).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return run_view(row)


def get_status(run_id: uuid.UUID) -> str:
    """A run's status alone; raises NotFound."""
    status = Run.objects.filter(pk=run_id).values_list("status", flat=True).first()
    if status is None:
        raise NotFound(f"there is no run {run_id}")
    return status


def current_run_id(run_id: uuid.UUID) -> uuid.UUID:
    """The run that goes on, or went last, where `run_id` continued as new; else itself."""
    return current_link(run_id)


def run_view(row: Run) -> WorkflowRun:
    """A row as the value that leaves the engine."""
    return run_views([row])[0]


def run_views(rows: Sequence[Run]) -> list[WorkflowRun]:
    """Rows as the values that leave the engine; what their chains say is read at once for all of them."""
    following, last = _chains([row.id for row in rows if row.status == RunStatus.CONTINUED])
    return [_view(row, last.get(row.id, row), following.get(row.id)) for row in rows]


def _chains(run_ids: Sequence[uuid.UUID]) -> tuple[dict[uuid.UUID, uuid.UUID], dict[uuid.UUID, Run]]:
    """Of runs that continued as new: the id of each one's next link, and the last link of its chain."""
    if not run_ids:
        return {}, {}
    links = Run.objects.filter(chain=Coalesce(OuterRef("chain"), OuterRef("id"))).order_by("-link")
    found = Run.objects.filter(pk__in=run_ids).values_list(
        "id", Subquery(links.filter(link=OuterRef("link") + 1).values("id")[:1]), Subquery(links.values("id")[:1])
    )
    told = list(found)
    ends = Run.objects.in_bulk([end for _, _, end in told if end is not None])
    return (
        {run_id: following for run_id, following, _ in told if following is not None},
        {run_id: ends[end] for run_id, _, end in told if end in ends},
    )


def _view(row: Run, last: Run, continued_by: uuid.UUID | None) -> WorkflowRun:
    stored = payloads.loads(last.result) if last.result is not None else None
    return WorkflowRun(
        id=row.id,
        workflow=row.workflow,
        version=row.version,
        key=row.key,
        status=row.status,
        hold_reason=row.hold_reason or None,
        requested=row.requested or None,
        input=payloads.mask(payloads.loads(row.input)),
        result=_decoded_result(last, stored),
        error=error_view(last.error),
        actor=row.actor,
        attempt=row.attempt,
        rerun_of=row.rerun_of,
        created_at=row.created_at,
        closed_at=row.closed_at,
        wake_at=row.wake_at,
        result_json=payloads.mask(stored),
        parent_id=row.parent,
        parent_seq=row.parent_seq,
        chain_id=row.chain or row.id,
        link=row.link,
        continued_by=continued_by,
        attributes=_attributes(row),
    )


def _attributes(row: Run) -> dict[str, Any]:
    if row.attributes is None:
        return {}
    return {name: decoded(value) for name, value in payloads.loads(row.attributes).items()}


def _decoded_result(row: Run, stored: Any) -> Any:
    if row.result is None:
        return None
    cls = registry.workflows.get(row.workflow, {}).get(row.version)
    if cls is None:
        return payloads.mask(stored)
    try:
        return cls.definition.signature.result.decode(stored, path="result")
    except PayloadError:
        return payloads.mask(stored)  # the result type changed since; the stored form is what there is


def filter_runs(
    *,
    workflow: str | None = None,
    status: str | Sequence[str] | None = None,
    hold_reason: str | None = None,
    key: str | None = None,
    text: str | None = None,
    among: Sequence[uuid.UUID] = (),
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    parent: uuid.UUID | None = None,
    attributes: Mapping[str, Any] | None = None,
    attribute_texts: Mapping[str, str] | None = None,
) -> QuerySet[Run]:
    """Rows that fit every filter given. `text` is a run id or a key, and the runs `among` fit it too; `parent` is the
    run whose children are asked for.

    `attributes`: name, or name and `__lt`, `__lte`, `__gt`, `__gte`, `__in`, to a typed value: equal type and value
    (1 equals 1.00), order for numbers, times and dates. `attribute_texts`: the same with texts as a query string has
    them, which fit any type they can be read as. Raises InvalidInput.
    """
    rows = Run.objects.all()
    if workflow:
        rows = rows.filter(workflow=workflow)
    if status:
        rows = rows.filter(status__in=[status] if isinstance(status, str) else list(status))
    if hold_reason:
        rows = rows.filter(hold_reason=hold_reason)
    if key:
        rows = rows.filter(key=key)
    if parent:
        rows = rows.filter(parent=parent)
    for name, value in (attributes or {}).items():
        rows = rows.filter(id__in=_with_attribute(name, partial(_typed, value)))
    for name, text_value in (attribute_texts or {}).items():
        rows = rows.filter(id__in=_with_attribute(name, partial(_read, text_value)))
    if created_from:
        rows = rows.filter(created_at__gte=created_from)
    if created_to:
        rows = rows.filter(created_at__lt=created_to)
    if text:
        rows = rows.filter(_named(text) | Q(pk__in=among))
    return rows


def _named(text: str) -> Q:
    try:
        return Q(pk=uuid.UUID(text)) | Q(key=text)
    except ValueError:
        return Q(key=text)


def _read(text: str, name: str) -> list[Stored]:
    if _is_huge(text):  # written out, `1e999999999` would fill the memory
        raise PayloadError(f"attribute {name}: no attribute holds a number of that many digits")
    return readings(text)


def _is_huge(text: str) -> bool:
    try:
        return abs(Decimal(text).adjusted()) > _MOST_DIGITS
    except InvalidOperation:
        return False


def _typed(value: Any, name: str) -> list[Stored]:
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    found = [stored(name, item) for item in values]
    if None in found:
        raise PayloadError(f"attribute {name}: there is no value to compare with")
    return [item for item in found if item is not None]


def _with_attribute(asked: str, read: Callable[[str], list[Stored]]) -> QuerySet[RunAttribute, Any]:
    """Ids of runs whose attribute compares as asked."""
    name, _, lookup = asked.partition("__")
    lookup = lookup or "exact"
    try:
        check_name(name)
        if lookup not in LOOKUPS:
            raise PayloadError(f"{lookup!r} is no comparison; there are {', '.join(LOOKUPS)}")
        values = read(name)
        if lookup not in ("exact", "in"):
            values = [value for value in values if value["type"] in ORDERED]
            if not values:
                raise PayloadError(f"attribute {name}: only numbers, times and dates have an order")
            lookup_name = f"value__{lookup}"
        else:
            lookup_name = "value"
        fits = Q(pk__in=[])
        for value in values:
            fits |= Q(type=value["type"], **{lookup_name: index_key(value)})
    except PayloadError as error:
        raise InvalidInput(str(error)) from error
    return RunAttribute.objects.filter(fits, name=name).values("run_id")


def list_runs(*, limit: int = 100, **filters: Any) -> list[WorkflowRun]:
    """The newest runs that fit the filters (see `filter_runs`)."""
    return run_views(list(filter_runs(**filters).order_by("-created_at", "-id")[:limit]))


def list_children(run_ids: Sequence[uuid.UUID], *, limit: int | None = None) -> list[WorkflowRun]:
    """The children of these runs, each as the link of its chain that goes on or went last.

    Those that are held stand first, then those that are open, then the newest.
    """
    rows = Run.objects.filter(parent__in=list(run_ids)).exclude(status=RunStatus.CONTINUED)
    urgency = Case(When(status=RunStatus.HELD, then=0), When(status__in=OPEN, then=1), default=2)
    return run_views(list(rows.order_by(urgency, "-created_at", "-id")[:limit]))


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, newest first, and where the next one begins."""

    runs: tuple[WorkflowRun, ...]
    after: tuple[datetime, uuid.UUID] | None


def page_runs(*, limit: int, after: tuple[datetime, uuid.UUID] | None = None, **filters: Any) -> RunPage:
    """One page by keyset: stable while new runs arrive, and it costs the same however deep."""
    rows = filter_runs(**filters)
    if after is not None:
        at, run_id = after
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=run_id))
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    page = found[:limit]
    more = len(found) > limit
    return RunPage(tuple(run_views(page)), (page[-1].created_at, page[-1].id) if more else None)


def count_by_type_and_state() -> list[tuple[str, str, int]]:
    """(workflow, status, number of runs), for metrics and the console's front page."""
    rows = Run.objects.values_list("workflow", "status").annotate(number=Count("id")).order_by("workflow", "status")
    return [(workflow, status, number) for workflow, status, number in rows]


@dataclass(frozen=True, slots=True)
class AuditView:
    """One act: who, what, when and why."""

    at: datetime
    act: str
    run_id: uuid.UUID | None
    actor: str
    reason: str
    detail: dict[str, Any]


def list_audit(*, run_id: uuid.UUID | None = None, limit: int = 100) -> list[AuditView]:
    """The newest acts, of one run or of all."""
    rows = AuditEntry.objects.all() if run_id is None else AuditEntry.objects.filter(run_id=run_id)
    return [audit_view(row) for row in rows.order_by("-at", "-id")[:limit]]


def audit_view(row: AuditEntry) -> AuditView:
    """A row of the audit as the value that leaves the engine."""
    return AuditView(row.at, row.act, row.run_id, row.actor, row.reason, payloads.loads(row.detail))


def failed_undos(run_id: uuid.UUID) -> list[tuple[int, int]]:
    """(seq, ticket) of undos that failed for good, or were given up with their run."""
    ended = [StepStatus.FAILED, StepStatus.TIMED_OUT, StepStatus.CANCELLED]
    rows = Step.objects.filter(run_id=run_id, kind=StepKind.COMPENSATION, status__in=ended)
    return list(rows.values_list("seq", "ticket"))
