"""What a run can be told and asked, and what it was told: a card of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from workflows.admin.acts import User, may
from workflows.admin.presentation import error_text, moment, pretty, text_of
from workflows.contracts import HistoryEntry, MessageType, SentMessage, WorkflowRun, WorkflowType
from workflows.core.status import HoldReason, RunStatus
from workflows.queries.messages import messages_among

_COLOURS = {
    "waiting": "warning", "delivered": "success", "running": "info", "completed": "success", "failed": "danger",
    "rejected": "default",
}  # fmt: skip
_SEND = {"signal": "Send", "update": "Send", "query": "Ask"}
#: Holds under which the code has ended: nobody listens any more.
_ENDED = (HoldReason.FAILURE, HoldReason.COMPENSATION_FAILED)
#: More sent messages than this are left to the history.
_MOST_SENT = 50


@dataclass(frozen=True, slots=True)
class Offer:
    """A message that the workflow takes; `url` is its dialog, empty for whoever may not or when it does not fit."""

    message: MessageType
    send: str
    url: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A signal or an update that was sent, as text."""

    view: SentMessage
    colour: str
    at: str
    arguments: str
    answer: str
    error: str


@dataclass(frozen=True, slots=True)
class MessagesCard:
    """What can be said, and what was said, newest last."""

    offers: list[Offer]
    sent: list[Sent]


def messages_card(
    run: WorkflowRun, takes: WorkflowType | None, history: Sequence[HistoryEntry], user: User
) -> MessagesCard | None:
    """The card for one user; None for a run that takes no messages and was sent none."""
    declared = takes.messages if takes is not None else ()
    if takes is not None and not declared:
        return None  # no message can have been sent
    said = messages_among(run.id, history, closed=run.closed_at is not None)
    sent = [_sent(item) for item in said[-_MOST_SENT:]]
    if not declared and not sent:
        return None
    return MessagesCard([_offer(run, message, user) for message in declared], sent)


def _offer(run: WorkflowRun, message: MessageType, user: User) -> Offer:
    url = ""
    if may(user, f"workflows.{message.kind}_run") and _fits(run, message.kind):
        url = reverse(f"admin:workflows_run_{message.kind}", args=[run.id, message.name])
    return Offer(message, _SEND[message.kind], url)


def _fits(run: WorkflowRun, kind: str) -> bool:
    """Whether the run's state lets it be asked for; the operation has the last word."""
    if kind == "query":
        return True
    if run.closed_at is not None or run.status == RunStatus.COMPENSATING or run.hold_reason in _ENDED:
        return False
    return kind == "signal" or run.status != RunStatus.HELD


def _sent(item: SentMessage) -> Sent:
    return Sent(
        view=item,
        colour=_COLOURS[item.status],
        at=moment(item.arrived_at),
        arguments=pretty(item.arguments) if item.arguments else "",
        answer=text_of(item.result) if item.status == "completed" else "",
        error=error_text(item.error) if item.error else "",
    )
