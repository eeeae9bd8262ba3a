"""Idempotency keys of operations with several effects, and those under which a disbursement is known outside."""

from __future__ import annotations

from uuid import UUID

from lending.errors import InvalidKey

#: Room for the longest part within the 255 characters that are stored.
LONGEST_KEY = 240


def part(key: str, name: str) -> str:
    """The key of one effect (`key/name`); raises InvalidKey for a key that cannot be stored everywhere."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidKey
    return f"{key}/{name}"


def payment_key(transaction_id: UUID) -> str:
    """The key under which the rail and the ledger know a disbursement."""
    return f"lending:{transaction_id}"


def capture_key(transaction_id: UUID) -> str:
    """The ledger's key of the step into transit."""
    return part(payment_key(transaction_id), "capture")


def credit_key(transaction_id: UUID) -> str:
    """The ledger's key of the step to the borrower."""
    return part(payment_key(transaction_id), "credit")


def recovery_key(transaction_id: UUID) -> str:
    """The ledger's key of what was brought back of a payout whose money was spent in part."""
    return part(payment_key(transaction_id), "recovery")
