"""Talking to a run: signals, queries, updates. Names and shapes are checked at the door; a refusal writes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from workflows import queries, store
from workflows.contracts import WorkflowRun
from workflows.core import payloads
from workflows.core.asking import WorkflowInfo
from workflows.core.definitions import WorkflowDefinition, registry
from workflows.core.errors import (
    CodeMissing,
    EngineError,
    InvalidInput,
    NonDeterminismError,
    NotFound,
    PayloadError,
    QueryFailed,
    UnknownMessage,
    UpdateFailed,
    UpdatePending,
    UpdateRejected,
)
from workflows.core.failures import remote_error
from workflows.core.messages import Message, MessageKind
from workflows.core.replay import replay
from workflows.core.status import CLOSED, HoldReason, RunStatus
from workflows.core.workflow import Workflow
from workflows.models import InboxItem, Run
from workflows.operations import waiting
from workflows.operations.authority import Actor, authorise, checked_reason, record, storable
from workflows.operations.starting import MAX_KEY, start_run
from workflows.runtime import guard
from workflows.runtime.locking import LockedRun, locked_run

#: How long an update waits for its answer unless told.
UPDATE_TIMEOUT = timedelta(seconds=30)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1


def signal_run(
    run_id: uuid.UUID,
    name: str,
    /,
    *args: Any,
    actor: Actor = None,
    reason: str = "",
    key: str | None = None,
    **kwargs: Any,
) -> WorkflowRun:
    """Leave a signal for a run; it is delivered in order of arrival, also if the run has not begun or is held.

    A `key` that signalled this run before does nothing. Raises UnknownMessage, InvalidInput (arguments that do not
    fit), NotAllowedInState (the run is closed, or its code has ended), NotFound, PermissionRefused, CodeMissing.
    """
    principal = authorise(actor, "signal")
    reason = checked_reason(reason, required=False)
    with locked_run(run_id) as run:
        _leave_signal(run, name, args, kwargs, principal=principal, reason=reason, key=key)
    return queries.get_run(run_id)


def _leave_signal(
    run: LockedRun,
    name: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    principal: str,
    reason: str,
    key: str | None,
) -> None:
    key = checked_message_key(key)
    message = _message(_definition(run.row), MessageKind.SIGNAL, name)
    stored = _encoded(message, args, kwargs)
    if key is not None and run.knows("signal", key):
        return
    _require_listening(run, "signal")
    data = {"name": message.name, "args": stored}
    if run.leave_fact("signal", data, actor=principal, reason=reason, key=key):
        record("signal", principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow, signal=name)


def query_run(run_id: uuid.UUID, name: str, /, *args: Any, actor: Actor = None, **kwargs: Any) -> Any:
    """What a run's query answers from its state as recorded; works on closed runs and writes nothing.

    Raises UnknownMessage, InvalidInput, QueryFailed (the query raised; its code), NotFound, PermissionRefused,
    CodeMissing, NonDeterminismError (the code no longer fits the run's history).
    """
    authorise(actor, "query")
    row = Run.objects.filter(pk=store.current_link(run_id)).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    definition = _definition(row)
    message = _message(definition, MessageKind.QUERY, name)
    arguments = _bound(message, args, kwargs)
    info = WorkflowInfo(row.id, row.workflow, row.version, row.key, row.attempt, row.seed)
    events = store.load_history(row.id)
    with guard.watched():
        machine, _ = replay(definition, info, payloads.loads(row.input), events)
        try:
            if not machine.begun:
                raise QueryFailed("the run has not begun: there is no state yet", code="not_begun")
            answer = machine.query(name, arguments)
            codec = message.signature.result
            return codec.validate(answer, path="result")
        except (QueryFailed, NonDeterminismError):
            raise
        except Exception as error:
            code = getattr(error, "code", None)
            raise QueryFailed(
                payloads.error_data(error, machine.secrets)["message"], code=code if isinstance(code, str) else None
            ) from error
        finally:
            machine.dispose()


def update_run(
    run_id: uuid.UUID,
    name: str,
    /,
    *args: Any,
    id: str | None = None,
    actor: Actor = None,
    reason: str = "",
    timeout: timedelta = UPDATE_TIMEOUT,
    **kwargs: Any,
) -> Any:
    """Send an update and give what its method returned. A known `id` gives its stored answer, whatever was sent.

    Never call it inside a transaction: it waits for the run's driver, at most `timeout`. Raises UpdateRejected (the
    validator's code; nothing changed), UpdateFailed (the method raised; its code), UpdatePending (stored, no answer
    yet: ask again with the same id), UnknownMessage, InvalidInput, NotAllowedInState, NotFound, PermissionRefused,
    CodeMissing.
    """
    principal = authorise(actor, "update")
    reason = checked_reason(reason, required=False)
    update_id = checked_message_key(id) or str(uuid.uuid4())
    with locked_run(run_id) as run:
        _leave_update(run, name, args, kwargs, principal=principal, reason=reason, update_id=update_id)
        definition = _definition(run.row)
    return _await_answer(run_id, _message(definition, MessageKind.UPDATE, name), update_id, timeout)


def _leave_update(
    run: LockedRun,
    name: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    principal: str,
    reason: str,
    update_id: str,
) -> None:
    message = _message(_definition(run.row), MessageKind.UPDATE, name)
    stored = _encoded(message, args, kwargs)
    known = store.find_message(run.row.id, "update", update_id)
    if known is not None and not _was_rejected(known):
        return
    _require_listening(run, "update")
    if run.status == RunStatus.HELD:
        raise run.refuse("update", "its driver answers updates, and a held run has none")
    if known is not None:
        known.delete()  # what was rejected left no trace: the same id is asked anew
    data = {"name": message.name, "args": stored}
    run.leave_fact("update", data, actor=principal, reason=reason, key=update_id)
    record("update", principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow, update=name)


def _own_code(error: dict[str, Any]) -> str | None:
    """The code of a stored error; an exception that has none gets that of the answer it stands in."""
    return str(error["code"]) if error["code"] != EngineError.code else None


def _was_rejected(item: InboxItem) -> bool:
    return item.answer is not None and "rejected" in payloads.loads(item.answer)


def _await_answer(run_id: uuid.UUID, message: Message[..., Any], update_id: str, timeout: timedelta) -> Any:
    deadline = waiting.monotonic() + timeout.total_seconds()
    pause = _FIRST_PAUSE
    while True:
        # Read first: what it answered before it closed is there then.
        closed = queries.get_status(store.current_link(run_id)) in CLOSED
        item = store.find_message(run_id, "update", update_id)
        if item is not None and item.answer is not None:
            return _answer(item, message)
        left = deadline - waiting.monotonic()
        if closed or item is None:
            raise UpdateFailed("the run ended without answering the update", id=update_id, code="run_closed")
        if left <= 0:
            raise UpdatePending(f"update {update_id} is stored and not answered yet", id=update_id)
        waiting.pause(pause, left=left)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _answer(item: InboxItem, message: Message[..., Any]) -> Any:
    assert item.answer is not None
    answer = payloads.loads(item.answer)
    rejected = answer.get("rejected")
    if rejected is not None:
        raise UpdateRejected(rejected["message"], code=_own_code(rejected)) from remote_error(rejected)
    error = answer.get("error")
    if error is not None:
        raise UpdateFailed(error["message"], id=str(item.key), code=_own_code(error)) from remote_error(error)
    return message.signature.result.decode(answer["result"], path="result")


def signal_with_start(
    workflow: type[Workflow[Any]] | str,
    /,
    *args: Any,
    key: str,
    signal: str,
    signal_args: tuple[Any, ...] | Mapping[str, Any] = (),
    signal_key: str | None = None,
    actor: Actor = None,
    reason: str = "",
    **kwargs: Any,
) -> WorkflowRun:
    """Start the run of `key`, or find it, and leave it a signal, both or neither.

    Raises what `start_run` and `signal_run` raise.
    """
    principal = authorise(actor, "signal")
    given_reason = checked_reason(reason, required=False)
    positional, named = _split(signal_args)
    with transaction.atomic():
        run = start_run(workflow, *args, key=key, actor=actor, reason=reason, **kwargs)
        with locked_run(run.id) as locked:
            _leave_signal(locked, signal, positional, named, principal=principal, reason=given_reason, key=signal_key)
    return run


def update_with_start(
    workflow: type[Workflow[Any]] | str,
    /,
    *args: Any,
    key: str,
    update: str,
    update_args: tuple[Any, ...] | Mapping[str, Any] = (),
    id: str | None = None,
    actor: Actor = None,
    reason: str = "",
    timeout: timedelta = UPDATE_TIMEOUT,
    **kwargs: Any,
) -> Any:
    """Start the run of `key`, or find it, send it an update, both or neither, and give the update's answer.

    Raises what `start_run` and `update_run` raise.
    """
    principal = authorise(actor, "update")
    given_reason = checked_reason(reason, required=False)
    positional, named = _split(update_args)
    update_id = checked_message_key(id) or str(uuid.uuid4())
    with transaction.atomic():
        run = start_run(workflow, *args, key=key, actor=actor, reason=reason, **kwargs)
        with locked_run(run.id) as locked:
            _leave_update(
                locked, update, positional, named, principal=principal, reason=given_reason, update_id=update_id
            )
            message = _message(_definition(locked.row), MessageKind.UPDATE, update)
    return _await_answer(run.id, message, update_id, timeout)


# --- Checks at the door ----------------------------------------------------------------------------------------------


def _split(given: tuple[Any, ...] | Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    return ((), given) if isinstance(given, Mapping) else (tuple(given), {})


def _definition(row: Run) -> WorkflowDefinition:
    cls = registry.workflows.get(row.workflow, {}).get(row.version)
    if cls is None:
        raise CodeMissing(f"this process does not have the code of {row.workflow} version {row.version}")
    definition: WorkflowDefinition = cls.definition
    return definition


def _message(definition: WorkflowDefinition, kind: MessageKind, name: str) -> Message[..., Any]:
    message = definition.message(kind, name)
    if message is None:
        known = [other.name for other in definition.messages.values() if other.kind is kind]
        raise UnknownMessage(
            kind=kind.value, name=payloads.clean_text(str(name)), workflow=definition.name, known=known
        )
    return message


def _bound(message: Message[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return message.signature.bind(args, kwargs)
    except PayloadError as error:
        raise InvalidInput(str(error)) from error


def _encoded(message: Message[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return message.signature.encode(message.signature.bind(args, kwargs))
    except PayloadError as error:
        raise InvalidInput(str(error)) from error


def _require_listening(run: LockedRun, act: str) -> None:
    """The run is open, and its code has not ended."""
    if run.status in CLOSED:
        raise run.refuse(act)
    if run.row.hold_reason == HoldReason.FAILURE or run.only_undoes:
        raise run.refuse(act, "its code has ended")


def checked_message_key(key: str | None) -> str | None:
    """A dedupe key, or None; raises InvalidInput."""
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY:
        raise InvalidInput(f"a key is a text of 1 to {MAX_KEY} characters")
    return storable(key, "key")
