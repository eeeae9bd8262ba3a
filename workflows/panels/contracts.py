"""What a provider declares and what it gives: values, no rows, nothing sensitive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from finaegis.shared.money import Money

#: Newest runs of one record that are looked at; a page of runs names no more.
MOST_RUNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row of a domain as others name it.

    `title` is what people call it, never an id and never anything sensitive. `run_ids` are runs that it belongs to, as
    far as the reader had them at hand.
    """

    kind: str
    id: UUID
    title: str
    status: str = ""
    at: datetime | None = None
    run_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """Where REST reads a record: the name of a route and of the parameter that takes the id."""

    route: str
    parameter: str


def _nothing(_: object) -> tuple[()]:
    return ()


def _nobody(_: Sequence[str]) -> Mapping[str, Record]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """One kind of record. Each function only reads, in a number of queries that does not grow with the records.

    `name` is Django's, `<app>.<model>`: whoever may view the model sees its records, and its console page is theirs.
    `of_runs` gives the records of these runs, `runs_of` the ids of a record's runs, newest first, at most `MOST_RUNS`.
    `find` gives the few records that a whole id, reference or name names: no part of one, and never a secret.
    `named_by` tells which parameter of a workflow's input names a record, so that a run that failed before it wrote
    anything is found too: workflow -> parameter. `writers` are beginnings of the names of workflows whose runs such
    records can belong to; others are not asked about (empty: all are). `of_owners` tells whose money an owner of
    ledger accounts stands for; `owners` gives the owners of accounts that a record of the ledger names.
    """

    name: str
    label: str
    read: Callable[[Sequence[UUID]], Iterable[Record]]
    of_runs: Callable[[Sequence[UUID]], Iterable[Record]] = _nothing
    runs_of: Callable[[UUID], Iterable[UUID]] = _nothing
    find: Callable[[str], Iterable[Record]] = _nothing
    named_by: Mapping[str, str] = field(default_factory=dict)
    writers: tuple[str, ...] = ()
    of_owners: Callable[[Sequence[str]], Mapping[str, Record]] = _nobody
    owners: Callable[[UUID], Iterable[str]] = _nothing
    address: Address | None = None

    @property
    def permission(self) -> str:
        app, _, model = self.name.partition(".")
        return f"{app}.view_{model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyAccount:
    """A ledger account as money's mover or holder; `owner` is the ledger's name of whose it is."""

    id: UUID
    owner: str
    kind: str
    currency: str


@dataclass(frozen=True, slots=True)
class MoneyLeg:
    """One side of a transfer: negative is taken from the account."""

    account: MoneyAccount
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyTransfer:
    """Money that was moved. `reverses` is the transfer it undoes, `reversed_by` the one that undid it."""

    id: UUID
    key: str
    kind: Literal["transfer", "capture", "reversal"]
    description: str
    run_id: UUID | None
    posted_at: datetime
    legs: tuple[MoneyLeg, ...]
    reverses: UUID | None
    reversed_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyHold:
    """Money set aside. `captured` is what was taken of it; it `is_open` until it is resolved."""

    id: UUID
    key: str
    account: MoneyAccount
    amount: Money
    captured: Money
    status: str
    is_open: bool
    run_id: UUID | None
    placed_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class NetEffect:
    """What all transfers and open holds together changed for one account, which has one currency."""

    account: MoneyAccount
    balance: Money
    held: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOfRuns:
    """Money of runs, oldest first. `net` counts everything; `*_left_out` say how many older rows are not listed."""

    transfers: tuple[MoneyTransfer, ...]
    holds: tuple[MoneyHold, ...]
    net: tuple[NetEffect, ...]
    transfers_left_out: int = 0
    holds_left_out: int = 0

    @property
    def is_nothing(self) -> bool:
        return not self.transfers and not self.holds

    @property
    def accounts(self) -> tuple[MoneyAccount, ...]:
        """Every account that is named, once."""
        named = [leg.account for item in self.transfers for leg in item.legs]
        named += [hold.account for hold in self.holds] + [effect.account for effect in self.net]
        return tuple({account.id: account for account in named}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySource:
    """Where money of runs is read; there is one. Whoever holds all `permissions` sees it."""

    name: str
    permissions: tuple[str, ...]
    of_runs: Callable[[Sequence[UUID]], MoneyOfRuns]


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How much waits, since when the oldest does, and how much of it is overdue."""

    number: int
    oldest_at: datetime | None = None
    overdue: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkQueue:
    """Work that waits for a person. `place` and `query` are its list in the console: a URL name and filters."""

    name: str
    label: str
    permission: str
    count: Callable[[], QueueCount]
    place: str
    query: str = ""
