"""Stand-ins for activities, and a record of every call the kit saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from workflows.core.definitions import Activity


@dataclass
class Mock:
    """What an activity does instead of its own body, in this environment."""

    activity: Activity[..., Any]
    arguments: dict[str, Any] | None = None
    outcomes: list[tuple[str, Any]] = field(default_factory=list)

    def returns(self, value: Any) -> Mock:
        """Give `value`; several calls of `returns` and `raises` are used up in order, the last one for ever."""
        self.outcomes.append(("return", value))
        return self

    def raises(self, error: BaseException) -> Mock:
        """Raise `error`."""
        self.outcomes.append(("raise", error))
        return self

    def with_args(self, **arguments: Any) -> Mock:
        """Stand in only for calls whose arguments include these. Raises TypeError for one that it does not have."""
        unknown = sorted(set(arguments) - set(self.activity.signature.parameters))
        if unknown:
            raise TypeError(f"{self.activity.name} has no argument named {', '.join(unknown)}")
        self.arguments = arguments
        return self

    def fits(self, arguments: dict[str, Any]) -> bool:
        return self.arguments is None or all(
            name in arguments and arguments[name] == value for name, value in self.arguments.items()
        )

    def act(self) -> Any:
        kind, value = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if kind == "raise":
            raise value
        return value


class Stage:
    """Replaces the bodies of activities while an environment is open."""

    def __init__(self) -> None:
        self.mocks: list[Mock] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._originals: dict[str, tuple[Activity[..., Any], Callable[..., Any]]] = {}

    def mock(self, activity: Activity[..., Any]) -> Mock:
        mock = Mock(activity)
        self.mocks.insert(0, mock)
        return mock

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Stand in for the activities that `take` names, until the block ends."""
        try:
            yield
        finally:
            for activity, function in self._originals.values():
                activity.function = function
            self._originals.clear()

    def take(self, activities: Iterable[Activity[..., Any]]) -> None:
        """Stand in for these activities too; those that are played already stay as they are."""
        for activity in activities:
            if activity.name not in self._originals:
                self._originals[activity.name] = activity, activity.function
                activity.function = self._played(activity.name, activity.function)

    def _played(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def play(*args: Any, **arguments: Any) -> Any:
            self.calls.append((name, dict(arguments)))
            for mock in self.mocks:
                if mock.activity.name == name and mock.outcomes and mock.fits(arguments):
                    return mock.act()
            return function(*args, **arguments)

        return play
