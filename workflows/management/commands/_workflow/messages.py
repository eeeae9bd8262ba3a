"""Sub-commands that talk to a run: `signal`, `query`, `update`."""

from __future__ import annotations

import json
import uuid
from typing import Any

from workflows import operations, queries
from workflows.core.errors import UpdatePending
from workflows.core.messages import MessageKind
from workflows.management.commands._workflow import rendering, shapes
from workflows.management.commands._workflow.door import Door, actor_named, arguments_of_message, run_named
from workflows.management.commands._workflow.exits import Exit
from workflows.operations.authority import authorise
from workflows.queries import BoundMessage

Options = dict[str, Any]


def signal(door: Door, options: Options) -> Exit:
    """Leave a signal for a run."""
    run_id, actor = run_named(options["run"]), actor_named(options["user"])
    sent = _bound(run_id, MessageKind.SIGNAL, options, actor)
    run = operations.signal_run(
        run_id, options["name"], *sent.arguments, actor=actor, reason=options["reason"], key=options["key"]
    )
    door.show(shapes.of_run(run), rendering.line(run))
    return Exit.OK


def query(door: Door, options: Options) -> Exit:
    """Ask a run; nothing is written."""
    run_id, actor = run_named(options["run"]), actor_named(options["user"])
    asked = _bound(run_id, MessageKind.QUERY, options, actor)
    answer = asked.shown(operations.query_run(run_id, options["name"], *asked.arguments, actor=actor))
    door.show({"result": answer}, rendering.safe(_told(answer)))
    return Exit.OK


def update(door: Door, options: Options) -> Exit:
    """Send an update and wait for its answer; a known id gives its stored one."""
    run_id, actor = run_named(options["run"]), actor_named(options["user"])
    sent = _bound(run_id, MessageKind.UPDATE, options, actor)
    update_id = options["update_id"] or str(uuid.uuid4())
    try:
        operations.update_run(
            run_id,
            options["name"],
            *sent.arguments,
            id=update_id,
            actor=actor,
            reason=options["reason"],
            timeout=options["timeout"],
        )
    except UpdatePending:
        return tell_update(door, run_id, options["name"], update_id, Exit.STILL_OPEN)
    return tell_update(door, run_id, options["name"], update_id, Exit.OK)


def tell_update(door: Door, run_id: uuid.UUID, name: str, update_id: str, code: Exit) -> Exit:
    """Tell an update's answer; `STILL_OPEN`: that there is none yet."""
    known = queries.get_update(run_id, name, update_id)
    if code is Exit.STILL_OPEN:
        line = f"{name} is stored and not answered yet: ask again with `update {run_id} {name} --id {update_id}`"
    else:
        line = _told(known.result)
    door.show(shapes.of_update(known), rendering.safe(line))
    return code


def _bound(run_id: uuid.UUID, kind: MessageKind, options: Options, actor: operations.Actor) -> BoundMessage:
    """The message with its arguments; whether the actor may send it is asked before they are judged."""
    authorise(actor, kind.value)
    given = arguments_of_message(options["input"])
    return queries.bind_message(queries.get_run(run_id), kind, options["name"], given)


def _told(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
