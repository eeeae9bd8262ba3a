"""Drives one workflow's coroutine: facts in, commands out. Pure: no clock, no database, no threads.

The machine is fed one fact at a time, live or from a recorded history, and returns what the code asked for. Given the
commands that were recorded for a fact, it checks that the code asks for the same again (SEMANTICS E23). Branches run
first-in-first-out until all wait (SEMANTICS B9), so equal facts in equal order give equal commands.
"""

from __future__ import annotations

import hashlib
import logging
import random
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows.core import payloads
from workflows.core.branches import Branch, Group, Handle, Outcome, StepHandle
from workflows.core.commands import (
    AddCompensation,
    Command,
    RecordSideEffect,
    ScheduleStep,
    Track,
    signature,
)
from workflows.core.definitions import Activity, WorkflowCode, WorkflowDefinition, workflow_code
from workflows.core.errors import ActivityFailed, Cancelled, NonDeterminismError, PayloadError, RemoteError
from workflows.core.events import STEP_OUTCOMES, Event, EventKind
from workflows.core.status import StepKind

#: The step of `self.compensate()`.
COMPENSATE = "compensate"


@dataclass(frozen=True, slots=True)
class WorkflowInfo:
    """What a workflow may know of its own run. `attempt` counts reruns from 1."""

    run_id: uuid.UUID
    workflow: str
    version: int
    key: str | None
    attempt: int
    seed: str


@dataclass(frozen=True, slots=True)
class Finished:
    """How `execute` ended: with a stored result, or with an error (`cancelled` when it let Cancelled through)."""

    result: Any = None
    error: dict[str, Any] | None = None
    cancelled: bool = False


