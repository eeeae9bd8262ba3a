"""What was said to runs: messages as their types take them, signals and updates that were sent, answers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from workflows.contracts import HistoryEntry, SentMessage, WorkflowRun
from workflows.core import payloads
from workflows.core.definitions import WorkflowDefinition
from workflows.core.errors import InvalidInput, NotFound, PayloadError, UnknownMessage
from workflows.core.events import EventKind
from workflows.core.messages import Message, MessageKind
from workflows.core.status import CLOSED, RunStatus
from workflows.models import InboxItem, Run
from workflows.queries.runs import get_status
from workflows.queries.steps import get_history
from workflows.queries.types import definition_of
from workflows.store.chains import find_message

#: What a door is given as a message's arguments: by name, or in order.
Given = Mapping[str, Any] | Sequence[Any]

_RECEIVED: dict[str, MessageKind] = {
    EventKind.SIGNAL_RECEIVED: MessageKind.SIGNAL,
    EventKind.UPDATE_RECEIVED: MessageKind.UPDATE,
}
_KINDS = [MessageKind.SIGNAL.value, MessageKind.UPDATE.value]
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
    """The newest signals and updates that a run was sent and did not reject, as they came; raises NotFound."""
    closed = RunStatus(get_status(run_id)) in CLOSED
    return messages_among(run_id, get_history(run_id), closed=closed)[-limit:]


def messages_among(run_id: uuid.UUID, history: Sequence[HistoryEntry], *, closed: bool) -> list[SentMessage]:
    """Messages that a run's history tells of, then those that wait to be delivered."""
    delivered: dict[int, SentMessage] = {}
    updates: dict[str, int] = {}
    for event in history:
        if event.kind in _RECEIVED:
            delivered[event.position] = _received(run_id, event)
            if event.kind == EventKind.UPDATE_RECEIVED:
                updates[event.data["id"]] = event.position
        elif event.kind == EventKind.UPDATE_COMPLETED:
            place = updates[event.data["id"]]
            delivered[place] = replace(delivered[place], **_answered(event.data))
    waiting = InboxItem.objects.filter(run_id=run_id, kind__in=_KINDS, taken_at=None).order_by("arrived_at", "id")
    found = [*delivered.values(), *(_sent(row, closed=closed) for row in waiting)]
    return [_unanswered(item) if closed and item.status == "running" else item for item in found]


def _received(run_id: uuid.UUID, event: HistoryEntry) -> SentMessage:
    kind = _RECEIVED[event.kind]
    data = event.data
    return SentMessage(
        run_id=run_id,
        kind=kind.value,
        name=data["name"],
        key=data.get("key") or data.get("id"),
        arguments=data["args"],
        status="delivered" if kind is MessageKind.SIGNAL else "running",
        result=None,
        error=None,
        actor=data["actor"],
        reason=data.get("reason", ""),
        arrived_at=datetime.fromisoformat(data["arrived_at"]),
        delivered_at=event.at,
    )


def _answered(data: dict[str, Any]) -> dict[str, Any]:
    """What an update's answer changes: its result, or its error."""
    error = data.get("error")
    return {"status": "completed" if error is None else "failed", "result": data.get("result"), "error": error}


def _unanswered(item: SentMessage) -> SentMessage:
    return replace(item, status="failed", error=_UNANSWERED)


def get_update(run_id: uuid.UUID, name: str, update_id: str) -> SentMessage:
    """What became of an update; raises NotFound."""
    row = find_message(run_id, MessageKind.UPDATE.value, update_id)
    if row is None or payloads.loads(row.data)["name"] != name:
        raise NotFound(f"run {run_id} has no update {name} of this id")
    return _sent(row, closed=Run.objects.filter(pk=row.run_id, status__in=CLOSED).exists())


def _sent(row: InboxItem, *, closed: bool) -> SentMessage:
    data = payloads.loads(row.data)
    answer = payloads.loads(row.answer) if row.answer is not None else {}
    item = SentMessage(
        run_id=row.run_id,
        kind=row.kind,
        name=data["name"],
        key=row.key,
        arguments=payloads.mask(data["args"]),
        status=_status(row, answer),
        result=payloads.mask(answer.get("result")),
        error=answer.get("rejected") or answer.get("error"),
        actor=row.actor,
        reason=row.reason,
        arrived_at=row.arrived_at,
        delivered_at=row.taken_at,
    )
    is_open = row.kind == MessageKind.UPDATE and item.status in ("waiting", "running")
    return _unanswered(item) if closed and is_open else item


def _status(row: InboxItem, answer: dict[str, Any]) -> str:
    if row.kind == MessageKind.SIGNAL or row.answer is None:
        settled = "delivered" if row.kind == MessageKind.SIGNAL else "running"
        return "waiting" if row.taken_at is None else settled
    if answer.get("rejected") is not None:
        return "rejected"
    return "failed" if answer.get("error") is not None else "completed"
