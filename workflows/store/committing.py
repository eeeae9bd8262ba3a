"""Writes a checkpoint on whatever database is in use."""

from __future__ import annotations

from functools import cache

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from workflows.store import portable, postgres
from workflows.store.checkpoint import Checkpoint, Head, chain


@cache
def _on_postgres() -> bool:
    """Asked once: the look-up through Django's connections costs more than the answer."""
    return connections[DEFAULT_DB_ALIAS].vendor == "postgresql"


def commit(checkpoint: Checkpoint) -> Head | None:
    """Write a checkpoint and give the new head, or None when the fence (or `unless_wanted`) refused it.

    In autocommit it is its own transaction; inside `atomic()` it joins, and the caller must roll back on None.
    """
    head, rows = chain(checkpoint)
    run = dict(checkpoint.run)
    if rows:
        run |= {"head_seq": head.seq, "head_hash": head.hash}
    write = postgres.write if _on_postgres() else portable.write
    if not checkpoint.joined:
        return head if write(checkpoint, run, rows) else None
    with transaction.atomic(savepoint=False):
        if not write(checkpoint, run, rows):
            return None
        for act in checkpoint.joined:
            act()
    return head
