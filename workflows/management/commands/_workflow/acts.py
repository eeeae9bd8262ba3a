"""Sub-commands that change something: each makes one call of an operation."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from workflows import operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import InvalidInput, UpdatePending
from workflows.management.commands._workflow import exits, following, messages, rendering, shapes
from workflows.management.commands._workflow.door import (
    Door,
    actor_named,
    arguments_of_message,
    input_object,
    json_value,
    run_named,
)
from workflows.management.commands._workflow.exits import Exit

Options = dict[str, Any]

#: Words of `start_run` itself; `execute` never has a parameter of such a name.
_NOT_INPUT = frozenset({"key", "delay", "version", "actor", "reason"})


def start(door: Door, options: Options) -> Exit:
    """Start a run, or find the one that the key belongs to."""
    given = input_object(options["input"])
    for name in sorted(_NOT_INPUT & set(given)):
        raise InvalidInput(f"{name}: unexpected input field")
    if options["signal"] is not None or options["update"] is not None:
        return _start_with_message(door, options, given)
    run = operations.start_run(
        options["name"],
        key=options["key"],
        version=options["version_number"],
        delay=options["delay"],
        actor=actor_named(options["user"]),
        reason=options["reason"],
        **given,
    )
    return _tell_new(door, run, options, "started" if run.created else "exists already")


def _start_with_message(door: Door, options: Options, given: dict[str, Any]) -> Exit:
    if options["key"] is None:
        raise InvalidInput("key: a start that brings a message along needs one, it names the run that is found again")
    given_to_it = arguments_of_message(options["message_input"])
    sent = tuple(given_to_it) if isinstance(given_to_it, list) else given_to_it
    start: dict[str, Any] = {
        "key": options["key"], "version": options["version_number"], "delay": options["delay"],
        "actor": actor_named(options["user"]), "reason": options["reason"], **given,
    }  # fmt: skip
    if options["signal"] is not None:
        run = operations.signal_with_start(
            options["name"], signal=options["signal"], signal_args=sent, signal_key=options["message_key"], **start
        )
        return _tell_new(door, run, options, "started" if run.created else "exists already")
    if options["wait"] is not None:
        raise InvalidInput("wait: an update is waited for by itself; `watch` waits for the run")
    update_id = options["message_key"] or str(uuid.uuid4())
    try:
        operations.update_with_start(options["name"], update=options["update"], update_args=sent, id=update_id, **start)
        code = Exit.OK
    except UpdatePending:
        code = Exit.STILL_OPEN
    (run,) = queries.list_runs(workflow=options["name"], key=options["key"], limit=1)
    return messages.tell_update(door, run.id, options["update"], update_id, code)


def rerun(door: Door, options: Options) -> Exit:
    """Start a new run with the input of another."""
    run = operations.rerun(run_named(options["run"]), actor=actor_named(options["user"]), reason=options["reason"])
    return _tell_new(door, run, options, "started")


def _tell_new(door: Door, run: WorkflowRun, options: Options, what: str) -> Exit:
    created = run.created
    if options["wait"] is None:
        door.show(shapes.of_run(run, created=created), rendering.line(run).append(f"  {what}"))
        return Exit.OK
    seconds = None if options["wait"] is True else options["wait"].total_seconds()
    run, interrupted = following.wait(run.id, seconds)
    lines = [rendering.line(run)]
    if run.error is not None:
        lines.append(rendering.safe(rendering.error_text(run.error), "red"))
    door.show(shapes.of_run(run, created=created), *lines)
    return Exit.INTERRUPTED if interrupted else exits.of_run(run)


def retry(door: Door, options: Options) -> Exit:
    """Go on from the step that failed."""
    edits = None if options["input"] is None else input_object(options["input"])
    return _act(door, options, operations.retry_run, input=edits)


def compensate(door: Door, options: Options) -> Exit:
    """Run what is left of the compensation plan, or show it."""
    if options["dry_run"]:
        actor = actor_named(options["user"])
        items = operations.compensate_run(run_named(options["run"]), dry_run=True, actor=actor)
        door.show(shapes.of_plan(items), rendering.plan(items))
        return Exit.OK
    return _act(door, options, operations.compensate_run)


def resolve(door: Door, options: Options) -> Exit:
    """Say what a step in doubt did."""
    result = None if options["result"] is None else json_value(options["result"], what="result")
    return _act(door, options, operations.resolve_step, options["seq"], outcome=options["outcome"], result=result)


def cancel(door: Door, options: Options) -> Exit:
    return _act(door, options, operations.cancel_run)


def pause(door: Door, options: Options) -> Exit:
    return _act(door, options, operations.pause_run)


def resume(door: Door, options: Options) -> Exit:
    return _act(door, options, operations.resume_run)


def _act(door: Door, options: Options, operation: Callable[..., WorkflowRun], *given: Any, **more: Any) -> Exit:
    actor = actor_named(options["user"])
    run = operation(run_named(options["run"]), *given, actor=actor, reason=options["reason"], **more)
    door.show(shapes.of_run(run), rendering.line(run))
    return Exit.OK


def duration(text: str) -> timedelta:
    """Seconds on the command line, zero or more. Raises ValueError."""
    seconds = float(text)
    if not 0 <= seconds < 1e9:
        raise ValueError(text)
    return timedelta(seconds=seconds)
