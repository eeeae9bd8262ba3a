"""Idempotency keys of operations with several effects."""

from __future__ import annotations

from lending.errors import InvalidKey

#: Room for the longest part within the 255 characters that are stored.
LONGEST_KEY = 240


def part(key: str, name: str) -> str:
    """The key of one effect (`key/name`); raises InvalidKey for a key that cannot be stored everywhere."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidKey
    return f"{key}/{name}"
