"""Errors as they leave the engine: without the marks by which the engine tells doubtful ones."""

from __future__ import annotations

from typing import Any

from workflows.core import payloads

_MARKS = frozenset({"in_doubt", "unknown"})


def error_view(stored: str | None) -> dict[str, Any] | None:
    """A stored error as {type, code, message, cause}; None where there is none.

    A `NonDeterminismError` also tells the expected and the found command.
    """
    return _told(payloads.loads(stored)) if stored is not None else None


def _told(error: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in error.items() if name not in _MARKS}
    if isinstance(told.get("cause"), dict):
        told["cause"] = _told(told["cause"])
    return told
