"""Runs and records of domains, from either side, as far as whoever looks may see them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from workflows.contracts import WorkflowRun
from workflows.core import payloads
from workflows.core.errors import NotFound, PermissionRefused
from workflows.models import Run
from workflows.panels.contracts import MOST_RUNS, Record, RecordKind
from workflows.panels.reading import PanelUnread, attempt, may
from workflows.panels.registry import registry
from workflows.queries.runs import run_view

VIEW_RUN = "workflows.view_run"
#: Records of one kind that a panel lists, and hits of one kind that a search gives.
MOST_RECORDS = 20
MOST_HITS = 5
#: Newest runs of a workflow whose input is looked through for a record's id.
_LOOKED_THROUGH = 1000
_LONGEST_TERM = 200
#: Runs of a family that are looked at, and how many generations of children.
MOST_RELATIVES = 200
_GENERATIONS = 4


@dataclass(frozen=True, slots=True)
class RelatedRecords:
    """Records by kind; `unread` names kinds that could not be read."""

    records: tuple[Record, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunsOfRecord:
    """The newest runs of a record, newest first; `more` when there may be older ones, `unread` when it failed."""

    runs: tuple[WorkflowRun, ...] = ()
    more: bool = False
    unread: bool = False


class Named(Protocol):
    """A run as far as panels need it: its workflow and its input, sensitive fields masked."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def workflow(self) -> str: ...
    @property
    def input(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Relative:
    """A run that belongs to another one: its child, or another link of its chain."""

    id: uuid.UUID
    workflow: str
    input: dict[str, Any]


def family_of(runs: Sequence[WorkflowRun]) -> list[Named]:
    """These runs, the other links of their chains and the children of all of them: what they moved is theirs too.

    The nearest `MOST_RELATIVES` of those; one query for each generation.
    """
    found: dict[uuid.UUID, Named] = {run.id: run for run in runs}
    chains = [run.chain_id for run in runs if run.link > 1 or run.continued_by is not None]
    if chains:
        _add(found, Run.objects.filter(Q(pk__in=chains) | Q(chain__in=chains)).order_by("-link"))
    generation = list(found)
    for _ in range(_GENERATIONS):
        generation = _add(found, Run.objects.filter(parent__in=generation).order_by("created_at", "id"))
        if not generation:
            break
    return list(found.values())


def _add(found: dict[uuid.UUID, Named], rows: QuerySet[Run]) -> list[uuid.UUID]:
    """Add the rows as far as there is room; gives the new ones."""
    room = max(MOST_RELATIVES - len(found), 0)
    new = rows.exclude(pk__in=list(found)).values_list("pk", "workflow", "input")[:room]
    fresh = [Relative(run_id, workflow, payloads.mask(payloads.loads(given))) for run_id, workflow, given in new]
    found |= {item.id: item for item in fresh}
    return [item.id for item in fresh]


def kind_of(name: str) -> RecordKind:
    """A registered kind of record; raises NotFound."""
    kind = registry.kinds.get(name)
    if kind is None:
        raise NotFound(f"there are no records of kind {name!r}")
    return kind


def get_record(kind_name: str, record_id: uuid.UUID, *, user: object) -> Record:
    """One record as its domain names it; raises NotFound, PermissionRefused, PanelUnread."""
    kind = kind_of(kind_name)
    if not may(user, kind.permission):
        raise PermissionRefused(f"this needs the permission {kind.permission}")
    found = attempt(f"records of {kind.name}", lambda: tuple(kind.read([record_id])))
    if found is None:
        raise PanelUnread(f"records of kind {kind.name} could not be read")
    if not found:
        raise NotFound(f"there is no {kind.label.lower()} {record_id}")
    return found[0]


def list_related_to(record: Record, runs: Sequence[Named], *, user: object) -> RelatedRecords:
    """What these runs relate a record to, and whose money it is; never itself."""
    found = list_related(runs, user=user, but=record)
    kind = registry.kinds.get(record.kind)
    owners = None if kind is None else attempt(f"owners of {kind.name}", lambda: tuple(kind.owners(record.id)))
    if kind is not None and owners is None:
        return RelatedRecords(found.records, (*found.unread, "owners"))
    theirs = owners_of(owners or (), user=user).values()
    known = {(item.kind, item.id) for item in (*found.records, record)}
    fresh = {(item.kind, item.id): item for item in theirs if (item.kind, item.id) not in known}
    return RelatedRecords((*fresh.values(), *found.records), found.unread)


def list_related(runs: Sequence[Named], *, user: object, but: Record | None = None) -> RelatedRecords:
    """The records that belong to these runs, kind by kind; without the one that asks."""
    records: list[Record] = []
    unread: list[str] = []
    for kind in _kinds_for(user) if runs else ():
        found = attempt(f"records of {kind.name}", partial(_records_of, kind, runs))
        if found is None:
            unread.append(kind.label)
        else:
            records += [item for item in found if but is None or (item.kind, item.id) != (but.kind, but.id)]
    return RelatedRecords(tuple(records), tuple(unread))


def _records_of(kind: RecordKind, runs: Sequence[Named]) -> list[Record]:
    writing = [run.id for run in runs if not kind.writers or run.workflow.startswith(kind.writers)]
    found = {record.id: record for record in kind.of_runs(writing)} if writing else {}
    named = [name for name in (_named(kind, run) for run in runs) if name is not None and name not in found]
    if named:
        found |= {record.id: record for record in kind.read(list(dict.fromkeys(named)))}
    return list(found.values())[:MOST_RECORDS]


def _named(kind: RecordKind, run: Named) -> uuid.UUID | None:
    """The record that the run's input names."""
    parameter = kind.named_by.get(run.workflow)
    try:
        return None if parameter is None else uuid.UUID(str(run.input.get(parameter)))
    except ValueError:
        return None


def list_runs_of(kind_name: str, record_id: uuid.UUID, *, user: object) -> RunsOfRecord:
    """The newest runs of a record: nothing for whoever may not view runs or the record, nor for an unknown kind."""
    kind = registry.kinds.get(kind_name)
    if kind is None or not may(user, VIEW_RUN, kind.permission):
        return RunsOfRecord()
    found = attempt(f"runs of {kind.name}", partial(_runs_of, kind, record_id))
    if found is None:
        return RunsOfRecord(unread=True)
    rows = list(Run.objects.filter(pk__in=found).order_by("-created_at", "-id")[: MOST_RUNS + 1])
    more = len(rows) > MOST_RUNS or len(found) >= MOST_RUNS
    return RunsOfRecord(tuple(run_view(row) for row in rows[:MOST_RUNS]), more=more)


def _runs_of(kind: RecordKind, record_id: uuid.UUID) -> list[uuid.UUID]:
    return [*kind.runs_of(record_id), *_naming(kind, record_id)]


def _naming(kind: RecordKind, record_id: uuid.UUID) -> Iterable[uuid.UUID]:
    """Runs whose input names the record, among the newest of their workflow."""
    for workflow, parameter in kind.named_by.items():
        newest = Run.objects.filter(workflow=workflow).order_by("-created_at").values("pk")[:_LOOKED_THROUGH]
        # Inputs are stored as canonical JSON, so what a parameter names stands there as exactly this text.
        naming = Run.objects.filter(pk__in=newest, input__contains=f'"{parameter}":"{record_id}"')
        yield from naming.order_by("-created_at").values_list("pk", flat=True)[:MOST_RUNS]


def search_records(text: str, *, user: object) -> RelatedRecords:
    """Records that a whole id, reference or name names, a few of each kind that the user may view."""
    term = text.strip()
    if not 2 <= len(term) <= _LONGEST_TERM or not term.isprintable():
        return RelatedRecords()
    records: list[Record] = []
    unread: list[str] = []
    for kind in _kinds_for(user):
        found = attempt(f"a search of {kind.name}", partial(_found, kind, term))
        if found is None:
            unread.append(kind.label)
        else:
            records += found
    return RelatedRecords(tuple(records), tuple(unread))


def _found(kind: RecordKind, term: str) -> list[Record]:
    found: list[Record] = []
    for record in kind.find(term):
        found.append(record)
        if len(found) == MOST_HITS:
            break
    return found


def _kinds_for(user: object) -> list[RecordKind]:
    return [kind for kind in registry.kinds.values() if may(user, kind.permission)]


def owners_of(owners: Sequence[str], *, user: object) -> dict[str, Record]:
    """Whose money these owners of ledger accounts stand for, where a domain that the user may see knows it."""
    wanted = list(dict.fromkeys(owners))
    found: dict[str, Record] = {}
    for kind in _kinds_for(user) if wanted else ():
        found |= attempt(f"owners of {kind.name}", partial(kind.of_owners, wanted)) or {}
    return found
