"""Writes a checkpoint on whatever database is in use."""

from __future__ import annotations

from django.db import connection

from workflows.store import portable, postgres
from workflows.store.checkpoint import Checkpoint, Head, chain


def commit(checkpoint: Checkpoint) -> Head | None:
    """Write a checkpoint and give the new head, or None when the fence (or `unless_wanted`) refused it.

    In autocommit it is its own transaction; inside `atomic()` it joins, and the caller must roll back on None.
    """
    head, rows = chain(checkpoint)
    run = dict(checkpoint.run)
    if rows:
        run |= {"head_seq": head.seq, "head_hash": head.hash}
    if connection.vendor == "postgresql":
        written = postgres.write(checkpoint, run, rows)
    else:
        written = portable.write(checkpoint, run, rows)
    return head if written else None
