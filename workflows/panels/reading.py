"""Asking a provider: only for whoever may see its records, and never at the price of the page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from workflows.core.errors import EngineError

log = logging.getLogger("workflows.panels")

T = TypeVar("T")


class PanelUnread(EngineError):
    """What was asked for is read by a provider that failed; nothing is known about it now."""

    code = "panel_unread"


def may(user: object, *permissions: str) -> bool:
    """Whether the user holds every one of the permissions."""
    has_perm: Callable[[str], bool] = getattr(user, "has_perm", lambda _: False)
    return all(has_perm(permission) for permission in permissions)


def attempt(what: str, read: Callable[[], T]) -> T | None:
    """What a provider gives; None, and a line in the log, when it raises whatever it may be."""
    try:
        return read()
    except Exception:
        log.exception("%s could not be read", what)
        return None
