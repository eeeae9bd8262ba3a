"""Sub-commands about due times: `timers`, `timers move`."""

from __future__ import annotations

from typing import Any

from workflows import clock, operations, queries
from workflows.core.errors import InvalidInput
from workflows.management.commands._workflow import rendering, shapes
from workflows.management.commands._workflow.door import Door, actor_named, run_named
from workflows.management.commands._workflow.exits import Exit
from workflows.operations.authority import storable

Options = dict[str, Any]


def timers(door: Door, options: Options) -> Exit:
    """What open runs wait for, first due first; or move one."""
    if options["timers_command"] == "move":
        return _move(door, options)
    filters: dict[str, Any] = {"overdue": True} if options["overdue"] else {}
    if options["workflow"] is not None:
        filters["workflow"] = storable(options["workflow"], "workflow")
    if options["kind"] is not None:
        filters["kind"] = options["kind"]
    if options["of_run"] is not None:
        filters["run_id"] = run_named(options["of_run"])
    found = queries.list_timers(limit=options["limit"], **filters)
    door.show(shapes.of_timers(found), rendering.timers(found, now=clock.now()))
    return Exit.OK


def _move(door: Door, options: Options) -> Exit:
    due_at = options["to"]
    if due_at.tzinfo is None:
        raise InvalidInput("the new due time needs its zone, such as 2026-11-25T08:00:00Z")
    run = operations.move_timer(
        run_named(options["run"]),
        options["seq"],
        due_at=due_at,
        actor=actor_named(options["user"]),
        reason=options["reason"],
    )
    door.show(shapes.of_run(run), rendering.line(run))
    return Exit.OK
