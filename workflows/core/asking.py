"""What workflow code asks of its machine: steps, timers, waits, groups, records, chance. Each becomes a command.

The machine itself (`core.machine`) delivers facts and runs branches; this is the floor the author's words stand on.
"""

from __future__ import annotations

import hashlib
import logging
import random
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from workflows.core import attributes, payloads
from workflows.core.branches import Branch, ChildHandle, Handle, StepHandle, WaitHandle
from workflows.core.commands import (
    AddCompensation,
    BusinessMoment,
    ChildOptions,
    Command,
    MarkPatch,
    RecordSideEffect,
    ScheduleStep,
    SetAttributes,
    Track,
    signature,
)
from workflows.core.definitions import Activity, WorkflowCode, WorkflowDefinition
from workflows.core.errors import NonDeterminismError
from workflows.core.events import Event, EventKind
from workflows.core.failures import remote_error
from workflows.core.groups import GatherOptions, Group, Race
from workflows.core.status import StepKind

#: Names of the steps that are no activities.
COMPENSATE, SLEEP, WAIT = "compensate", "sleep", "wait_for"


@dataclass(frozen=True, slots=True)
class WorkflowInfo:
    """What a workflow may know of its own run. `attempt` counts reruns from 1."""

    run_id: uuid.UUID
    workflow: str
    version: int
    key: str | None
    attempt: int
    seed: str


