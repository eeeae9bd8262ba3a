"""Handles awaited together: `gather` settles all, `first_of` goes on with the first (SEMANTICS B7, B8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows.core.branches import Handle, Host, Settlement, StepHandle, Watcher
from workflows.core.errors import Cancelled


@dataclass(frozen=True, slots=True)
class GatherOptions:
    """How much of a gather may fail, and how much of it runs at once. Raises TypeError or ValueError for nonsense."""

    tolerate: int | None = None
    min_successful: int | None = None
    max_parallel: int | None = None
    return_failures: bool = False

    def __post_init__(self) -> None:
        for name, least in (("tolerate", 0), ("min_successful", 0), ("max_parallel", 1)):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"gather: {name} is a whole number, not a {type(value).__name__}")
            if value < least:
                raise ValueError(f"gather: {name} is at least {least}")
        if not isinstance(self.return_failures, bool):
            raise TypeError("gather: return_failures is True or False")

    def allowed_failures(self, members: int) -> int:
        """How many members may fail before the gather does."""
        bounds = [self.tolerate] if self.tolerate is not None else []
        if self.min_successful is not None:
            bounds.append(max(members - self.min_successful, 0))
        if not bounds:
            return members if self.return_failures else 0
        return min(bounds)


def check_members(members: Sequence[Handle], options: GatherOptions) -> None:
    """Raise for members that cannot be gathered together or under these options."""
    if len({id(member) for member in members}) != len(members):
        raise ValueError("gather: the same member stands there twice")
    if options.min_successful is not None and options.min_successful > len(members):
        raise ValueError(f"gather: {options.min_successful} of {len(members)} members cannot succeed")
    if options.max_parallel is not None and any(_has_begun(member) for member in members):
        raise ValueError("gather: max_parallel holds back what has not started, and a member has")


def _has_begun(member: Handle) -> bool:
    return bool(getattr(member, "begun", False)) or member.outcome is not None


def _settled(members: Sequence[Handle]) -> list[Settlement]:
    """Outcomes of the members that have settled, in the order they were delivered."""
    known = [member for member in members if member.outcome is not None]
    known.sort(key=lambda member: member.settled_as)
    return [member.outcome for member in known if member.outcome is not None]


def _is_wanted_elsewhere(member: Handle, by: Watcher) -> bool:
    """Whether somebody else waits for a member too: then it is not given up under them."""
    return bool(member.waiters) or any(watcher is not by for watcher in member.watchers)


class Group(Handle):
    """A gather: settles when all members have; once too many failed, the others are cancelled."""

    def __init__(
        self, machine: Host, members: Sequence[Handle], names: Sequence[str] | None, options: GatherOptions
    ) -> None:
        super().__init__(machine)
        check_members(members, options)
        self.members = list(members)
        self.names = names
        self.options = options
        self.allowed = options.allowed_failures(len(members))
        self.failures = 0
        self.failure: BaseException | None = None
        self.cancelled = False
        self.begun = False
        self._held_back: deque[Handle] = deque()
        self._left = 0

    def begin(self) -> None:
        if self.begun:
            return
        self.begun = True
        self._mark_batch()
        for member in self.members:
            if member.outcome is None:
                member.watchers.append(self)
                self._held_back.append(member)
                self._left += 1
        for outcome in _settled(self.members):
            self._note(outcome)
        self._begin_more()
        self._settle_if_done()

    def _mark_batch(self) -> None:
        """Members of a flat, unthrottled gather are sent out together and awaited together (SEMANTICS C15)."""
        members = [member for member in self.members if isinstance(member, StepHandle) and member.activity is not None]
        flat = len(members) == len(self.members) > 1 and not any(member.begun for member in members)
        if flat and self.options.max_parallel is None:
            for member in members:
                member.batch = self.machine.next_seq

    def _begin_more(self) -> None:
        """Begin what may run now: everything, or as much as `max_parallel` leaves room for."""
        most = self.options.max_parallel
        # Counted anew each time: a member that settles as it begins lets others begin inside.
        while self._held_back and not self._given_up and (most is None or self._running < most):
            self._held_back.popleft().begin()

    @property
    def _running(self) -> int:
        return self._left - len(self._held_back)

    @property
    def _given_up(self) -> bool:
        return self.cancelled or self.failures > self.allowed or self.machine.stopped

    def _note(self, outcome: Settlement) -> None:
        if outcome.error is None or self._given_up:
            return
        self.failures += 1
        if self.failure is None:
            self.failure = outcome.error
        if self.failures > self.allowed:
            self._cancel_members()

    def member_settled(self, member: Handle) -> None:
        """Called once for each member that had not settled when the gather began."""
        assert member.outcome is not None
        self._left -= 1
        self._note(member.outcome)
        self._begin_more()
        self._settle_if_done()

    def cancel(self) -> None:
        if self.outcome is None and not self.cancelled:
            self.cancelled = True
            self._cancel_members()
            self._settle_if_done()

    def lose(self) -> None:
        if self.outcome is None and not self.cancelled:
            self.cancelled = True
            self._held_back.clear()
            for member in self.members:
                if not _is_wanted_elsewhere(member, self):
                    member.lose()
            self._settle_if_done()

    def _cancel_members(self) -> None:
        self._held_back.clear()
        for member in self.members:
            if not _is_wanted_elsewhere(member, self):
                member.cancel()

    def _settle_if_done(self) -> None:
        if self.outcome is not None or self._left:
            return
        if self.cancelled:
            self.machine.settle(self, Settlement(error=Cancelled()))
        elif self.failures > self.allowed:
            self.machine.settle(self, Settlement(error=self.failure))
        else:
            values = [self._value_of(member) for member in self.members]
            result = values if self.names is None else dict(zip(self.names, values, strict=True))
            self.machine.settle(self, Settlement(value=result))

    def _value_of(self, member: Handle) -> Any:
        assert member.outcome is not None
        if member.outcome.error is None:
            return member.outcome.value
        return member.outcome.error if self.options.return_failures else None


class Race(Handle):
    """`first_of`: settles with the first member that does; the others are given up and settle in the background."""

    def __init__(self, machine: Host, members: Sequence[Handle]) -> None:
        super().__init__(machine)
        if not members:
            raise ValueError("first_of: nothing to wait for")
        check_members(members, GatherOptions())
        self.members = list(members)
        self.begun = False
        self.cancelled = False

    def begin(self) -> None:
        if self.begun:
            return
        self.begun = True
        before = [member for member in self.members if member.outcome is not None]
        if before:
            self._decide(min(before, key=lambda member: member.settled_as))
            return
        for member in self.members:
            member.watchers.append(self)
        for member in self.members:
            if self.outcome is not None:
                break
            member.begin()

    def member_settled(self, member: Handle) -> None:
        """The first that settles decides; a race that was cancelled settles when all have."""
        assert member.outcome is not None
        if self.outcome is not None:
            return
        if self.cancelled:
            if all(other.outcome is not None for other in self.members):
                self.machine.settle(self, Settlement(error=Cancelled()))
            return
        self._decide(member)

    def _decide(self, winner: Handle) -> None:
        assert winner.outcome is not None
        self.machine.settle(self, winner.outcome)
        for other in self.members:
            if other is not winner and not _is_wanted_elsewhere(other, self):
                other.lose()

    def cancel(self) -> None:
        self._give_up(lost=False)

    def lose(self) -> None:
        self._give_up(lost=True)

    def _give_up(self, *, lost: bool) -> None:
        if self.outcome is not None or self.cancelled:
            return
        self.cancelled = True
        for member in self.members:
            if _is_wanted_elsewhere(member, self):
                continue
            if lost:
                member.lose()
            else:
                member.cancel()
        # One that had not begun watches nobody: it does not wait for a handle that was started before.
        if self.outcome is None and (not self.begun or all(member.outcome is not None for member in self.members)):
            self.machine.settle(self, Settlement(error=Cancelled()))
