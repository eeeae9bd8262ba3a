"""Proof that histories are whole: keyed chain, rows against events, sealed heads (SEMANTICS E24)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from workflows import crypto
from workflows.contracts import Finding
from workflows.core import payloads
from workflows.core.errors import NotFound
from workflows.core.events import Event
from workflows.core.projection import Projection, project
from workflows.core.status import RunStatus, StepStatus
from workflows.core.step_values import StepValues, step_values
from workflows.models import HistoryEvent, Run, Step
from workflows.store.checkpoint import header
from workflows.store.reading import load_all_steps
from workflows.store.seals import Seal, read_seals


def verify_run(run_id: uuid.UUID) -> list[Finding]:
    """What is wrong with one run's history or rows; empty when all is well. Raises NotFound."""
    row = Run.objects.filter(pk=run_id).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return list(_verify(row, _seals_by_run()))


def verify_all(progress: Callable[[], None] | None = None) -> Iterator[Finding]:
    """Findings of every run; `progress` is called once per run."""
    seals = _seals_by_run()
    for run_id, held in list(seals.items()):
        if any(not seal.genuine for seal in held):
            yield Finding(run_id, None, "a line of the seal file is not genuine")
        elif not Run.objects.filter(pk=run_id).exists():
            yield Finding(run_id, held[-1].position, "the run was sealed, but it is gone")
    for row in Run.objects.order_by("created_at", "id").iterator(chunk_size=200):
        yield from _verify(row, seals)
        if progress is not None:
            progress()


def _seals_by_run() -> dict[uuid.UUID, list[Seal]]:
    held: dict[uuid.UUID, list[Seal]] = {}
    for seal in read_seals():
        held.setdefault(seal.run_id, []).append(seal)
    return held


def _verify(row: Run, seals: dict[uuid.UUID, list[Seal]]) -> Iterator[Finding]:
    hashes: dict[int, str] = {}
    previous, expected = b"", 1
    events = []
    for stored in HistoryEvent.objects.filter(run_id=row.id).order_by("position"):
        if stored.position != expected:
            yield Finding(row.id, expected, f"event {expected} is missing")
            return
        digest = crypto.chain_hash(previous, header(row.id, stored.position, stored.kind, stored.at), stored.data)
        if digest != bytes(stored.hash):
            yield Finding(row.id, stored.position, "the event was edited, moved or put in")
            return
        hashes[stored.position] = digest.hex()
        previous, expected = digest, expected + 1
        events.append(Event(stored.position, stored.kind, stored.at, json.loads(stored.data)))
    if row.head_seq != expected - 1 or bytes(row.head_hash) != previous:
        yield Finding(row.id, expected - 1, "the history does not end where the run says it does")
        return
    for seal in seals.get(row.id, []):
        if seal.genuine and hashes.get(seal.position) != seal.hash:
            yield Finding(row.id, seal.position, "the history is not the one that was sealed")
    yield from _verify_rows(row, project(events), step_values(events))
    yield from _verify_start(row, events[0].data if events else {})


def _verify_start(row: Run, data: dict[str, Any]) -> Iterator[Finding]:
    if data.get("input") != json.loads(row.input) or (data.get("workflow"), data.get("version"), data.get("key")) != (
        row.workflow,
        row.version,
        row.key,
    ):
        yield Finding(row.id, 1, "the run's name, key or input is not the one it was started with")


def _verify_rows(row: Run, state: Projection, values: dict[int, StepValues]) -> Iterator[Finding]:
    told = {"open": ("pending", "running", "waiting")}.get(state.status, (state.status,))
    resuming = state.status == RunStatus.COMPENSATING and row.status in ("running", "pending", "waiting")
    if row.status not in told and not (resuming and state.plan_end == "resume"):
        yield Finding(row.id, None, f"the run's row says {row.status}, its history {state.status}")
    if row.hold_reason != state.hold_reason:
        yield Finding(row.id, None, f"the row is held as {row.hold_reason or 'nothing'}, not {state.hold_reason}")
    for name, stored, derived in (("result", row.result, state.result), ("error", row.error, state.error)):
        value = payloads.loads(stored) if stored is not None else None
        if value != derived:
            yield Finding(row.id, None, f"the run's {name} is not the one its history tells")
    if (payloads.loads(row.attributes) if row.attributes is not None else {}) != state.attributes:
        yield Finding(row.id, None, "the run's attributes are not those its history tells")
    yield from _verify_steps(row, state, values)


def _verify_steps(row: Run, state: Projection, values: dict[int, StepValues]) -> Iterator[Finding]:
    settled = {StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.TIMED_OUT}
    steps = load_all_steps(row.id)
    rows = {step.seq: step.status for step in steps}
    undelivered = {step.seq for step in steps if not step.delivered}
    # What became of attempts that were sent out, the driver tells when it comes by (SEMANTICS B9).
    untold = {step.seq for step in steps if step.queue is not None and not step.delivered}
    open_ = {StepStatus.SCHEDULED, StepStatus.RUNNING}
    for seq in sorted(set(rows) | set(state.steps)):
        stored, derived = rows.get(seq), state.steps.get(seq)
        if stored == derived or (seq in undelivered and stored in settled):
            continue
        if seq in untold and stored in open_ and derived in open_:
            continue
        yield Finding(row.id, None, f"step {seq} is {stored or 'missing'}, its history says {derived or 'nothing'}")
    for step in steps:
        yield from _verify_values(
            step,
            values.get(step.seq, StepValues()),
            told=step.delivered or (step.status not in settled and step.seq not in untold),
        )


def _verify_values(step: Step, values: StepValues, *, told: bool) -> Iterator[Finding]:
    """What a step was given, gave and failed with. An outcome that was not `told` yet is on its row alone."""
    pairs: list[tuple[str, str | None, Any]] = [("arguments are", step.args, values.args)]
    if told:
        pairs += [("result is", step.result, values.result), ("error is", step.error, values.error)]
    for name, stored, derived in pairs:
        if (payloads.loads(stored) if stored is not None else None) != derived:
            yield Finding(step.run_id, None, f"step {step.seq}: its {name} not what the history tells")
