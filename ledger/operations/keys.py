"""Idempotency keys: where a call, its repetition and its undo meet.

A key is claimed by inserting its row. Of two transactions that claim the same key at once, the second waits in its
INSERT until the first has ended, and then finds the row or takes the key. So exactly one of a forward call and its
undo comes first, on both databases.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connections, router

from ledger import rules
from ledger.errors import IdempotencyConflict, InvalidKey, KeyVoided
from ledger.models import KEY_LENGTH, Act, UsedKey
from workflows import clock


def is_storable(text: Any, *, longest: int) -> bool:
    """Whether it is a text that every database stores: no NUL, no lone surrogate, not too long."""
    return (
        isinstance(text, str)
        and len(text) <= longest
        and not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in text)
    )


def check_key(key: object) -> None:
    """Refuse what is no key."""
    if not key or not is_storable(key, longest=KEY_LENGTH):
        raise InvalidKey()


def claim(key: str, act: Act, digest: str, subject_id: UUID | None) -> UsedKey | None:
    """Take the key for this act: None if it is ours now, else the record of its first use."""
    check_key(key)
    row = UsedKey(key=key, act=act, digest=digest, subject_id=subject_id, used_at=clock.now())
    connection = connections[router.db_for_write(UsedKey)]
    fields = UsedKey._meta.concrete_fields
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    names = ", ".join(str(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        # Not the ORM: it does not tell whether a row was inserted or the key was there.
        cursor.execute(
            f"INSERT INTO {UsedKey._meta.db_table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608
            values,
        )
        if cursor.rowcount == 1:
            return None
    return UsedKey.objects.get(pk=key)


def claim_or_repeat(key: str, act: Act, digest: str, subject_id: UUID | None) -> UsedKey | None:
    """As `claim`, for a call that may be a repetition: raises `KeyVoided` and `IdempotencyConflict`."""
    used = claim(key, act, digest, subject_id)
    if used is not None:
        check_repetition(used, act, digest)
    return used


def find_repetition(key: str, act: Act, digest: str) -> UsedKey | None:
    """The record of the same call made before, or None; raises as `claim_or_repeat`. Takes no lock."""
    check_key(key)
    used = UsedKey.objects.filter(pk=key).first()
    if used is not None:
        check_repetition(used, act, digest)
    return used


def check_repetition(used: UsedKey, act: Act, digest: str) -> None:
    """Refuse a key that was voided, or that stands for something else."""
    if used.act == Act.VOID:
        raise KeyVoided(used.key)
    if (used.act, used.digest) != (act, digest):
        raise IdempotencyConflict(used.key)


def void_or_lock(undone_key: str) -> UsedKey:
    """For an undo: the record of the key, locked; a void if the key was never used, and then it never will be."""
    claim(undone_key, Act.VOID, rules.digest("void"), None)
    return UsedKey.objects.select_for_update(no_key=True).get(pk=undone_key)
