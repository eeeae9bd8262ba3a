"""Tokens stand in paths, and servers log paths: whoever reads a log must not be able to end a step."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

#: Loggers that name paths of requests: Django's own, and the access logs of the servers that we know.
LOGGERS = (
    "django.request", "django.server", "django.security.csrf", "gunicorn.access", "uvicorn.access", "granian.access",
)  # fmt: skip

_TOKEN = re.compile(r"(/activities/)[^/\s?#\"']+")


class TokensUnseen(logging.Filter):
    """Masks the tokens of completion in what is logged; it lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _masked(record.msg)
        arguments: Any = record.args
        if isinstance(arguments, MutableMapping):
            # In place: access logs bring mappings of their own kind, which know more names than they hold.
            for name, value in list(arguments.items()):
                arguments[name] = _masked(value)
        elif isinstance(arguments, tuple):
            record.args = tuple(_masked(value) for value in arguments)
        return True


def _masked(value: Any) -> Any:
    return _TOKEN.sub(r"\1•••", value) if isinstance(value, str) else value


_FILTER = TokensUnseen()


def hide_tokens() -> None:
    """Put the filter on every logger that names paths; called where the paths with tokens are served."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
