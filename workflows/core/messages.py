"""What an author declares to be talked to: signals, queries and updates, as methods of the workflow class."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from workflows.core import payloads
from workflows.core.errors import DefinitionError

P = ParamSpec("P")
R = TypeVar("R")
Self = TypeVar("Self")


class MessageKind(StrEnum):
    """How a message is answered: not at all, from the state alone, or by a handler."""

    SIGNAL = "signal"
    QUERY = "query"
    UPDATE = "update"


class Message(Generic[P, R]):
    """A method that messages reach by its name. Used as a method it is the method."""

    def __init__(self, kind: MessageKind, function: Callable[..., Any], localns: Mapping[str, Any]) -> None:
        self.kind = kind
        self.function = function
        self.name = function.__name__
        self.check: Callable[..., Any] | None = None
        #: Business events that reach it (`on_event`): type and key template.
        self.events: tuple[tuple[Any, str], ...] = ()
        self.signature = payloads.Signature(function, label=self.name, skip_self=True, localns=localns)
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__wrapped__ = function

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Message[P, R]: ...

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> Callable[P, R]: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        return self if instance is None else self.function.__get__(instance, owner)

    def validator(self, function: Callable[..., None]) -> Callable[..., None]:
        """Declare what refuses an update before it is accepted: same arguments, it raises to refuse.

        Raises DefinitionError on anything but an update.
        """
        if self.kind is not MessageKind.UPDATE:
            raise DefinitionError(f"{self.name}: only an update has a validator")
        if inspect.iscoroutinefunction(function):
            raise DefinitionError(f"{self.name}: a validator answers at once, so it is not async")
        theirs = payloads.Signature(function, label=self.name, skip_self=True, localns=sys._getframe(1).f_locals)
        if list(theirs.parameters) != list(self.signature.parameters):
            raise DefinitionError(f"{self.name}: its validator takes the same arguments")
        self.check = function
        return function


def _declared(kind: MessageKind, function: Callable[..., Any], localns: Mapping[str, Any]) -> Message[Any, Any]:
    if not callable(function):
        raise DefinitionError(f"@{kind} stands on a method")
    if kind is MessageKind.QUERY and inspect.iscoroutinefunction(function):
        raise DefinitionError(f"{function.__name__}: a query answers at once, so it is not async")
    return Message(kind, function, localns)


def signal(function: Callable[Concatenate[Self, P], R], /) -> Message[P, R]:
    """Declare a method that signals reach: they are stored, delivered in order, and never answered.

    It may be `async`: then it runs as a branch of its own. An error that leaves it fails the run.
    """
    return _declared(MessageKind.SIGNAL, function, sys._getframe(1).f_locals)


def query(function: Callable[Concatenate[Self, P], R], /) -> Message[P, R]:
    """Declare a method that answers from the run's state, also after its end; it changes nothing, asks for nothing."""
    return _declared(MessageKind.QUERY, function, sys._getframe(1).f_locals)


def update(function: Callable[Concatenate[Self, P], R], /) -> Message[P, R]:
    """Declare a method that updates reach: its caller gets what it returns, once per update id.

    It may be `async`. `@name.validator` refuses an update before it is accepted; an error in the method is its answer.
    """
    return _declared(MessageKind.UPDATE, function, sys._getframe(1).f_locals)


def messages_of(cls: type[Any]) -> dict[str, Message[Any, Any]]:
    """Every message of a class and its bases, by name."""
    found: dict[str, Message[Any, Any]] = {}
    for base in reversed(cls.__mro__):
        found |= {name: value for name, value in vars(base).items() if isinstance(value, Message)}
    return found
