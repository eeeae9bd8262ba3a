"""Drives one workflow's coroutine: facts in, commands out. Pure: no clock, no database, no threads.

The machine is fed one fact at a time, live or from a recorded history, and returns what the code asked for. Given the
commands that were recorded for a fact, it checks that the code asks for the same again (SEMANTICS E23). Branches run
first-in-first-out until all wait, then conditions of `wait_for` are asked in the order they were registered (B9), so
equal facts in equal order give equal commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from workflows.core import payloads
from workflows.core.asking import WorkflowInfo
from workflows.core.branches import Branch, ChildHandle, Handle, Settlement, StepHandle, WaitHandle
from workflows.core.commands import Command, SatisfyWait, signature
from workflows.core.definitions import WorkflowDefinition, workflow_code
from workflows.core.errors import Cancelled, ContinueAsNew, NonDeterminismError, PayloadError, RunTimedOut
from workflows.core.events import STEP_OUTCOMES, Event, EventKind
from workflows.core.failures import activity_failed, child_failed, failed_step, note_where, raised_at
from workflows.core.groups import Group, Race
from workflows.core.listening import Listening


@dataclass(frozen=True, slots=True)
class Finished:
    """How `execute` ended: with a stored result, with an error, or with the stored input of the next link.

    `cancelled` when it let Cancelled through, `timed_out` when the run's time was over; `failed_step` is the step whose
    failure the error is, `failed_at` the position of the fact on which code raised it.
    """

    result: Any = None
    error: dict[str, Any] | None = None
    cancelled: bool = False
    timed_out: bool = False
    failed_step: int | None = None
    failed_at: int | None = None
    continued: dict[str, Any] | None = None


class Machine(Listening):
    """One run's code, kept alive. `deliver` is the only way to move it; `dispose` the way to drop it."""

    def __init__(self, definition: WorkflowDefinition, info: WorkflowInfo, stored_input: dict[str, Any]) -> None:
        super().__init__()
        self.definition = definition
        self.info = info
        self.stored_input = stored_input
        self.steps: dict[int, StepHandle] = {}
        #: Open waits, in the order they were registered.
        self.waits: dict[int, WaitHandle] = {}
        self.ready: deque[tuple[Branch, Settlement]] = deque()
        self.disarmed = False
        self.stopped = False
        self.replaying = False
        self.now: datetime | None = None
        self.cancel_delivered = False
        #: Steps that a race gave up and that completed after all: their undo runs at once (SEMANTICS B8).
        self.completed_after_all: list[int] = []
        self._current: Branch | None = None
        self._root: Branch | None = None
        self._settled = 0
        self._fact = 0
        self._closing = False
        self._timed_out = False
        self._finished: Finished | None = None

    # --- Facts in ----------------------------------------------------------------------------------------------------

    def deliver(self, fact: Event, *, at: datetime, recorded: Sequence[Event] | None = None) -> list[Command]:
        """Bring one fact to the code and run it until quiet; gives what it asked for, in order.

        With `recorded` the commands must be those (kind and name). Raises NonDeterminismError on a mismatch, and when
        the code touched what it may not, even if it caught the error itself.
        """
        self._commands = []
        self._recorded = deque(recorded) if recorded is not None else None
        self.replaying = recorded is not None
        self._fact = fact.position
        if self.now is None or at > self.now:
            self.now = at  # never goes back
        self._bring(fact)
        self._run_until_quiet()
        if self.violation is not None:
            raise self.violation
        if self._recorded:
            left = self._recorded[0]
            raise self._mismatch(
                signature(left.kind, left.data), "the end of the workflow" if self.ended else "nothing"
            )
        self._recorded = None
        self.replaying = False
        return self._commands

    def note(self, event: Event) -> None:
        """Take in a record that is no fact but changes what can be cancelled or which numbers are taken."""
        seq = event.data.get("seq")
        if event.kind == EventKind.COMPENSATION_STARTED:
            self.pass_over(int(event.data["seq"]) + 1)
        elif event.kind == EventKind.RETRY_REQUESTED:
            self.pass_over(int(event.data.get("next_seq", 0)))
            for reopened in self.steps.keys() & event.data.get("reopened", ()):
                self.steps[reopened].started = False
        if seq in self.steps and event.kind != EventKind.COMPENSATION_STARTED:
            # The plan that `self.compensate()` asked for is awaited like a step that has started, and so is a step
            # whose last attempt has failed: its outcome is there.
            started = event.kind in (EventKind.STEP_STARTED, EventKind.PLAN_STARTED)
            self.steps[seq].started = started or bool(event.data.get("last"))

    def pass_over(self, seq: int) -> None:
        """Numbers below `seq` are taken."""
        self._next_seq = max(self._next_seq, seq)

    def _bring(self, fact: Event) -> None:
        if fact.kind in STEP_OUTCOMES:
            self._settle_step(fact)
        elif fact.kind == EventKind.TIMER_FIRED:
            handle = self._step_of(fact)
            self.settle(handle, Settlement(value=False if isinstance(handle, WaitHandle) else None))
            del self.steps[fact.data["seq"]]
        elif fact.kind == EventKind.RUN_STARTED:
            self._begin_execute()
        elif fact.kind == EventKind.CANCEL_REQUESTED:
            self._cancel_root()
        elif fact.kind == EventKind.SIGNAL_RECEIVED:
            self._receive_signal(fact)
        elif fact.kind == EventKind.UPDATE_RECEIVED:
            self._receive_update(fact)
        elif fact.kind == EventKind.TIMEOUT_REACHED:
            self._time_out()
        else:  # pragma: no cover - facts of later features never reach an older engine
            raise NonDeterminismError(f"unknown fact {fact.kind}")

    def _begin_execute(self) -> None:
        cls: Any = self.definition.cls
        workflow = self._workflow = cls.__new__(cls)
        workflow._bind(self)
        with self._as_workflow_code():
            try:
                arguments = self.definition.signature.decode(self.stored_input)
                self.secrets |= payloads.sensitive_texts(arguments)
                workflow.__init__()
                coroutine = workflow.execute(**arguments)
            except Exception as error:
                # A build that does not take what an older one stored: an operator must see it, the code cannot react.
                raise self.violated(NonDeterminismError(f"the code does not take the run's input: {error}")) from error
        self._root = self.branch(coroutine)
        self._root.begin()

    def _step_of(self, fact: Event) -> StepHandle:
        handle = self.steps.get(fact.data["seq"])
        if handle is None:
            raise self.violated(self._mismatch(f"step {fact.data['seq']} ({fact.data.get('name')})", "no such step"))
        return handle

    def _settle_step(self, fact: Event) -> None:
        handle = self._step_of(fact)
        if handle.lost and fact.kind == EventKind.STEP_COMPLETED:
            self.completed_after_all.append(fact.data["seq"])
        self.settle(handle, self._settlement_of(handle, fact))
        del self.steps[fact.data["seq"]]  # nobody asks again: memory does not grow with the run

    def _settlement_of(self, handle: StepHandle, fact: Event) -> Settlement:
        if fact.kind == EventKind.STEP_COMPLETED:
            result = self._result_of(handle)
            if result is None:
                return Settlement(value=fact.data.get("result"))
            try:
                return Settlement(value=result.decode(fact.data.get("result"), path="result"))
            except PayloadError as error:
                raise self.violated(
                    NonDeterminismError(
                        f"the code does not take the recorded result of step {fact.data['seq']}: {error}"
                    )
                ) from error
        assert handle.command is not None
        if isinstance(handle, ChildHandle):
            return Settlement(error=child_failed(handle.command.name, fact.data))
        return Settlement(error=activity_failed(handle.command.name, fact.data))

    @staticmethod
    def _result_of(handle: StepHandle) -> payloads.Codec | None:
        """How a step's result is read; None for one that the engine gives."""
        if isinstance(handle, ChildHandle):
            definition: WorkflowDefinition = handle.workflow.definition
            return definition.signature.result
        return handle.activity.signature.result if handle.activity is not None else None

    def _cancel_root(self) -> None:
        if self.cancel_delivered:
            return  # raised once: clean-up is not disturbed by a second cancel
        root = self._root
        self.cancel_delivered = True
        if root is None or root.outcome is not None:
            return
        target = root.waiting_on
        if isinstance(target, Group | Race):
            root.cancelling = True
            target.cancel()
        elif target is not None:
            # Raised at the await point at once; a step that has started settles later, without a listener.
            target.waiters.remove(root)
            target.cancel()
            root.waiting_on = None
            self.ready.append((root, Settlement(error=Cancelled())))
        for step in list(self.steps.values()):
            if isinstance(step, ChildHandle):
                step.reach()

    def _time_out(self) -> None:
        """The run's time is over: nothing is raised, the code is dropped (SEMANTICS A5)."""
        if self.ended:
            return
        self._timed_out = True
        self._fail_run(RunTimedOut())

    def _fail_run(self, error: BaseException) -> None:
        """`execute` ends here, wherever it stands."""
        root = self._root
        if root is None or root.outcome is not None:
            return
        self.drop_coroutine(root.coroutine)
        self.settle(root, Settlement(error=error))

    # --- Running branches --------------------------------------------------------------------------------------------

    def settle(self, handle: Handle, settlement: Settlement) -> None:
        """Once for each handle: whoever waits goes on, whoever watches is told."""
        if handle.outcome is not None:
            return
        if settlement.error is not None and isinstance(handle, Branch):
            note_where(settlement.error, self.info.run_id, self._fact)
        self._settled += 1
        handle.outcome, handle.settled_as = settlement, self._settled
        for branch in handle.waiters:
            branch.waiting_on = None
            if branch.cancelling and isinstance(settlement.error, Cancelled):
                branch.cancelling = False  # this is the one Cancelled it gets
            self.ready.append((branch, settlement))
        handle.waiters = []
        for watcher in handle.watchers:
            watcher.member_settled(handle)

    def _run_until_quiet(self) -> None:
        while self.violation is None:
            if self.ready:
                branch, settlement = self.ready.popleft()
                if branch.outcome is None:
                    self._resume(branch, settlement)
            elif not (self._satisfy_a_wait() or self._close()):
                return

    def _resume(self, branch: Branch, settlement: Settlement) -> None:
        self._current = branch
        token = workflow_code.set(self)
        try:
            while True:
                if settlement.error is not None:
                    waited = branch.coroutine.throw(settlement.error)
                else:
                    waited = branch.coroutine.send(None)
                if isinstance(waited, Handle) and waited.machine is self:
                    waited.waiters.append(branch)
                    branch.waiting_on = waited
                    return
                settlement = Settlement(
                    error=self.violated(
                        NonDeterminismError(
                            f"workflow code awaited a foreign {type(waited).__name__}, not a workflow call"
                        )
                    )
                )
        except StopIteration as stop:
            self.settle(branch, Settlement(value=stop.value))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.settle(branch, Settlement(error=error))
        finally:
            workflow_code.reset(token)
            self._current = None

    def continue_as_new(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
        """End `execute` here and let it begin anew with another input; raises while anything is open."""
        self._only_reading("continue_as_new")
        if self._current is None or self._current is not self._root:
            raise RuntimeError("continue_as_new is called by execute itself, not by a branch or a handler")
        if self.steps:
            open_ = ", ".join(f"{seq} ({step.command.name})" for seq, step in self.steps.items() if step.command)
            raise RuntimeError(f"continue_as_new while steps are open: {open_}")
        bound = self.definition.signature.bind(args, kwargs)
        raise ContinueAsNew(self.definition.signature.encode(bound))

    def before_await(self) -> None:
        """Called where a branch awaits: a branch that is being cancelled meets Cancelled here, once."""
        branch = self._current
        if branch is not None and branch.cancelling and not self.disarmed:
            branch.cancelling = False
            raise Cancelled

    def _satisfy_a_wait(self) -> bool:
        """Let the first wait go on whose condition holds; False when there is none."""
        for seq, handle in list(self.waits.items()):
            if handle.outcome is not None:
                del self.waits[seq]  # its time was over, or it was given up
                continue
            try:
                if not self.holds(handle.condition):
                    continue
                settlement = Settlement(value=True)
            except Exception as error:
                settlement = Settlement(error=error)
            if self.violation is None:
                self.ask(SatisfyWait(seq))
            del self.steps[seq], self.waits[seq]
            self.settle(handle, settlement)
            return True
        return False

    # --- The end -----------------------------------------------------------------------------------------------------

    def _close(self) -> bool:
        """Once `execute` has ended: give up what is open, wait for what has started. True if that moved something."""
        root = self._root
        if root is None or root.outcome is None or self._finished is not None:
            return False
        if not self._closing:
            self._closing = True
            self._give_up_the_rest(root.outcome)
            return True
        for branch in self._branches:
            if branch.outcome is None and not (branch.begun or branch.watchers or branch.waiters):
                branch.cancel()  # made by a call that met Cancelled where it awaited: nobody is left to begin it
        if not self.steps and all(branch.outcome is not None for branch in self._branches):
            self._finished = self._finish(root.outcome)
        return False

    def _give_up_the_rest(self, outcome: Settlement) -> None:
        failed = outcome.error is not None and not isinstance(outcome.error, Cancelled | ContinueAsNew)
        self.stopped = failed
        for branch in [branch for branch in self._branches if branch.outcome is None]:
            if failed:
                # A failure that leaves `execute` stops new commands (SEMANTICS A4).
                self.drop_coroutine(branch.coroutine)
                self.settle(branch, Settlement(error=Cancelled()))
            elif not branch.given_up:  # what one does that was cancelled before is clean-up, and awaited
                branch.cancel()
        for step in list(self.steps.values()):
            if isinstance(step, ChildHandle):
                step.close()
            elif failed or not (step.waiters or step.watchers):
                step.cancel()

    def _finish(self, outcome: Settlement) -> Finished:
        error = outcome.error
        if isinstance(error, ContinueAsNew):
            return Finished(continued=error.stored_input)
        if error is not None:
            return Finished(
                error=payloads.error_data(error, self.secrets),
                cancelled=isinstance(error, Cancelled),
                timed_out=self._timed_out,
                failed_step=failed_step(error),
                failed_at=raised_at(error, self.info.run_id),
            )
        try:
            codec = self.definition.signature.result
            value = codec.validate(outcome.value, path="result")
            return Finished(result=codec.encode(value, path="result"))
        except PayloadError as failure:
            return Finished(error=payloads.error_data(failure))

    # --- What the runtime asks ---------------------------------------------------------------------------------------

    @property
    def begun(self) -> bool:
        """Whether `execute` has begun."""
        return self._root is not None

    @property
    def ended(self) -> bool:
        """Whether `execute` has ended, though started steps may still be open."""
        return self._root is not None and self._root.outcome is not None

    @property
    def continuing(self) -> bool:
        """Whether `execute` goes on in a next link: what is said to the run from now on is for that one."""
        return self.ended and isinstance(self._root.outcome.error, ContinueAsNew)  # type: ignore[union-attr]

    @property
    def finished(self) -> Finished | None:
        """How the workflow ended, once every started step has settled."""
        return self._finished

    @property
    def open_steps(self) -> list[StepHandle]:
        """Steps that wait for an outcome, by number."""
        return list(self.steps.values())

    @property
    def lone_step(self) -> StepHandle | None:
        """The activity that the only live branch waits for: it may run in place (SEMANTICS B10)."""
        live = [branch for branch in self._branches if branch.outcome is None]
        if len(live) != 1:
            return None
        target = live[0].waiting_on
        return target if isinstance(target, StepHandle) and target.activity is not None else None

    def drop_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """End a coroutine, disarmed: what it asks while it closes is ignored, nothing it raises is heard."""
        before, self.disarmed = self.disarmed, True
        with self._as_workflow_code():
            try:
                coroutine.close()
            except BaseException:  # noqa: S110 - clean-up code of a dropped coroutine has no say
                pass
            finally:
                self.disarmed = before

    def dispose(self) -> None:
        """Drop the code: disarmed, silent, nothing raised."""
        self.disarmed = True
        for branch in self._branches:
            if branch.outcome is None:
                self.drop_coroutine(branch.coroutine)
