"""Starting a run for a request: the input object's names are the workflow's, never the operation's own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rest_framework.request import Request

from workflows import operations, queries
from workflows.api.errors import FieldProblem, InvalidBody, UpdateOfStartRefused
from workflows.api.messages import wait_for_answer
from workflows.contracts import SentMessage, WorkflowRun
from workflows.core.errors import InvalidInput, UnknownMessage, UpdateFailed, UpdateRejected
from workflows.core.messages import MessageKind
from workflows.operations.starting import find_definition
from workflows.queries.messages import bind, in_order


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


@dataclass(frozen=True, slots=True)
class StartWithMessage:
    """A start that brings a signal or an update along, as the request asks for it.

    `input` and the message's arguments are in order: by name they could become the operation's own.
    """

    workflow: str
    input: tuple[Any, ...]
    key: str
    message: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


def read_start(kind: MessageKind, body: Mapping[str, Any], *, key: str | None, actor: Any) -> StartWithMessage:
    """The start of a body that holds a message of this kind.

    Raises UnknownWorkflow, and InvalidBody or InvalidInput for what does not fit, also for a start without a key.
    """
    given = body[kind]
    if key is None:
        said = "A start that brings a message along needs a key: it names the run that is found again."
        raise InvalidBody([FieldProblem("key", "required", said)])
    definition = find_definition(body["workflow"], body.get("version"))
    try:
        message = bind(definition, kind, given["name"], given["input"])
    except UnknownMessage as error:
        raise InvalidBody([FieldProblem(f"{kind}.name", error.code, str(error))], code=error.code) from error
    delay = body.get("delay")
    return StartWithMessage(
        workflow=body["workflow"],
        input=in_order(definition.signature, body["input"]),
        key=key,
        message=given["name"],
        arguments=message.arguments,
        options={
            "version": body.get("version"),
            "delay": None if delay is None else timedelta(seconds=delay),
            "actor": actor,
            "reason": body["reason"],
        },
    )


def start_with_signal(asked: StartWithMessage, *, signal_key: str | None) -> WorkflowRun:
    """Start or find the run and leave it the signal, both or neither. Raises what `signal_with_start` raises."""
    return operations.signal_with_start(
        asked.workflow,
        *asked.input,
        key=asked.key,
        signal=asked.message,
        signal_args=asked.arguments,
        signal_key=signal_key,
        **asked.options,
    )


def start_with_update(
    request: Request, asked: StartWithMessage, *, update_id: str | None
) -> tuple[WorkflowRun, SentMessage, bool, dict[str, str]]:
    """Start or find the run, send it the update, both or neither; whether it was answered in time, and headers.

    Raises what `update_with_start` raises; UpdateOfStartRefused where the run stands and its update does not.
    """
    known_as = update_id or str(uuid.uuid4())
    try:
        answered, headers = wait_for_answer(
            request,
            lambda timeout: operations.update_with_start(
                asked.workflow,
                *asked.input,
                key=asked.key,
                update=asked.message,
                update_args=asked.arguments,
                id=known_as,
                timeout=timeout,
                **asked.options,
            ),
        )
    except (UpdateRejected, UpdateFailed) as refusal:
        raise UpdateOfStartRefused(refusal, run_id=_run_of(asked).id) from refusal
    run = _run_of(asked)
    return run, queries.get_update(run.id, asked.message, known_as), answered, headers


def _run_of(asked: StartWithMessage) -> WorkflowRun:
    return queries.list_runs(workflow=asked.workflow, key=asked.key, limit=1)[0]
