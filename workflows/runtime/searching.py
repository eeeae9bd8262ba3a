"""Search attributes as rows: written in the commit in which the code sets them."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from workflows.core import payloads
from workflows.core.attributes import index_key
from workflows.core.projection import attributes_after
from workflows.models import RunAttribute
from workflows.runtime.session import Session
from workflows.store import Checkpoint


def set_attributes(session: Session, checkpoint: Checkpoint, values: dict[str, Any]) -> None:
    """Merge attributes into those of the run; None takes one away."""
    after = attributes_after(session.projection.attributes, checkpoint.events)
    checkpoint.run["attributes"] = payloads.dumps(after) if after else None
    checkpoint.joined.append(partial(write, session.claim.run_id, values))


def replace(run_id: uuid.UUID, before: dict[str, Any], after: dict[str, Any]) -> None:
    """The rows of a run whose attributes are others now."""
    write(run_id, dict.fromkeys(before) | after)


def write(run_id: uuid.UUID, values: dict[str, Any]) -> None:
    """The rows that are searched."""
    for name, value in values.items():
        if value is None:
            RunAttribute.objects.filter(run_id=run_id, name=name).delete()
            continue
        columns = {"type": value["type"], "value": index_key(value)}
        RunAttribute.objects.update_or_create(run_id=run_id, name=name, defaults=columns)
