"""Starting a run for a request: the input object's names are the workflow's, never the operation's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rest_framework.request import Request

from workflows import operations
from workflows.contracts import WorkflowRun
from workflows.core.errors import InvalidInput
from workflows.operations.starting import find_definition


def start(
    request: Request,
    workflow: str,
    *,
    key: str | None,
    input: Mapping[str, Any],
    version: int | None = None,
    delay: timedelta | None = None,
    reason: str = "",
) -> WorkflowRun:
    """Start a run as the request's user, or give the one the key belongs to.

    The names are checked before they are spread into the call: an input that holds `actor` or `key` must not become
    the operation's. Raises what `operations.start_run` raises.
    """
    signature = find_definition(workflow, version).signature
    unknown = sorted(set(input) - set(signature.parameters))
    if unknown:
        raise InvalidInput(f"{signature.label}: unknown argument(s): {', '.join(map(repr, unknown))}")
    return operations.start_run(
        workflow, key=key, version=version, delay=delay, actor=request.user, reason=reason, **input
    )
