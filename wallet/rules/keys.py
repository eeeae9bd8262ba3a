"""Idempotency keys of operations with several effects."""

from __future__ import annotations

from wallet.errors import InvalidKey

#: Room for the longest part within the 255 characters that are stored.
LONGEST_KEY = 240


def check_key(key: str) -> str:
    """The key; raises InvalidKey for one that cannot be stored everywhere."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidKey
    return key


def part(key: str, name: str) -> str:
    """The key of one effect (`key/name`); raises InvalidKey."""
    return f"{check_key(key)}/{name}"
