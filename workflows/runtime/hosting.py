"""What an activity may ask of its running attempt: to say that it lives, and to be ended later by somebody else."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any

from workflows import clock, crypto
from workflows.core import payloads
from workflows.core.errors import EngineError
from workflows.models import CompletionToken, Step
from workflows.store import StoredStep


class AttemptGivenUp(EngineError):
    """This attempt counts as lost or overdue, and another may run: it should stop."""

    code = "attempt_given_up"


class Host:
    """One attempt, as its activity sees it. `details` are those of its last heartbeat, stored."""

    def __init__(
        self, run_id: uuid.UUID, step: StoredStep, *, heartbeat: timedelta | None, transactional: bool
    ) -> None:
        self._run_id = run_id
        self._step = step
        self._heartbeat = heartbeat
        self._transactional = transactional
        self.details: str | None = None
        #: Whether somebody else ends the step.
        self.later = False

    def heartbeat(self, details: Any) -> None:
        """Keep the details; an attempt that was sent out also shows that it lives."""
        codec = payloads.Codec(Any)
        self.details = payloads.dumps(codec.encode(codec.validate(details, path="details"), path="details"))
        if self._step.queue is None:
            return  # it runs with its workflow's code, whose process shows that it lives
        columns: dict[str, Any] = {"beat": self.details}
        if self._heartbeat is not None:
            columns["beat_by"] = clock.now() + self._heartbeat
        mine = Step.objects.filter(run_id=self._run_id, seq=self._step.seq, ticket=self._step.ticket, status="running")
        if not mine.update(**columns):
            raise AttemptGivenUp

    def complete_later(self) -> str:
        """A fresh token; its hash is stored before anybody can use it."""
        if self._transactional:
            raise TypeError("a transactional activity ends with its transaction; it cannot be completed later")
        token = secrets.token_urlsafe(32)
        CompletionToken.objects.create(
            hash=crypto.token_hash(token),
            run_id=self._run_id,
            seq=self._step.seq,
            ticket=self._step.ticket,
            created_at=clock.now(),
        )
        self.later = True
        return token

    def is_ended(self) -> bool:
        """Whether somebody has ended the step by its token; if not, nobody can any more: the function's own end counts.

        Asked when the function raised after it gave a token out. Who takes the token away first, ends the attempt.
        """
        if not self.later:
            return False
        tokens = CompletionToken.objects.filter(run_id=self._run_id, seq=self._step.seq, ticket=self._step.ticket)
        return not tokens.delete()[0]
