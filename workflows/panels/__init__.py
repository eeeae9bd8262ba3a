"""Panels: what pages of the engine show of domains they do not know, and pages of domains of each other.

The ledger and the domains register here, in `AppConfig.ready`, how their records, their money and their queues are
read; `workflows.queries` reads them for console and REST, under the permissions of whoever looks. A provider only
reads. One that raises costs its own part of a page, never the page.
"""

from workflows.panels.contracts import (
    MOST_RUNS,
    Address,
    MoneyAccount,
    MoneyHold,
    MoneyLeg,
    MoneyOfRuns,
    MoneySource,
    MoneyTransfer,
    NetEffect,
    QueueCount,
    Record,
    RecordKind,
    WorkQueue,
)
from workflows.panels.matching import ids_of, named, run_ids
from workflows.panels.registry import register_money, register_queue, register_records

__all__ = [
    "MOST_RUNS",
    "Address",
    "MoneyAccount",
    "MoneyHold",
    "MoneyLeg",
    "MoneyOfRuns",
    "MoneySource",
    "MoneyTransfer",
    "NetEffect",
    "QueueCount",
    "Record",
    "RecordKind",
    "WorkQueue",
    "ids_of",
    "named",
    "register_money",
    "register_queue",
    "register_records",
    "run_ids",
]
