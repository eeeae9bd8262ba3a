"""What was said to runs: messages as their types take them, signals and updates that were sent, answers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.contracts import SentMessage, WorkflowRun
from workflows.core import payloads
from workflows.core.definitions import WorkflowDefinition
from workflows.core.errors import InvalidInput, NotFound, PayloadError, UnknownMessage
from workflows.core.messages import Message, MessageKind
from workflows.core.status import CLOSED
from workflows.models import InboxItem, Run
from workflows.queries.types import definition_of

#: What a door is given as a message's arguments: by name, or in order.
Given = Mapping[str, Any] | Sequence[Any]

_UNANSWERED = {
    "type": "UpdateFailed",
    "code": "run_closed",
    "message": "the run ended without answering the update",
    "cause": None,
}


@dataclass(frozen=True, slots=True)
class BoundMessage:
    """A message with what a door was given for it.

    `arguments` are in order, as operations take them: passed on by name, a parameter named `reason` or `key` would
    become the operation's own.
    """

    message: Message[..., Any]
    arguments: tuple[Any, ...]

    def shown(self, answer: Any) -> Any:
        """An answer as JSON, sensitive fields masked."""
        codec = self.message.signature.result
        return payloads.mask(codec.encode(codec.validate(answer, path="result"), path="result"))


def bind_message(run: WorkflowRun, kind: MessageKind, name: str, given: Given) -> BoundMessage:
    """A message for a run; raises UnknownMessage, InvalidInput (arguments that do not fit), CodeMissing."""
    return bind(definition_of(run.workflow, run.version), kind, name, given)


def bind(definition: WorkflowDefinition, kind: MessageKind, name: str, given: Given) -> BoundMessage:
    """The same where there is no run yet."""
    message = definition.message(kind, name)
    if message is None:
        known = [other.name for other in definition.messages.values() if other.kind is kind]
        raise UnknownMessage(kind=kind.value, name=payloads.clean_text(name), workflow=definition.name, known=known)
    return BoundMessage(message, in_order(message.signature, given))


def in_order(signature: payloads.Signature, given: Given) -> tuple[Any, ...]:
    """Arguments by name or in order as validated ones in order; raises InvalidInput."""
    positional, named = ((), given) if isinstance(given, Mapping) else (tuple(given), {})
    try:
        return tuple(signature.bind(positional, named).values())
    except PayloadError as error:
        raise InvalidInput(str(error)) from error


def list_messages(run_id: uuid.UUID, *, limit: int = 100) -> list[SentMessage]:
    """The newest signals and updates that a run was sent and did not reject, in the order they arrived.

    None for an unknown run.
    """
    closed = Run.objects.filter(pk=run_id, status__in=CLOSED).exists()
    kinds = [MessageKind.SIGNAL.value, MessageKind.UPDATE.value]
    rows = InboxItem.objects.filter(run_id=run_id, kind__in=kinds).order_by("-arrived_at", "-id")[:limit]
    found = [_sent(row, closed=closed) for row in reversed(rows)]
    return [item for item in found if item.status != "rejected"]


def get_update(run_id: uuid.UUID, name: str, update_id: str) -> SentMessage:
    """What became of an update; raises NotFound."""
    row = InboxItem.objects.filter(run_id=run_id, kind=MessageKind.UPDATE.value, key=update_id).first()
    if row is None or payloads.loads(row.data)["name"] != name:
        raise NotFound(f"run {run_id} has no update {name} of this id")
    return _sent(row, closed=Run.objects.filter(pk=run_id, status__in=CLOSED).exists())


def _sent(row: InboxItem, *, closed: bool) -> SentMessage:
    data = payloads.loads(row.data)
    answer = payloads.loads(row.answer) if row.answer is not None else {}
    status = _status(row, answer)
    error = answer.get("rejected") or answer.get("error")
    if closed and row.kind == MessageKind.UPDATE and status in ("waiting", "running"):
        status, error = "failed", _UNANSWERED
    return SentMessage(
        run_id=row.run_id,
        kind=row.kind,
        name=data["name"],
        key=row.key,
        arguments=payloads.mask(data["args"]),
        status=status,
        result=payloads.mask(answer.get("result")),
        error=error,
        actor=row.actor,
        reason=row.reason,
        arrived_at=row.arrived_at,
        delivered_at=row.taken_at,
    )


def _status(row: InboxItem, answer: dict[str, Any]) -> str:
    if row.kind == MessageKind.SIGNAL:
        return "waiting" if row.taken_at is None else "delivered"
    if row.answer is None:
        return "waiting" if row.taken_at is None else "running"
    if answer.get("rejected") is not None:
        return "rejected"
    return "failed" if answer.get("error") is not None else "completed"
