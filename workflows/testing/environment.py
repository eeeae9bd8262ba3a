"""Runs workflows in one process on the real models, with virtual time and without a broker.

Nothing sleeps: `run` and `skip` move the clock to whatever falls due next, in order.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from workflows import clock, events, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core import histories
from workflows.core.definitions import Activity, registry
from workflows.core.status import CLOSED, RunStatus, StepKind, StepStatus
from workflows.core.workflow import Workflow
from workflows.models import DeliveryStatus, EventDelivery, Run, Step
from workflows.operations import waiting
from workflows.runtime import advance, dispatch, guard, members, process, recovery, suspended, telling
from workflows.testing.mocks import Mock, Stage

#: Times after which, not at which, an attempt that is out is given up.
_BOUNDS = frozenset({"start_by", "deadline_at", "beat_by"})


class WorkflowEnvironment:
    """A workflow engine for tests. Use it as a context manager, or take the fixture `workflow_env`."""

    def __init__(self, *, now: datetime | None = None) -> None:
        self.now = now or datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
        self._stage = Stage()
        self._expected: list[Activity[..., Any]] = []
        self._earlier: set[uuid.UUID] = set()

    @contextmanager
    def open(self) -> Iterator[WorkflowEnvironment]:
        """Take the clock, the activities' bodies and the hints over; check expectations at the end."""
        with ExitStack() as stack:
            stack.enter_context(clock.source(lambda: self.now))
            stack.enter_context(self._stage.playing())
            stack.enter_context(dispatch.silenced())
            before = process.use(process.inline())
            stack.callback(process.use, before)
            stack.callback(suspended.forget)
            stack.enter_context(waiting.paused_by(self._pause, clock=lambda: self.now.timestamp()))
            self._earlier = set(Run.objects.values_list("id", flat=True))
            self._notice_new_code()
            yield self
            self._check_expectations()

    # --- Running -----------------------------------------------------------------------------------------------------

    def start(self, workflow: type[Workflow[Any]] | str, *args: Any, **kwargs: Any) -> WorkflowRun:
        """Start a run; it is written, nothing has executed yet."""
        self._notice_new_code()
        return operations.start_run(workflow, *args, **kwargs)

    def run(self, workflow: type[Workflow[Any]] | str, *args: Any, **kwargs: Any) -> Any:
        """Start a run and let virtual time pass until it ends; its result, or WorkflowFailed with the cause."""
        run = self.start(workflow, *args, **kwargs)
        return self.finish(run.id)

    def finish(self, run_id: uuid.UUID) -> Any:
        """Let virtual time pass until the run ends or nothing is due any more."""
        while (status := queries.get_status(run_id)) not in CLOSED or status == RunStatus.CONTINUED:
            if status == RunStatus.CONTINUED:
                run_id = queries.current_run_id(run_id)
            elif not self._run_due() and not self._skip_to_next():
                break
        run = queries.get_run(run_id)
        if run.status == RunStatus.COMPLETED:
            return run.result
        raise waiting.failure_of(run)

    def skip(self, delay: timedelta) -> None:
        """Move virtual time on and run all that falls due on the way, in order; zero runs what is due now."""
        end = self.now + delay
        self._drain()
        seen: datetime | None = None
        while (due := self._next_due(after=seen)) is not None and due <= end:
            # A run that is due and still not claimed (its code is gone, say) is left behind, not asked for ever.
            seen = due
            self.now = max(self.now, due)
            self._drain()
        self.now = end
        self._drain()

    def restart(self) -> None:
        """Forget everything that is only in memory, like a new worker."""
        suspended.forget()
        process.use(process.inline())

    def _drain(self) -> None:
        while self._run_due():
            pass

    def _run_due(self) -> bool:
        """What is due now, once: runs, then attempts that were sent out, in the order they were asked for."""
        self._notice_new_code()
        moved = events.deliver_due() > 0
        moved = self._drive_due_runs() or moved
        for run_id, seq in self._due_attempts():
            before = self._steps_seen(run_id, seq)
            members.attempt(run_id, [seq])
            moved = self._steps_seen(run_id, seq) != before or moved
            moved = self._drive_due_runs() or moved  # a failure is met before the next member begins
            moved = telling.tell_untold() > 0 or moved
        moved = telling.tell_untold() > 0 or moved
        return recovery.give_up_attempts() > 0 or moved

    @staticmethod
    def _steps_seen(run_id: uuid.UUID, seq: int) -> Any:
        return Step.objects.filter(run_id=run_id, seq=seq).values_list("status", "ticket", "due_at").first()

    def _due_attempts(self) -> list[tuple[uuid.UUID, int]]:
        waiting = Step.objects.filter(queue__isnull=False, status=StepStatus.SCHEDULED)
        due = waiting.filter(Q(due_at__isnull=True) | Q(due_at__lte=self.now))
        return list(due.order_by("scheduled_at", "run_id", "seq").values_list("run_id", "seq"))

    def _drive_due_runs(self) -> bool:
        rows = Run.objects.filter(wake_at__lte=self.now).order_by("wake_at", "created_at", "id")
        due = list(rows.values_list("id", flat=True))
        claims = [claimed for run_id in due if (claimed := advance.claim_run(run_id)) is not None]
        for claim, identity in claims:
            advance.drive(claim, identity)
        return bool(claims)

    def _next_due(self, *, after: datetime | None = None) -> datetime | None:
        """When something is due next: a run, a retry, or the bound of an attempt that is out."""
        out = Step.objects.filter(queue__isnull=False)
        scheduled, running = out.filter(status=StepStatus.SCHEDULED), out.filter(status=StepStatus.RUNNING)
        times = [
            self._first(rows, name, after)
            for rows, name in (
                (Run.objects.all(), "wake_at"),
                (scheduled, "due_at"),
                (scheduled, "start_by"),
                (running, "deadline_at"),
                (running, "beat_by"),
                (EventDelivery.objects.filter(status=DeliveryStatus.PENDING), "due_at"),
            )
        ]
        return min((due for due in times if due is not None), default=None)

    @staticmethod
    def _first(rows: QuerySet[Any], name: str, after: datetime | None) -> datetime | None:
        rows = rows.filter(**{f"{name}__isnull": False})
        if after is not None:
            rows = rows.filter(**{f"{name}__gt": after})
        found: datetime | None = rows.order_by(name).values_list(name, flat=True).first()
        if found is not None and name in _BOUNDS:
            found += timedelta(microseconds=1)  # an attempt that ends at its bound is in time
        return found

    def _skip_to_next(self) -> bool:
        due = self._next_due(after=self.now)
        if due is None:
            return False
        self.now = max(self.now, due)
        return True

    def _pause(self, seconds: float) -> None:
        """Somebody waits for a result: run what is due, or let time pass to what is next."""
        if self._run_due():
            return
        end = self.now + timedelta(seconds=seconds)
        due = self._next_due(after=self.now)
        self.now = due if due is not None and due <= end else end

    def _notice_new_code(self) -> None:
        """A test may declare workflows and activities of its own after the environment was opened."""
        self._stage.take(registry.activities.values())
        if process.current().capabilities != registry.capabilities():
            process.use(process.inline())

    def replay(self, history_file: str | Path) -> None:
        """Replay an exported history (`manage.py workflow export`) with the code as it is now.

        Raises NonDeterminismError naming the expected and the found command when they no longer agree.
        """
        with Path(history_file).open(encoding="utf-8") as file:
            history = histories.read_lines(file)
        with guard.watched():
            histories.replay_history(history).dispose()

    # --- Looking and mocking -----------------------------------------------------------------------------------------

    def mock(self, activity: Activity[..., Any]) -> Mock:
        """Stand in for an activity: `.returns(x)`, `.raises(e)`, limited by `.with_args(...)`."""
        self._notice_new_code()
        return self._stage.mock(activity)

    def calls(self, activity: Activity[..., Any]) -> list[dict[str, Any]]:
        """The arguments of every call of an activity, in order, mocked or not."""
        return [arguments for name, arguments in self._stage.calls if name == activity.name]

    def expect_compensation(self, activity: Activity[..., Any]) -> None:
        """Require, when the test ends, that this undo has completed in a run that was started since this was opened."""
        self._expected.append(activity)

    def _check_expectations(self) -> None:
        undone = Step.objects.filter(kind=StepKind.COMPENSATION, status=StepStatus.COMPLETED)
        done = {name for run_id, name in undone.values_list("run_id", "name") if run_id not in self._earlier}
        missing = [activity.name for activity in self._expected if activity.name not in done]
        if missing:
            raise AssertionError(f"expected compensation did not complete: {', '.join(missing)}")
