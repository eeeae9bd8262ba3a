"""What providers of several domains do alike: rows that a term names whole, ids in names of owners, runs of rows."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from workflows.panels.contracts import MOST_RUNS


def named(term: str, *fields: str) -> Q:
    """Rows of this id, or of which one of the fields is this term, whole: index look-ups, never a scan."""
    found = Q(pk__in=())
    for field in fields:
        found |= Q(**{field: term})
    with contextlib.suppress(ValueError):
        found |= Q(pk=UUID(term))
    return found


def ids_of(owners: Sequence[str], prefix: str) -> dict[UUID, str]:
    """Owners of the form `<prefix>:<id>` by their ids."""
    found = {}
    for owner in owners:
        with contextlib.suppress(ValueError):
            if owner.startswith(f"{prefix}:"):
                found[UUID(owner.removeprefix(f"{prefix}:"))] = owner
    return found


def run_ids(rows: QuerySet[Any], field: str = "run_id") -> list[UUID]:
    """The runs of these rows in their order, at most `MOST_RUNS`."""
    found = rows.filter(**{f"{field}__isnull": False}).values_list(field, flat=True)[:MOST_RUNS]
    return list(dict.fromkeys(found))
