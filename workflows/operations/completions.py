"""Steps that somebody outside ends by a token: completed, failed, or said to be alive still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import transaction

from workflows import clock, crypto, store
from workflows.core import payloads
from workflows.core.definitions import Activity, registry
from workflows.core.errors import InvalidInput, PayloadError, TokenUnknown
from workflows.core.status import CLOSED, StepStatus
from workflows.models import CompletionToken, Step
from workflows.operations.authority import Actor, checked_reason, principal_of, record
from workflows.runtime import attempts, policies, settling
from workflows.runtime.attempts import Outcome
from workflows.runtime.locking import LockedRun, locked_run
from workflows.store import in_hand

_LONGEST_ERROR = 4000


@dataclass(frozen=True, slots=True)
class _Asked:
    """The attempt that a token names. `late`: it does not wait any more."""

    run: LockedRun
    step: Step
    activity: Activity[..., Any]
    token: CompletionToken
    late: bool


def complete_step(token: str, *, result: Any = None, actor: Actor = None, reason: str = "") -> None:
    """End the step of a token with its result, as JSON or as the activity would have returned it.

    The token is the authority. Raises TokenUnknown (never given, used, or too late: then the result is kept as evidence
    if the attempt is in doubt) and InvalidInput for a result of the wrong type; then the token stays open.
    """
    with _asked(token) as asked:
        codec = asked.activity.signature.result
        try:
            stored = codec.encode(codec.validate(result, path="result"), path="result")
        except PayloadError as error:
            if asked.late:
                raise TokenUnknown from error
            raise InvalidInput(str(error)) from error
        ended = _end(asked, Outcome(stored), "complete_step", actor, reason)
    if not ended:
        raise TokenUnknown


def fail_step(
    token: str, *, error: str | BaseException, retryable: bool | None = None, actor: Actor = None, reason: str = ""
) -> None:
    """End the attempt of a token with an error; it is tried again as the activity's policy says.

    `error` is a text, or an exception, which counts as if the activity had raised it. `retryable` overrides: False says
    that the failure is final and certain. Of an activity that must not be repeated any other failure is in doubt
    (SEMANTICS D19). Raises TokenUnknown.
    """
    with _asked(token) as asked:
        outcome = _failure(asked, error)
        if retryable is not None:
            outcome = replace(outcome, retryable=retryable, doubt=outcome.doubt and retryable)
        ended = _end(asked, outcome, "fail_step", actor, reason)
    if not ended:
        raise TokenUnknown


def _failure(asked: _Asked, error: str | BaseException) -> Outcome:
    try:
        secrets = payloads.sensitive_texts(asked.activity.signature.decode(payloads.loads(asked.step.args)))
    except PayloadError:  # an older build's arguments: the activity itself could not have been called with them
        secrets = set()
    if isinstance(error, BaseException):
        return attempts.failure(asked.activity, error, secrets)
    text = payloads.scrub(str(error), secrets)[:_LONGEST_ERROR]
    data = {"type": "StepFailed", "code": "step_failed", "message": text, "cause": None}
    return Outcome(error=data, doubt=attempts.is_doubtful(asked.activity))


def heartbeat_step(token: str, *, details: Any = None) -> None:
    """Say that the work behind a token goes on; `details` are found by a next attempt. Raises TokenUnknown."""
    with _asked(token) as asked:
        if asked.late:
            raise TokenUnknown
        codec = payloads.Codec(Any)
        try:
            stored = payloads.dumps(codec.encode(codec.validate(details, path="details"), path="details"))
        except PayloadError as error:
            raise InvalidInput(str(error)) from error
        columns: dict[str, Any] = {"beat": stored}
        silence: timedelta | None = asked.activity.options_.heartbeat
        if silence is not None:
            columns["beat_by"] = clock.now() + silence
        mine = Step.objects.filter(run_id=asked.step.run_id, seq=asked.step.seq, ticket=asked.token.ticket)
        mine.filter(status=StepStatus.RUNNING).update(**columns)


@contextmanager
def _asked(token: str) -> Iterator[_Asked]:
    """The attempt of a token that was given out and not used, its run locked; raises TokenUnknown."""
    if not isinstance(token, str) or not token:
        raise TokenUnknown
    with transaction.atomic():
        row = CompletionToken.objects.filter(pk=crypto.token_hash(token)).first()
        if row is None:
            raise TokenUnknown
        with locked_run(row.run_id) as run:
            step = _step_of(run, row.seq)
            registered = registry.activities.get(step.name) if step is not None else None
            if step is None or registered is None:
                raise TokenUnknown
            waits = step.ticket == row.ticket and step.status == StepStatus.RUNNING and not _is_overdue(step)
            late = run.status in CLOSED or not waits
            yield _Asked(run, step, policies.restored(registered, step.policy), row, late)


def _step_of(run: LockedRun, seq: int) -> Step | None:
    """The step's row; that of one that runs in place is not saved yet."""
    row = Step.objects.filter(run_id=run.row.id, seq=seq).first()
    if row is not None or run.row.in_hand is None:
        return row
    held = in_hand.read(run.row.in_hand)
    return in_hand.row_of(run.row.id, held) if held["seq"] == seq else None


def _is_overdue(step: Step) -> bool:
    now = clock.now()
    return any(limit is not None and limit < now for limit in (step.deadline_at, step.beat_by))


def _end(asked: _Asked, outcome: Outcome, act: str, actor: Actor, reason: str) -> bool:
    """Whether the attempt ended so. The first to take the token away ends it (see `Host.is_ended`)."""
    run, step, token = asked.run, asked.step, asked.token
    if asked.late:
        if run.status not in CLOSED:
            settling.keep_evidence(run.row.id, store.stored_step(step), outcome, ticket=token.ticket)
        return False
    tokens = CompletionToken.objects.filter(run_id=token.run_id, seq=token.seq, ticket=token.ticket)
    if not tokens.delete()[0]:
        return False
    reason = checked_reason(reason, required=False)
    principal = principal_of(actor)
    if step.queue is None:  # it runs in place still, and its row is written when its function has returned
        data = {
            "result": outcome.result,
            "error": outcome.error,
            "retryable": outcome.retryable,
            "doubt": outcome.doubt,
        }
        run.leave_fact("outcome", {"seq": step.seq, "ticket": step.ticket, **data}, actor=principal, reason=reason)
    else:
        attempt = store.stored_step(step)
        settling.settle(run.row.id, attempt, outcome, asked.activity)
        if attempt.status == StepStatus.RUNNING:
            return False  # given up in this very moment
        run.see_driven(clock.now())
    record(act, principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow, seq=step.seq)
    return True