class Asking(WorkflowCode):
    """Takes what the code asks for, and checks it against what was recorded when history is replayed."""

    definition: WorkflowDefinition
    info: WorkflowInfo
    now: datetime | None
    disarmed: bool

    def __init__(self) -> None:
        self._next_seq = 1
        self._derived = 0
        self._commands: list[Command] = []
        self._recorded: deque[Event] | None = None
        self._reading: str | None = None
        self._branches: list[Branch] = []
        self._patches: dict[str, bool] = {}

    # --- Taking commands ---------------------------------------------------------------------------------------------

    @property
    def next_seq(self) -> int:
        """The number the next step gets."""
        return self._next_seq

    def take_seq(self) -> int:
        seq = self._next_seq
        self._next_seq += 1
        return seq

    def ask(self, command: Command) -> None:
        """Take one command of the code, checked against the recorded one on replay."""
        if self.disarmed:
            return
        self._only_reading(str(command.event()[0]))
        self._check(command)
        self._commands.append(command)

    def _only_reading(self, what: str) -> None:
        """A query, a validator or a condition looks at the state and asks for nothing."""
        if self._reading is not None:
            raise self.violated(NonDeterminismError(f"{self._reading} may only read, it asked for {what}"))

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

    # --- Steps and time ----------------------------------------------------------------------------------------------

    def activity(self, activity: Activity[..., Any], kwargs: dict[str, Any]) -> StepHandle:
        args = activity.signature.encode(activity.signature.bind((), kwargs))
        options = activity.options_

        def command(seq: int) -> ScheduleStep:
            return ScheduleStep(
                seq,
                StepKind.ACTIVITY,
                activity.name,
                args,
                undo=options.undo.name if options.undo is not None else None,
                undo_map=activity.undo_map,
                undo_when=options.undo_when,
                activity=activity,
            )

        return StepHandle(self, command, activity)  # type: ignore[arg-type]

    def child(
        self, workflow: type[Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: ChildOptions
    ) -> ChildHandle:
        definition = getattr(workflow, "definition", None)
        if not isinstance(definition, WorkflowDefinition):
            raise TypeError(f"child takes a workflow, not {workflow!r}")
        stored = definition.signature.encode(definition.signature.bind(args, kwargs))

        def command(seq: int) -> ScheduleStep:
            return ScheduleStep(seq, StepKind.CHILD, definition.name, stored, child=options)

        return ChildHandle(self, command, workflow)  # type: ignore[arg-type]

    def sleep(self, delay: timedelta) -> StepHandle:
        if not isinstance(delay, timedelta):
            raise TypeError(f"sleep takes a timedelta, not a {type(delay).__name__}")
        due = self._after(delay)
        args = {"seconds": delay.total_seconds()}
        return self._timer(lambda seq: ScheduleStep(seq, StepKind.TIMER, SLEEP, args, due_at=due()))

    def sleep_until(self, moment: datetime | BusinessMoment) -> StepHandle:
        if isinstance(moment, datetime):
            if moment.tzinfo is None:
                raise ValueError("sleep_until takes a time with its zone")
            try:
                instant = moment.astimezone(UTC)
            except OverflowError:
                raise ValueError(f"{moment} is no date in UTC") from None
            return self._timer(lambda seq: ScheduleStep(seq, StepKind.TIMER, SLEEP, {}, due_at=instant))
        if not hasattr(moment, "describe"):
            raise TypeError(f"sleep_until takes a datetime or a business moment, not a {type(moment).__name__}")
        args = moment.describe()
        return self._timer(lambda seq: ScheduleStep(seq, StepKind.TIMER, SLEEP, args, when=moment))

    def _timer(self, command: Callable[[int], ScheduleStep]) -> StepHandle:
        return StepHandle(self, command, None)  # type: ignore[arg-type]

    def _after(self, delay: timedelta) -> Callable[[], datetime]:
        """The due time of a wait, counted from the moment it begins; raises ValueError beyond what a date can say."""

        def due() -> datetime:
            assert self.now is not None
            try:
                return self.now + max(delay, timedelta())
            except OverflowError:
                raise ValueError(f"{delay} from now is no date") from None

        due()
        return due

    def wait_for(self, condition: Callable[[], Any], timeout: timedelta | None) -> WaitHandle:
        if not callable(condition):
            raise TypeError("wait_for takes a function that says whether to go on")
        if timeout is not None and not isinstance(timeout, timedelta):
            raise TypeError(f"wait_for: timeout is a timedelta, not a {type(timeout).__name__}")
        due = self._after(timeout) if timeout is not None else None
        args = {"timeout": timeout.total_seconds()} if timeout is not None else {}

        def command(seq: int) -> ScheduleStep:
            return ScheduleStep(seq, StepKind.WAIT, WAIT, args, due_at=due() if due is not None else None)

        return WaitHandle(self, command, condition)  # type: ignore[arg-type]

    def compensate(self) -> StepHandle:
        return self._timer(lambda seq: ScheduleStep(seq, StepKind.MARKER, COMPENSATE, {}))

    # --- Side by side ------------------------------------------------------------------------------------------------

    def branch(self, coroutine: Coroutine[Any, Any, Any]) -> Branch:
        branch = Branch(self, coroutine)  # type: ignore[arg-type]
        self._branches = [known for known in self._branches if known.outcome is None] + [branch]
        return branch

    def as_handle(self, member: Any, *, what: str = "gather") -> Handle:
        if isinstance(member, Handle) and cast(Asking, member.machine) is self:
            return member
        if isinstance(member, Coroutine):
            if any(known.coroutine is member for known in self._branches):
                raise ValueError(f"{what}: the same coroutine stands there twice")
            return self.branch(member)
        raise TypeError(f"{what} takes workflow calls and coroutines of this workflow, not a {type(member).__name__}")

    def gather(
        self, members: Sequence[Any], names: Sequence[str] | None, options: GatherOptions | None = None
    ) -> Group:
        handles = [self.as_handle(member) for member in members]
        return Group(self, handles, names, options or GatherOptions())  # type: ignore[arg-type]

    def first_of(self, members: Sequence[Any]) -> Race:
        handles = [self.as_handle(member, what="first_of") for member in members]
        return Race(self, handles)  # type: ignore[arg-type]

    # --- Records and chance ------------------------------------------------------------------------------------------

    def side_effect(self, function: Callable[[], Any]) -> Any:
        if self.disarmed:
            return None
        self._only_reading("a side effect")
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

    def set_attributes(self, values: dict[str, Any]) -> None:
        self.ask(SetAttributes({name: attributes.stored(name, value) for name, value in values.items()}))

    def add_compensation(self, activity: Activity[..., Any], kwargs: dict[str, Any]) -> None:
        args = activity.signature.encode(activity.signature.bind((), kwargs))
        self.ask(AddCompensation(self.take_seq(), activity.name, args))

    def patched(self, change: str) -> bool:
        """Whether this run goes the new way: decided when the code first asks, and kept."""
        if not isinstance(change, str) or not change:
            raise TypeError("patched takes the name of a change")
        if change in self._patches or self.disarmed:
            return self._patches.get(change, True)
        if self._recorded is not None:
            marker = self._recorded[0] if self._recorded else None
            known = marker is not None and marker.kind == EventKind.PATCH_MARKED and marker.data["change"] == change
            if not known:
                self._patches[change] = False
                return False
        self._patches[change] = True
        self.ask(MarkPatch(change))
        return True

    def derive(self, purpose: str) -> bytes:
        """32 bytes that are the same at the same place on every replay."""
        self._only_reading("chance")
        self._derived += 1
        return hashlib.sha256(f"{self.info.seed}:{purpose}:{self._derived}".encode()).digest()

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.derive("uuid")[:16], version=4)

    def random(self) -> random.Random:
        return random.Random(int.from_bytes(self.derive("random"), "big"))
