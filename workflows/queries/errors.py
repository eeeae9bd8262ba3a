"""Errors as they leave the engine: without the marks by which the engine tells doubtful ones."""

from __future__ import annotations

from typing import Any

from workflows.core import payloads

_TOLD = ("type", "code", "message", "cause")


def error_view(stored: str | None) -> dict[str, Any] | None:
    """A stored error as {type, code, message, cause}; None where there is none."""
    return _told(payloads.loads(stored)) if stored is not None else None


def _told(error: dict[str, Any]) -> dict[str, Any]:
    told = {name: error.get(name) for name in _TOLD}
    if isinstance(told["cause"], dict):
        told["cause"] = _told(told["cause"])
    return told