@dataclass
class Machine(WorkflowCode):
    """One run's code, kept alive. `deliver` is the only way to move it; `dispose` the way to drop it."""

    definition: WorkflowDefinition
    info: WorkflowInfo
    stored_input: dict[str, Any]

    steps: dict[int, StepHandle] = field(default_factory=dict)
    ready: deque[tuple[Branch, Outcome]] = field(default_factory=deque)
    disarmed: bool = False
    replaying: bool = False
    now: datetime | None = None
    violation: NonDeterminismError | None = None

    def __post_init__(self) -> None:
        self._next_seq = 1
        self._derived = 0
        self._commands: list[Command] = []
        self._recorded: deque[Event] | None = None
        self._current: Branch | None = None
        self._root: Branch | None = None
        self._branches: list[Branch] = []
        self._finished: Finished | None = None
        self.cancel_delivered = False

    # --- Facts in ----------------------------------------------------------------------------------------------------

    def deliver(self, fact: Event, *, at: datetime, recorded: Sequence[Event] | None = None) -> list[Command]:
        """Bring one fact to the code and run it until quiet; gives what it asked for, in order.

        With `recorded` the commands must be those (kind and name). Raises NonDeterminismError on a mismatch, and when
        the code touched what it may not, even if it caught the error itself.
        """
        self._commands = []
        self._recorded = deque(recorded) if recorded is not None else None
        self.replaying = recorded is not None
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
            self._next_seq = max(self._next_seq, int(event.data["seq"]) + 1)
        elif seq in self.steps:
            self.steps[seq].started = event.kind == EventKind.STEP_STARTED

    def _bring(self, fact: Event) -> None:
        if fact.kind == EventKind.RUN_STARTED:
            self._begin_execute()
        elif fact.kind == EventKind.CANCEL_REQUESTED:
            self._cancel_root()
        elif fact.kind in STEP_OUTCOMES:
            handle = self.steps.get(fact.data["seq"])
            if handle is None:
                raise self.violated(
                    self._mismatch(f"step {fact.data['seq']} ({fact.data.get('name')})", "no such step")
                )
            self.settle(handle, self._outcome_of(handle, fact))
            del self.steps[fact.data["seq"]]  # nobody asks again: memory does not grow with the run
        else:  # pragma: no cover - facts of later features never reach an older engine
            raise NonDeterminismError(f"unknown fact {fact.kind}")

    def _begin_execute(self) -> None:
        cls: Any = self.definition.cls
        workflow = cls.__new__(cls)
        workflow._bind(self)
        token = workflow_code.set(self)
        try:
            arguments = self.definition.signature.decode(self.stored_input)
            workflow.__init__()
            coroutine = workflow.execute(**arguments)
        except Exception as error:
            # A build that does not take what an older one stored: an operator must see it, the code cannot react.
            raise self.violated(NonDeterminismError(f"the code does not take the run's input: {error}")) from error
        finally:
            workflow_code.reset(token)
        self._root = self.branch(coroutine)
        self._root.begin()

    def _cancel_root(self) -> None:
        if self.cancel_delivered:
            return  # raised once: clean-up is not disturbed by a second cancel
        root = self._root
        self.cancel_delivered = True
        if root is None or root.outcome is not None:
            return
        target = root.waiting_on
        if isinstance(target, Group):
            root.cancelling = True
            target.cancel()
        elif target is not None:
            # Raised at the await point at once; a step that has started settles later, without a listener.
            target.waiter = None
            target.cancel()
            root.waiting_on = None
            self.ready.append((root, Outcome(error=Cancelled())))

    def _outcome_of(self, handle: StepHandle, fact: Event) -> Outcome:
        if fact.kind == EventKind.STEP_COMPLETED:
            if handle.activity is None:
                return Outcome(value=fact.data.get("result"))
            try:
                return Outcome(value=handle.activity.signature.result.decode(fact.data.get("result"), path="result"))
            except PayloadError as error:
                raise self.violated(
                    NonDeterminismError(
                        f"the code does not take the recorded result of step {fact.data['seq']}: {error}"
                    )
                ) from error
        assert handle.command is not None
        return Outcome(error=activity_failed(handle.command.name, fact.data))

    # --- Running branches --------------------------------------------------------------------------------------------

    def settle(self, handle: Handle, outcome: Outcome) -> None:
        if handle.outcome is not None:
            return
        handle.outcome = outcome
        if handle.waiter is not None:
            branch, handle.waiter = handle.waiter, None
            branch.waiting_on = None
            if branch.cancelling and isinstance(outcome.error, Cancelled):
                branch.cancelling = False  # this is the one Cancelled it gets
            self.ready.append((branch, outcome))
        if handle.group is not None:
            handle.group.member_settled(handle)

    def _run_until_quiet(self) -> None:
        while self.ready and self.violation is None:
            branch, outcome = self.ready.popleft()
            if branch.outcome is None:
                self._resume(branch, outcome)
        if self.violation is None:  # else a second mismatch, of the clean-up, would hide the first
            self._finish_if_settled()

    def _resume(self, branch: Branch, outcome: Outcome) -> None:
        self._current = branch
        token = workflow_code.set(self)
        try:
            while True:
                if outcome.error is not None:
                    waited = branch.coroutine.throw(outcome.error)
                else:
                    waited = branch.coroutine.send(None)
                if isinstance(waited, Handle) and waited.machine is self:
                    waited.waiter = branch
                    branch.waiting_on = waited
                    return
                outcome = Outcome(
                    error=self.violated(
                        NonDeterminismError(
                            f"workflow code awaited a foreign {type(waited).__name__}, not a workflow call"
                        )
                    )
                )
        except StopIteration as stop:
            self.settle(branch, Outcome(value=stop.value))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.settle(branch, Outcome(error=error))
        finally:
            workflow_code.reset(token)
            self._current = None

    def before_await(self) -> None:
        """Called where a branch awaits: a branch that is being cancelled meets Cancelled here, once."""
        branch = self._current
        if branch is not None and branch.cancelling and not self.disarmed:
            branch.cancelling = False
            raise Cancelled

    def _finish_if_settled(self) -> None:
        root = self._root
        if root is None or root.outcome is None or self._finished is not None:
            return
        for step in list(self.steps.values()):
            step.cancel()
        if self.steps:
            return  # what has started settles first
        error = root.outcome.error
        if error is not None:
            secrets = payloads.sensitive_texts(self.definition.signature.decode(self.stored_input))
            self._finished = Finished(error=payloads.error_data(error, secrets), cancelled=isinstance(error, Cancelled))
            return
        try:
            codec = self.definition.signature.result
            value = codec.validate(root.outcome.value, path="result")
            self._finished = Finished(result=codec.encode(value, path="result"))
        except PayloadError as failure:
            self._finished = Finished(error=payloads.error_data(failure))

    # --- What the runtime asks ---------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether `execute` has ended, though started steps may still be open."""
        return self._root is not None and self._root.outcome is not None

    @property
    def finished(self) -> Finished | None:
        """How the workflow ended, once every started step has settled."""
        return self._finished

    @property
    def open_steps(self) -> list[StepHandle]:
        """Steps that wait for an outcome, by number."""
        return list(self.steps.values())

    def dispose(self) -> None:
        """Drop the coroutine: disarmed, silent, nothing raised."""
        self.disarmed = True
        for branch in self._branches:
            if branch.outcome is None:
                token = workflow_code.set(self)
                try:
                    branch.coroutine.close()
                except BaseException:  # noqa: S110 - clean-up code of a dropped coroutine has no say
                    pass
                finally:
                    workflow_code.reset(token)

    # --- What workflow code asks (through Workflow) ------------------------------------------------------------------

    def take_seq(self) -> int:
        seq = self._next_seq
        self._next_seq += 1
        return seq

    @property
    def next_seq(self) -> int:
        return self._next_seq

    def ask(self, command: Command) -> None:
        """Take one command of the code, checked against the recorded one on replay."""
        if self.disarmed:
            return
        self._check(command)
        self._commands.append(command)

    def _check(self, command: Command) -> None:
        if self._recorded is None:
            return
        kind, data = command.event()
        found = signature(kind, data)
        if not self._recorded:
            raise self.violated(self._mismatch("nothing", found))
        expected = self._recorded.popleft()
        if signature(expected.kind, expected.data) != found:
            raise self.violated(self._mismatch(signature(expected.kind, expected.data), found))
        before, now = expected.data.get("args"), data.get("args")
        # Sensitive fields are encrypted anew each time, so they are left out of what is compared.
        if before is not None and now is not None and payloads.mask(before) != payloads.mask(now):
            logging.getLogger("workflows.replay").warning(
                "run %s: arguments of '%s' differ from the recorded ones", self.info.run_id, found
            )

    def _mismatch(self, expected: str, found: str) -> NonDeterminismError:
        return NonDeterminismError(
            f"the code no longer matches the history: expected '{expected}', found '{found}'",
            expected=expected,
            found=found,
        )

    def branch(self, coroutine: Coroutine[Any, Any, Any]) -> Branch:
        branch = Branch(self, coroutine)
        self._branches = [known for known in self._branches if known.outcome is None] + [branch]
        return branch

    def activity(self, activity: Activity[..., Any], kwargs: dict[str, Any]) -> StepHandle:
        args = activity.signature.encode(activity.signature.bind((), kwargs))
        undo = activity.options_.undo

        def command(seq: int) -> ScheduleStep:
            return ScheduleStep(
                seq,
                StepKind.ACTIVITY,
                activity.name,
                args,
                undo=undo.name if undo is not None else None,
                undo_map=activity.undo_map,
                undo_when=activity.options_.undo_when,
                activity=activity,
            )

        return StepHandle(self, command, activity)

    def compensate(self) -> StepHandle:
        return StepHandle(self, lambda seq: ScheduleStep(seq, StepKind.MARKER, COMPENSATE, {}), None)

    def gather(self, members: Sequence[Any], names: Sequence[str] | None) -> Group:
        handles = [self.as_handle(member) for member in members]
        return Group(self, handles, names)

    def as_handle(self, member: Any) -> Handle:
        if isinstance(member, Handle) and member.machine is self:
            return member
        if isinstance(member, Coroutine):
            return self.branch(member)
        raise TypeError(f"gather takes workflow calls and coroutines of this workflow, not a {type(member).__name__}")

    def side_effect(self, function: Callable[[], Any]) -> Any:
        if self.disarmed:
            return None
        name = getattr(function, "__qualname__", type(function).__name__).rsplit(".", 1)[-1]
        seq = self.take_seq()
        codec = payloads.Codec(Any)
        if self._recorded is not None:
            recorded = self._recorded[0] if self._recorded else None
            self.ask(RecordSideEffect(seq, name))
            assert recorded is not None
            if "error" in recorded.data:
                raise remote_error(recorded.data["error"])
            return recorded.data["result"]
        try:
            result = codec.encode(codec.validate(function(), path="side effect"), path="side effect")
        except NonDeterminismError:
            raise
        except Exception as error:
            data = payloads.error_data(error)
            self.ask(RecordSideEffect(seq, name, error=data))
            raise remote_error(data) from error
        self.ask(RecordSideEffect(seq, name, result=result))
        return result

    def track(self, name: str, data: Any) -> None:
        codec = payloads.Codec(Any)
        self.ask(Track(name, codec.encode(data, path="track")))

    def add_compensation(self, activity: Activity[..., Any], kwargs: dict[str, Any]) -> None:
        args = activity.signature.encode(activity.signature.bind((), kwargs))
        self.ask(AddCompensation(self.take_seq(), activity.name, args))

    def derive(self, purpose: str) -> bytes:
        """32 bytes that are the same at the same place on every replay."""
        self._derived += 1
        return hashlib.sha256(f"{self.info.seed}:{purpose}:{self._derived}".encode()).digest()

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.derive("uuid")[:16], version=4)

    def random(self) -> random.Random:
        return random.Random(int.from_bytes(self.derive("random"), "big"))


def remote_error(data: dict[str, Any]) -> RemoteError:
    """A recorded error as an exception, with its causes."""
    error = RemoteError(data["message"], type=data["type"], code=data["code"])
    if data.get("cause"):
        error.__cause__ = remote_error(data["cause"])
    return error


def activity_failed(name: str, data: dict[str, Any]) -> ActivityFailed:
    """What workflow code meets when a step ended without a result."""
    cause = data["error"]
    error = ActivityFailed(
        cause["message"], activity=name, type=cause["type"], code=cause["code"], attempts=data.get("attempts", 1)
    )
    error.__cause__ = remote_error(cause)
    return error
