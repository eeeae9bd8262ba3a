"""Runs that belong together: children by their parent's step, chains that continued as new (SEMANTICS A6).

The first link's id names a whole chain.
"""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet

from workflows.core.status import RunStatus
from workflows.models import InboxItem, Run


def links_of(run_id: uuid.UUID) -> QuerySet[Run]:
    """Every link of the chain that a run belongs to, in no order; a run that never continued is its own chain."""
    own = Run.objects.filter(pk=run_id).values("chain")
    return Run.objects.filter(Q(pk=run_id) | Q(chain__in=own) | Q(pk__in=own) | Q(chain=run_id))


def current_link(run_id: uuid.UUID) -> uuid.UUID:
    """The run that goes on, or went last, in the chain of `run_id`; itself where it never continued or is unknown."""
    row = Run.objects.filter(pk=run_id).values_list("status", "chain").first()
    if row is None or row[0] != RunStatus.CONTINUED:
        return run_id
    last = Run.objects.filter(chain=row[1] or run_id).order_by("-link").values_list("id", flat=True).first()
    return last if last is not None else run_id


def find_message(run_id: uuid.UUID, kind: str, key: str) -> InboxItem | None:
    """The message of this key that any link of the run's chain was sent: a chain has one set of keys."""
    items = InboxItem.objects.filter(kind=kind, key=key)
    own = items.filter(run_id=run_id).first()
    if own is not None or not Run.objects.filter(Q(pk=run_id, chain__isnull=False) | Q(chain=run_id)).exists():
        return own
    return items.filter(run_id__in=links_of(run_id).values("id")).first()


def child_id(parent: uuid.UUID, seq: int, attempt: int) -> uuid.UUID:
    """The id of the run that a child step starts in its try number `attempt`."""
    return uuid.uuid5(parent, f"child:{seq}:{attempt}")
