"""Workflows that the real-worker tests run; workers and the client import them under the same names."""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.db import transaction

from tests.faults import effects
from workflows import NonRetryable, Retry, Workflow, activity, activity_info


@activity(transactional=True)
def take_back(*, label: str) -> None:
    effects.write(f"{label}:undone")


@activity(transactional=True, undo=take_back)
def book(*, label: str) -> None:
    effects.write(f"{label}:booked")


@activity(transactional=True, undo=take_back)
def book_with_failing_callback(*, label: str) -> None:
    effects.write(f"{label}:booked")
    transaction.on_commit(_fail)


def _fail() -> None:
    raise RuntimeError("a callback after COMMIT failed")


@activity
def notify(*, label: str) -> str:
    effects.write(f"{label}:notified:{activity_info().idempotency_key}")
    return label


@activity(retry=Retry(max_attempts=2, initial=0.2, jitter=0))
def give_up(*, label: str) -> None:
    raise NonRetryable("told to fail")


def pass_gate(gate: str) -> None:
    """Wait until the test opens a gate (a file), at most half a minute; say that and where somebody waits."""
    Path(f"{gate}.entered-{os.getpid()}").touch()
    deadline = time.monotonic() + 30
    while not Path(gate).exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@activity(transactional=True)
def wait_for_gate(*, label: str, gate: str) -> None:
    """Write, then wait until the test opens the gate."""
    effects.write(f"{label}:gated")
    pass_gate(gate)


class BookingWorkflow(Workflow[str]):
    """Book, notify, and fail at the end if asked."""

    name = "faults.Booking"

    async def execute(self, label: str, fail: bool = False) -> str:
        await self.activity(book, label=label)
        await self.activity(notify, label=label)
        if fail:
            await self.activity(give_up, label=label)
        return label


class CallbackWorkflow(Workflow[str]):
    """A step whose callback after COMMIT raises."""

    name = "faults.Callback"

    async def execute(self, label: str) -> str:
        await self.activity(book_with_failing_callback, label=label)
        return label


class GatedWorkflow(Workflow[str]):
    """A step that waits for the test, then another."""

    name = "faults.Gated"

    async def execute(self, label: str, gate: str) -> str:
        await self.activity(wait_for_gate, label=label, gate=gate)
        await self.activity(book, label=label)
        return label
