"""Test configuration of the whole project."""

from __future__ import annotations

import gc
import re
from typing import Any

import pytest

pytest_plugins = ["workflows.testing.plugin"]

#: What differs from one collection to the next: ids, signed keys, cursors.
_MADE_UP = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|^[\w:=-]{36,}$")


def pytest_make_parametrize_id(config: pytest.Config, val: Any, argname: str) -> str | None:
    """The same name for the same test in every process: side by side they must agree on what there is to do."""
    if isinstance(val, str) and _MADE_UP.search(val):
        return _MADE_UP.sub("made-up", val)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
