"""While workflow code runs in this thread, a database query raises NonDeterminismError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections

from workflows.core.definitions import bar_workflow_code


def _refuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    bar_workflow_code("workflow code queried the database; read in an activity and take the result from the step")
    return execute(sql, params, many, context)


def bar_database() -> None:
    """Bar every connection of this thread for workflow code, once; all other code passes."""
    for alias in connections:
        # Looked up one by one: `all()` costs as much as everything else that is done when a fact is delivered.
        wrappers = connections[alias].execute_wrappers
        if _refuse not in wrappers:
            wrappers.append(_refuse)
