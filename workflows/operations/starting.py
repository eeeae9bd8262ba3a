"""Starting runs: validated input, start checks, one run per key for ever."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction

from workflows import conf, crypto, queries
from workflows.contracts import WorkflowRun
from workflows.core import payloads
from workflows.core.definitions import WorkflowDefinition, registry
from workflows.core.errors import InvalidInput, NonRetryable, NotFound, PayloadError, StartRefused, UnknownWorkflow
from workflows.core.workflow import Workflow
from workflows.models import Run
from workflows.operations.authority import Actor, authorise, checked_reason, record, storable
from workflows.runtime import dispatch, starts
from workflows.runtime.starts import NewRun

MAX_KEY = 255


def start_run(
    workflow: type[Workflow[Any]] | str,
    /,
    *args: Any,
    key: str | None = None,
    delay: timedelta | None = None,
    version: int | None = None,
    actor: Actor = None,
    reason: str = "",
    **kwargs: Any,
) -> WorkflowRun:
    """Start a run, or give the one that `key` belongs to (`created` tells which).

    `workflow` is the class or its registered name; other arguments are those of `execute`. Joins the caller's
    transaction: rolled back means never started. Raises UnknownWorkflow, InvalidInput, KeyConflict (same key, other
    input), StartRefused (a start check said no; its `code`), PermissionRefused.
    """
    principal = authorise(actor, "start")
    reason = checked_reason(reason, required=False)
    definition = find_definition(workflow, version)
    key = _checked_key(key)
    bound = _bind(definition, args, kwargs)
    stored = _encode(definition, bound)
    digest = crypto.input_digest(payloads.dumps_sorted(definition.signature.plain(bound)))
    if key is not None:
        existing = starts.find_by_key(definition.name, key, digest)
        if existing is not None:
            return queries.get_run(existing.id)
    run_start_checks(definition, bound)
    new = NewRun(
        definition=definition,
        stored_input=stored,
        digest=digest,
        key=key,
        delay=_checked_delay(delay),
        actor=principal,
        reason=reason,
    )
    return _start(new, act="start", principal=principal, reason=reason)


def rerun(run_id: uuid.UUID, *, actor: Actor = None, reason: str) -> WorkflowRun:
    """Start a new run with the input of `run_id`: no key, `rerun_of` set, start checks asked again."""
    principal = authorise(actor, "rerun")
    reason = checked_reason(reason, required=True)
    row = Run.objects.filter(pk=run_id).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    definition = find_definition(row.workflow, row.version)
    stored = payloads.loads(row.input)
    try:
        bound = definition.signature.decode(stored)
    except PayloadError as error:
        raise InvalidInput(f"the input no longer fits the workflow: {error}") from error
    run_start_checks(definition, bound)
    new = NewRun(
        definition=definition,
        stored_input=stored,
        digest=row.input_digest,
        key=None,
        delay=None,
        actor=principal,
        reason=reason,
        rerun_of=row.id,
        attempt=row.attempt + 1,
    )
    return _start(new, act="rerun", principal=principal, reason=reason)


def _start(new: NewRun, *, act: str, principal: str, reason: str) -> WorkflowRun:
    with transaction.atomic():
        run, created = starts.insert_or_read(new)
        if created:
            detail = {"rerun_of": str(new.rerun_of)} if new.rerun_of is not None else {}
            record(act, principal=principal, reason=reason, run_id=run.id, workflow=run.workflow, **detail)
            if new.delay is None or new.delay <= timedelta():
                dispatch.advance_after_commit(run.id)
    return replace(queries.get_run(run.id), created=created)


def find_definition(workflow: type[Workflow[Any]] | str, version: int | None = None) -> WorkflowDefinition:
    """The definition asked for; the newest version of a name unless told. Raises UnknownWorkflow."""
    if isinstance(workflow, str):
        name = workflow
    else:
        own: WorkflowDefinition | None = getattr(workflow, "definition", None)
        if own is None:
            raise UnknownWorkflow(f"{workflow!r} is not a registered workflow")
        if version is None or version == own.version:
            return own
        name = own.name
    versions = registry.workflows.get(name)
    if not versions:
        raise UnknownWorkflow(f"no workflow is registered as {payloads.clean_text(name)!r}")
    wanted = version if version is not None else max(versions)
    if wanted not in versions:
        raise UnknownWorkflow(f"{name} has no version {wanted}")
    definition: WorkflowDefinition = versions[wanted].definition
    return definition


def _bind(definition: WorkflowDefinition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return definition.signature.bind(args, kwargs)
    except PayloadError as error:
        raise InvalidInput(str(error)) from error


def _encode(definition: WorkflowDefinition, bound: Mapping[str, Any]) -> dict[str, Any]:
    try:
        stored = definition.signature.encode(bound)
    except PayloadError as error:
        raise InvalidInput(str(error)) from error
    size, limit = len(payloads.dumps(stored).encode()), conf.engine().max_input_bytes
    if size > limit:
        raise InvalidInput(f"the input has {size} bytes; the limit is {limit}", code="input_too_large")
    return stored


def _checked_key(key: str | None) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY:
        raise InvalidInput(f"a key is a text of 1 to {MAX_KEY} characters")
    return storable(key, "key")


def _checked_delay(delay: timedelta | None) -> timedelta | None:
    if delay is not None and not isinstance(delay, timedelta):
        raise InvalidInput("a delay is a timedelta")
    if delay is not None and not timedelta() <= delay <= timedelta(days=3650):
        raise InvalidInput("a delay is between zero and ten years")
    return delay


def run_start_checks(definition: WorkflowDefinition, bound: Mapping[str, Any]) -> None:
    """Ask the workflow's start checks; raises StartRefused with the code of the one that says no."""
    for check in definition.start_checks:
        arguments = {name: bound[name] for name in check.signature.parameters if name in bound}
        try:
            check(**arguments)
        except NonRetryable as refusal:
            raise StartRefused(str(refusal), code=refusal.code) from refusal
