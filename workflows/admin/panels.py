"""Panels as the console shows them: records of a run, runs of a record, money, search hits, queues. Text and links."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from finaegis.shared.money import Money
from workflows import clock, queries
from workflows.admin.presentation import ABSENT, RUN_COLOURS, moment, money_text, span, state_text
from workflows.contracts import WorkflowRun
from workflows.panels import MoneyHold, MoneyTransfer, Record
from workflows.panels.registry import registry
from workflows.queries import MoneyPanel, RelatedRecords, RunsOfRecord

_KINDS = {"transfer": "", "capture": "capture", "reversal": "reversal"}
_HOLD_COLOURS = {"held": "warning", "captured": "success"}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record with its page; no address for one without a page."""

    label: str
    title: str
    status: str
    at: str
    url: str


@dataclass(frozen=True, slots=True)
class RecordsCard:
    """Records; `unread` says which could not be read."""

    rows: list[RecordRow]
    unread: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of a record."""

    workflow: str
    short_id: str
    key: str
    state: str
    colour: str
    created: str
    url: str


@dataclass(frozen=True, slots=True)
class RunsCard:
    """The newest runs of a record."""

    rows: list[RunRow]
    more: bool
    unread: bool


@dataclass(frozen=True, slots=True)
class LegRow:
    """An amount on an account: with a sign where it says what changed."""

    account: str
    url: str
    amount: str
    held: str = ""


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A transfer with its legs; `note` says what it undoes or what undid it."""

    posted: str
    said: str
    kind: str
    note: str
    url: str
    legs: list[LegRow]


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold, and how it ended."""

    placed: str
    leg: LegRow
    captured: str
    status: str
    colour: str
    url: str


@dataclass(frozen=True, slots=True)
class MoneyCard:
    """What was moved and set aside; the net effect by account first. `unread`: nothing is known of it just now."""

    net: list[LegRow]
    transfers: list[TransferRow]
    holds: list[HoldRow]
    left_out: str
    unread: bool = False


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue with what waits in it; `number` is None when it could not be read."""

    label: str
    number: int | None
    says: str
    colour: str
    url: str


@dataclass(frozen=True, slots=True)
class RecordPanels:
    """What a record's own page shows below its facts; None for what there is nothing to say about."""

    runs: RunsCard | None
    related: RecordsCard | None
    money: MoneyCard | None


def read_record_panels(kind: str, record_id: uuid.UUID, user: object) -> RecordPanels | None:
    """The panels of one record; None for records that no domain registered."""
    if kind not in registry.kinds:
        return None
    runs = queries.list_runs_of(kind, record_id, user=user)
    itself = Record(kind=kind, id=record_id, title="")
    family = queries.family_of(runs.runs)
    related = queries.list_related_to(itself, family, user=user)
    money = queries.money_of([run.id for run in family], user=user)
    return RecordPanels(runs_card(runs), records_card(related), money_card(money))


def page_of(record: Record) -> str:
    """The record's page in the console; empty where it has none."""
    try:
        return reverse(f"admin:{record.kind.replace('.', '_')}_change", args=[record.id])
    except NoReverseMatch:
        return ""


def records_card(found: RelatedRecords) -> RecordsCard | None:
    """Records in the order of their kinds."""
    if not found.records and not found.unread:
        return None
    rows = [
        RecordRow(registry.kinds[item.kind].label, item.title, item.status, moment(item.at), page_of(item))
        for item in found.records
    ]
    return RecordsCard(rows, ", ".join(found.unread))


def runs_card(found: RunsOfRecord) -> RunsCard | None:
    """Runs, newest first."""
    if not found.runs and not found.unread:
        return None
    return RunsCard([_run(run) for run in found.runs], found.more, found.unread)


def _run(run: WorkflowRun) -> RunRow:
    return RunRow(
        workflow=run.workflow,
        short_id=str(run.id)[:8],
        key=run.key or "",
        state=state_text(run.status, run.hold_reason),
        colour=RUN_COLOURS[run.status],
        created=moment(run.created_at),
        url=reverse("admin:workflows_run_change", args=[run.id]),
    )


def money_card(panel: MoneyPanel | None) -> MoneyCard | None:
    """The card; None where nothing moved and for whoever may not see money."""
    if panel is None:
        return None
    money = panel.money
    if money is None:
        return MoneyCard([], [], [], "", unread=True)
    if money.is_nothing:
        return None
    left_out = [
        f"{number} older {noun}"
        for number, noun in ((money.transfers_left_out, "transfers"), (money.holds_left_out, "holds"))
        if number
    ]
    return MoneyCard(
        net=[
            LegRow(
                panel.title_of(item.account), _ledger("account", item.account.id), _signed(item.balance),
                _text(item.held) if item.held else "",
            )
            for item in money.net
        ],
        transfers=_transfers(panel, money.transfers),
        holds=[_hold(panel, item) for item in money.holds],
        left_out=" and ".join(left_out),
    )  # fmt: skip


def _transfers(panel: MoneyPanel, transfers: Sequence[MoneyTransfer]) -> list[TransferRow]:
    named = {item.id: item.description or item.key for item in transfers}
    return [
        TransferRow(
            posted=moment(item.posted_at),
            said=item.description or item.key,
            kind=_KINDS[item.kind],
            note=_note(item, named),
            url=_ledger("transfer", item.id),
            legs=[
                LegRow(panel.title_of(leg.account), _ledger("account", leg.account.id), _signed(leg.amount))
                for leg in item.legs
            ],
        )
        for item in transfers
    ]


def _note(item: MoneyTransfer, named: dict[uuid.UUID, str]) -> str:
    if item.reverses is not None:
        return f"undoes: {named.get(item.reverses, 'an older transfer')}"
    return "undone" if item.reversed_by is not None else ""


def _hold(panel: MoneyPanel, item: MoneyHold) -> HoldRow:
    return HoldRow(
        placed=moment(item.placed_at),
        leg=LegRow(panel.title_of(item.account), _ledger("account", item.account.id), _text(item.amount)),
        captured=_text(item.captured) if item.captured else ABSENT,
        status=item.status,
        colour=_HOLD_COLOURS.get(item.status, "default"),
        url=_ledger("hold", item.id),
    )


def _ledger(model: str, row_id: uuid.UUID) -> str:
    return page_of(Record(kind=f"ledger.{model}", id=row_id, title=""))


def _text(amount: Money) -> str:
    return money_text(str(amount.amount), amount.currency)


def _signed(amount: Money) -> str:
    """What changed: `+100.00 USD`, `-100.00 USD`, and plain zero."""
    text = _text(amount)
    return text if text.startswith("-") or not amount else f"+{text}"


def queue_rows(user: object) -> list[QueueRow]:
    """The queues that the user may look into."""
    return [_queue(item) for item in queries.list_work_queues(user=user)]


def _queue(item: queries.QueueView) -> QueueRow:
    url = reverse(item.queue.place) + (f"?{item.queue.query}" if item.queue.query else "")
    count = item.count
    if count is None:
        return QueueRow(item.queue.label, None, "could not be read", "danger", url)
    says = []
    if count.overdue:
        says.append(f"{count.overdue} overdue")
    if count.oldest_at is not None:
        says.append(f"oldest for {span(clock.now() - count.oldest_at)}")
    colour = "danger" if count.overdue else "warning" if count.number else "default"
    return QueueRow(item.queue.label, count.number, ", ".join(says), colour, url)
