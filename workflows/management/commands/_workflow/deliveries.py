"""Sub-commands about business events: `events`, `events replay`, `events drop`."""

from __future__ import annotations

from typing import Any

from workflows import operations, queries
from workflows.management.commands._workflow import rendering, shapes
from workflows.management.commands._workflow.door import Door, actor_named, run_named
from workflows.management.commands._workflow.exits import Exit
from workflows.operations.authority import storable

Options = dict[str, Any]

_ACTS = {"replay": operations.replay_delivery, "drop": operations.drop_delivery}


def events(door: Door, options: Options) -> Exit:
    """What was published and what became of it, newest first; or replay or drop a parked one."""
    if options["events_command"] is not None:
        return _act(door, options)
    filters: dict[str, Any] = {
        name: storable(options[name], name) for name in ("workflow", "key", "event") if options[name] is not None
    }
    if options["of_run"] is not None:
        filters["run"] = run_named(options["of_run"])
    found = queries.list_deliveries(limit=options["limit"], status=options["status"], **filters)
    door.show([shapes.of_delivery(delivery) for delivery in found], rendering.deliveries(found))
    return Exit.OK


def _act(door: Door, options: Options) -> Exit:
    act = _ACTS[options["events_command"]]
    delivery = act(options["number"], actor=actor_named(options["user"]), reason=options["reason"])
    door.show(shapes.of_delivery(delivery), rendering.delivery(delivery))
    return Exit.OK
