"""Who provides what. Filled while the apps become ready; read by `workflows.queries` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflows.panels.contracts import MoneySource, RecordKind, WorkQueue


class PanelTaken(Exception):
    """Another provider has this name already."""

    code = "panel_taken"


@dataclass(slots=True)
class Registry:
    """Providers by name, in the order of registration."""

    kinds: dict[str, RecordKind] = field(default_factory=dict)
    queues: dict[str, WorkQueue] = field(default_factory=dict)
    money: MoneySource | None = None


registry = Registry()


def register_records(*kinds: RecordKind) -> None:
    """Let pages show records of these kinds; raises PanelTaken."""
    for kind in kinds:
        if kind.name in registry.kinds:
            raise PanelTaken(f"records of {kind.name} are registered already")
        registry.kinds[kind.name] = kind


def register_money(source: MoneySource) -> None:
    """Let pages show money of runs from here; raises PanelTaken."""
    if registry.money is not None:
        raise PanelTaken(f"money is read from {registry.money.name} already")
    registry.money = source


def register_queue(*queues: WorkQueue) -> None:
    """Let the front page count these; raises PanelTaken."""
    for queue in queues:
        if queue.name in registry.queues:
            raise PanelTaken(f"the queue {queue.name} is registered already")
        registry.queues[queue.name] = queue


@contextmanager
def changed() -> Iterator[Registry]:
    """For tests: what is registered within the block is forgotten after it."""
    before = Registry(dict(registry.kinds), dict(registry.queues), registry.money)
    try:
        yield registry
    finally:
        registry.kinds, registry.queues, registry.money = before.kinds, before.queues, before.money
