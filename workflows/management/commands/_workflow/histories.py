"""Sub-commands about histories as a whole: `export`, `replay`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from workflows import queries
from workflows.core.errors import InvalidInput, NonDeterminismError
from workflows.core.histories import RecordedHistory
from workflows.management.commands._workflow import rendering
from workflows.management.commands._workflow.door import Door, run_named
from workflows.management.commands._workflow.exits import Exit

Options = dict[str, Any]


def export(door: Door, options: Options) -> Exit:
    """A run's history as JSON lines, to a file or to standard output."""
    lines = list(queries.export_history(run_named(options["run"])))
    text = "".join(f"{line}\n" for line in lines)
    if options["output"] is None:
        door.out.file.write(text)
        door.out.file.flush()
        return Exit.OK
    try:
        Path(options["output"]).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"the file cannot be written: {error}") from error
    said = {"file": options["output"], "events": len(lines) - 1}
    door.show(said, rendering.safe(f"{len(lines) - 1} event(s) written to {options['output']}"))
    return Exit.OK


def replay(door: Door, options: Options) -> Exit:
    """Whether the code as it is now still asks for what the history says; nothing is executed."""
    history = _history(options["what"])
    name = f"{history.info.workflow} version {history.info.version}"
    said: dict[str, Any] = {
        "run": str(history.info.run_id),
        "workflow": history.info.workflow,
        "version": history.info.version,
        "events": len(history.events),
    }
    try:
        queries.check_replay(history)
    except NonDeterminismError as mismatch:
        found = {"fits": False, "expected": mismatch.expected, "found": mismatch.found, "error": str(mismatch)}
        lines = [rendering.safe(f"{history.info.run_id}  {name}: the code does not replay this history", "red")]
        if mismatch.expected is not None:
            lines += [rendering.safe(f"expected: {mismatch.expected}"), rendering.safe(f"found:    {mismatch.found}")]
        else:
            lines.append(rendering.safe(str(mismatch)))
        door.show({**said, **found}, *lines)
        return Exit.NO_RESULT
    line = f"{history.info.run_id}  {name}: the code replays all {len(history.events)} event(s)"
    door.show({**said, "fits": True, "expected": None, "found": None, "error": None}, rendering.safe(line))
    return Exit.OK


def _history(named: str) -> RecordedHistory:
    """A file (`@FILE`, or a path that exists), standard input (`-`), or a run. Raises InvalidInput, NotFound."""
    if named == "-":
        return queries.parse_history(sys.stdin)
    path = Path(named.removeprefix("@"))
    if not named.startswith("@") and not path.is_file():
        return queries.read_history(run_named(named))
    try:
        with path.open(encoding="utf-8") as file:
            return queries.parse_history(file)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the file cannot be read: {error}") from error
