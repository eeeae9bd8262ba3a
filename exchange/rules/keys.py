"""Idempotency keys: those that callers give, and those under which the ledger knows an order's and a trade's money."""

from __future__ import annotations

from uuid import UUID

from exchange.errors import InvalidKey

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


def hold_key(order_id: UUID, number: int) -> str:
    """The order's hold: each fill captures one and places the next."""
    return f"exchange:order:{order_id}/hold/{number}"


def capture_key(order_id: UUID, number: int) -> str:
    """The capture of that hold by fills."""
    return f"exchange:order:{order_id}/capture/{number}"


def release_key(order_id: UUID, number: int) -> str:
    """The release of that hold where nothing is filled any more."""
    return f"exchange:order:{order_id}/release/{number}"


def settlement_key(trade_id: UUID) -> str:
    """The one transfer that settles a trade."""
    return f"exchange:trade:{trade_id}/settlement"
