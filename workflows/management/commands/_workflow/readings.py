"""Sub-commands that only look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from workflows import queries
from workflows.contracts import Finding
from workflows.core.errors import InvalidInput
from workflows.management.commands._workflow import exits, following, rendering, shapes
from workflows.management.commands._workflow.door import Door, run_named
from workflows.management.commands._workflow.exits import Exit
from workflows.operations.authority import storable

Options = dict[str, Any]

#: Children that a run is shown with, held and open ones first; `list --parent` has them all.
_MOST_CHILDREN = 100


def list_runs(door: Door, options: Options) -> Exit:
    """The newest runs that fit."""
    named: dict[str, Any] = {
        name: storable(options[name], name) for name in ("workflow", "key") if options[name] is not None
    }
    if options["parent"] is not None:
        named["parent"] = run_named(options["parent"])
    texts = _attribute_texts(options["attribute"] or ())
    found = queries.list_runs(limit=options["limit"], status=options["status"], attribute_texts=texts, **named)
    door.show([shapes.of_run(run) for run in found], rendering.runs(found))
    return Exit.OK


def _attribute_texts(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, text in given:
        if name in texts:
            raise InvalidInput(f"the attribute {name} is asked for twice")
        texts[name] = storable(text, "attribute")
    return texts


def show(door: Door, options: Options) -> Exit:
    """One run with its steps, its children and its plan."""
    run_id = run_named(options["run"])
    run = queries.get_run(run_id)
    steps, plan = queries.list_steps(run_id), queries.get_compensation_plan(run_id)
    children = (
        queries.list_children([run_id], limit=_MOST_CHILDREN)
        if any(step.child_id is not None for step in steps)
        else []
    )
    value = shapes.of_run(
        run,
        steps=shapes.of_steps(steps),
        compensation_plan=shapes.of_plan(plan),
        children=[shapes.of_run(child) for child in children],
    )
    door.show(value, rendering.whole(run, steps, plan, children))
    return Exit.OK


def history(door: Door, options: Options) -> Exit:
    """Every event of a run."""
    entries = queries.get_history(run_named(options["run"]))
    door.show(shapes.of_history(entries), rendering.history(entries))
    return Exit.OK


def watch(door: Door, options: Options) -> Exit:
    """A run until it is closed."""
    seconds = None if options["timeout"] is None else options["timeout"].total_seconds()
    return exits.of_run(following.watch(door, run_named(options["run"]), seconds))


def verify(door: Door, options: Options) -> Exit:
    """Whether histories are whole and rows say what they say."""
    if options["run"] is not None:
        number, findings = 1, queries.verify_run(run_named(options["run"]))
    else:
        number, findings = _verify_all(door)
    verdict = f"{len(findings)} finding(s) in {number} run(s)" if findings else f"{number} run(s) verified, no findings"
    lines = [rendering.findings(findings)] if findings else []
    door.show({"runs": number, "findings": shapes.of_findings(findings)}, *lines, rendering.safe(verdict))
    return Exit.NO_RESULT if findings else Exit.OK


def _verify_all(door: Door) -> tuple[int, list[Finding]]:
    total = sum(number for _, _, number in queries.count_by_type_and_state())
    seen = 0
    with _progress(door, total) as progress:

        def advance() -> None:
            nonlocal seen
            seen += 1
            progress.advance(progress.task_ids[0])

        findings = list(queries.verify_all(advance))
    return seen, findings


@contextmanager
def _progress(door: Door, total: int) -> Iterator[Progress]:
    """A bar on standard error, at a terminal only."""
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=door.progress, disable=not door.progress.is_terminal, transient=True) as progress:
        progress.add_task("verify", total=total)
        yield progress
