"""Business events and who listens: sagas that an event starts, methods that it reaches.

An event is a frozen dataclass, named by its app label and class. What a saga takes of it, it names as parameters.
"""

from __future__ import annotations

import dataclasses
import string
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from workflows.core import payloads
from workflows.core.definitions import WorkflowDefinition, app_label, registry
from workflows.core.errors import DefinitionError, PayloadError
from workflows.core.messages import Message, MessageKind

Listener = TypeVar("Listener", bound=Any)

MAX_KEY = 255


@dataclasses.dataclass(frozen=True, slots=True)
class EventType:
    """A class of events, and how its values are stored."""

    name: str
    cls: type[Any]
    codec: payloads.Codec
    fields: frozenset[str]

    def encode(self, event: Any) -> dict[str, Any]:
        """The stored form; raises PayloadError for values that do not fit."""
        stored: dict[str, Any] = self.codec.encode(self.codec.validate(event, path=self.name), path=self.name)
        return stored

    def decode(self, stored: dict[str, Any]) -> Any:
        """The event again; raises PayloadError when its class changed since."""
        return self.codec.decode(stored, path=self.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Subscription:
    """One listener: a saga that the event starts (`method` is empty), or a method of it."""

    event: EventType
    workflow: str
    version: int
    method: str
    key: str

    def key_of(self, event: Any) -> str:
        """The key of the saga's run; raises PayloadError for one that cannot be a key."""
        key = self.key.format(**_fields_of(event))
        if not 1 <= len(key) <= MAX_KEY or payloads.clean_text(key) != key:
            raise PayloadError(f"the key of {self.workflow} for {self.event.name} is no text of 1 to {MAX_KEY} letters")
        return key


def arguments_from(event: Any, signature: payloads.Signature) -> dict[str, Any]:
    """The event's fields that a listener names, validated; raises PayloadError."""
    fields = _fields_of(event)
    return signature.bind((), {name: fields[name] for name in signature.parameters if name in fields})


def _fields_of(event: Any) -> dict[str, Any]:
    return {item.name: getattr(event, item.name) for item in dataclasses.fields(event)}


class Subscriptions:
    """Who listens to what, by the event's name."""

    def __init__(self) -> None:
        self.types: dict[str, EventType] = {}
        self._by_event: dict[str, dict[tuple[str, str], Subscription]] = {}

    def type_of(self, cls: type[Any]) -> EventType:
        """A class of events; raises DefinitionError unless it is a frozen dataclass with a name of its own."""
        name = f"{app_label(cls.__module__)}.{cls.__name__}"
        known = self.types.get(name)
        if known is not None and known.cls is cls:
            return known
        if not dataclasses.is_dataclass(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise DefinitionError(f"{name}: an event is a frozen dataclass")
        if known is not None and (known.cls.__module__, known.cls.__qualname__) != (cls.__module__, cls.__qualname__):
            raise DefinitionError(f"two events are named {name!r}")
        fields = frozenset(item.name for item in dataclasses.fields(cls))
        self.types[name] = EventType(name, cls, payloads.Codec(cls), fields)
        return self.types[name]

    def add(self, subscription: Subscription) -> None:
        """Let it listen; the newest version of a saga says how, in whatever order they are registered.

        Raises DefinitionError where one version would listen by two keys: only one of them could be heard.
        """
        place = (subscription.workflow, subscription.method)
        listening = self._by_event.setdefault(subscription.event.name, {})
        present = listening.get(place)
        if present is not None and present.version == subscription.version and present.key != subscription.key:
            what = ".".join(filter(None, place))
            raise DefinitionError(f"{what} listens to {subscription.event.name} twice, by two keys")
        if present is None or present.version <= subscription.version:
            listening[place] = subscription

    def to(self, event: str) -> list[Subscription]:
        """Everybody who listens to an event: starts before methods, so that a saga's own start reaches it too.

        A saga whose newest version no longer begins with the event is not begun by it; runs of older versions still
        hear it by their methods.
        """
        heard = [one for one in self._by_event.get(event, {}).values() if one.method or _is_newest(one)]
        return sorted(heard, key=lambda one: (one.workflow, bool(one.method)))

    def events(self) -> Iterable[str]:
        """Names of the events that somebody listens to."""
        return self._by_event.keys()


def _is_newest(subscription: Subscription) -> bool:
    return subscription.version == max(registry.workflows[subscription.workflow])


subscriptions = Subscriptions()


def on_event(event: type[Any], *, key: str) -> Callable[[Listener], Listener]:
    """Let a business event start this saga once per key (on a class), or reach the saga's live run (on a method).

    `key` is a template of the event's fields (`"risk:{account_id}"`), the key of the saga's run. `execute` or the
    method gets, by name, those fields of the event that it has parameters for. Raises DefinitionError for an event that
    is no frozen dataclass, a template or a required parameter that names no field, a template that names a sensitive
    one, and a second template for the same event.
    """
    kind = subscriptions.type_of(event)
    _check_key(kind, key)
    localns = sys._getframe(1).f_locals

    def listen(listener: Any) -> Any:
        definition = getattr(listener, "definition", None)
        if isinstance(listener, type):
            if not isinstance(definition, WorkflowDefinition):
                raise DefinitionError(f"{listener.__name__}: on_event stands on a workflow or on a method of one")
            check_parameters(kind, definition.name, definition.signature)
            subscriptions.add(Subscription(kind, definition.name, definition.version, "", key))
            return listener
        message = listener if isinstance(listener, Message) else Message(MessageKind.SIGNAL, listener, localns)
        if message.kind is not MessageKind.SIGNAL:
            raise DefinitionError(f"{message.name}: an event reaches a method like a signal, without an answer")
        check_parameters(kind, message.name, message.signature)
        message.events = (*message.events, (kind, key))
        return message

    return listen


def listen_by_methods(definition: WorkflowDefinition) -> None:
    """Let the methods of a newly registered workflow listen."""
    for message in definition.messages.values():
        for kind, key in message.events:
            subscriptions.add(Subscription(kind, definition.name, definition.version, message.name, key))


def _check_key(kind: EventType, key: str) -> None:
    if not isinstance(key, str) or not key:
        raise DefinitionError(f"{kind.name}: key is a template of the event's fields, like 'risk:{{account_id}}'")
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(key) if name is not None}
    except ValueError as error:
        raise DefinitionError(f"{kind.name}: the key {key!r} is no template: {error}") from None
    unknown = sorted(names - kind.fields)
    if unknown:
        raise DefinitionError(f"{kind.name} has no field {', '.join(unknown)}, which the key {key!r} names")
    hints = get_type_hints(kind.cls)
    masked = sorted(name for name in names if _is_sensitive(hints[name]))
    if masked:
        raise DefinitionError(f"{kind.name}: {', '.join(masked)} is sensitive, and a key is shown: {key!r}")


def _is_sensitive(annotation: Any) -> bool:
    sensitive = payloads.Sensitive in (annotation, get_origin(annotation))
    return sensitive or any(map(_is_sensitive, get_args(annotation)))


def check_parameters(kind: EventType, label: str, signature: payloads.Signature) -> None:
    """Raise DefinitionError when a required parameter of a listener is no field of the event."""
    missing = [
        name for name, parameter in signature.parameters.items() if parameter.required and name not in kind.fields
    ]
    if missing:
        raise DefinitionError(f"{label} asks {kind.name} for {', '.join(missing)}, which is no field of it")
