"""Steps that somebody outside ends by a token: completed, failed, or said to be alive still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction

from workflows import clock, crypto, store
from workflows.core import payloads
from workflows.core.definitions import Activity, registry
from workflows.core.errors import InvalidInput, NonRetryable, PayloadError, TokenUnknown
from workflows.core.status import CLOSED, StepStatus
from workflows.models import CompletionToken, Step
from workflows.operations.authority import Actor, checked_reason, principal_of, record
from workflows.operations.locking import LockedRun, locked_run
from workflows.runtime import policies

_LONGEST_ERROR = 10_000


def complete_step(token: str, *, result: Any = None, actor: Actor = None, reason: str = "") -> None:
    """End the step of a token with its result, as JSON or as the activity would have returned it.

    The token is the authority. Raises TokenUnknown (never given, used, or too late) and InvalidInput for a result of
    the wrong type; then the token stays open.
    """
    with _waiting_step(token) as (run, step, activity, row):
        codec = activity.signature.result
        try:
            stored = codec.encode(codec.validate(result, path="result"), path="result")
        except PayloadError as error:
            raise InvalidInput(str(error)) from error
        _end(run, step, row, {"result": stored}, "complete_step", actor, reason)


def fail_step(
    token: str, *, error: str | BaseException, retryable: bool | None = None, actor: Actor = None, reason: str = ""
) -> None:
    """End the attempt of a token with an error; it is tried again as the activity's policy says.

    `error` is a text, or an exception, of which a NonRetryable is final; `retryable` overrides. Raises TokenUnknown.
    """
    with _waiting_step(token) as (run, step, _, row):
        if isinstance(error, BaseException):
            data = payloads.error_data(error)
            final = isinstance(error, NonRetryable)
        else:
            text = payloads.clean_text(str(error))[:_LONGEST_ERROR]
            data, final = {"type": "StepFailed", "code": "step_failed", "message": text, "cause": None}, False
        again = not final if retryable is None else retryable
        _end(run, step, row, {"error": data, "retryable": again}, "fail_step", actor, reason)


def heartbeat_step(token: str, *, details: Any = None) -> None:
    """Say that the work behind a token goes on; `details` are found by a next attempt. Raises TokenUnknown."""
    with _waiting_step(token) as (_, step, activity, row):
        codec = payloads.Codec(Any)
        try:
            stored = payloads.dumps(codec.encode(codec.validate(details, path="details"), path="details"))
        except PayloadError as error:
            raise InvalidInput(str(error)) from error
        columns: dict[str, Any] = {"beat": stored}
        silence: timedelta | None = activity.options_.heartbeat
        if silence is not None:
            columns["beat_by"] = clock.now() + silence
        Step.objects.filter(run_id=step.run_id, seq=step.seq, ticket=row.ticket).update(**columns)


@contextmanager
def _waiting_step(token: str) -> Iterator[tuple[LockedRun, Step, Activity[..., Any], CompletionToken]]:
    """The step that waits for a token, its run locked; raises TokenUnknown."""
    if not isinstance(token, str) or not token:
        raise TokenUnknown
    with transaction.atomic():
        row = CompletionToken.objects.filter(pk=crypto.token_hash(token)).first()
        if row is None:
            raise TokenUnknown
        with locked_run(row.run_id) as run:
            # Asked again under the lock: of two callers with one token the second finds it used.
            if not CompletionToken.objects.filter(pk=row.pk).exists() or run.status in CLOSED:
                raise TokenUnknown
            step = next((step for step in store.load_all_steps(row.run_id) if step.seq == row.seq), None)
            if step is None or step.ticket != row.ticket or step.status != StepStatus.RUNNING or _is_overdue(step):
                raise TokenUnknown
            registered = registry.activities.get(step.name)
            if registered is None:
                raise TokenUnknown
            yield run, step, policies.restored(registered, step.policy), row


def _is_overdue(step: Step) -> bool:
    now = clock.now()
    return any(limit is not None and limit < now for limit in (step.deadline_at, step.beat_by))


def _end(
    run: LockedRun, step: Step, row: CompletionToken, outcome: dict[str, Any], act: str, actor: Actor, reason: str
) -> None:
    row.delete()
    reason = checked_reason(reason, required=False)
    principal = principal_of(actor)
    run.leave_fact("outcome", {"seq": step.seq, "ticket": step.ticket, **outcome}, actor=principal, reason=reason)
    record(act, principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow, seq=step.seq)
