"""Forms of the dialogs: a reason, the places of an input, and the dialog's one-time key."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from workflows.admin.entries import ABSENT, WIDTH, JsonEntry, entry_for
from workflows.admin.places import Place, places_of
from workflows.contracts import MessageType
from workflows.core.payloads import MASK
from workflows.operations.authority import MAX_REASON
from workflows.operations.starting import MAX_KEY

#: Begins the names of fields that are part of an input.
PREFIX = "input."


@dataclasses.dataclass(frozen=True, slots=True)
class InputGroup:
    """Fields of one object of an input; the title of the input itself is empty."""

    title: str
    about: str
    fields: list[forms.BoundField]


class DialogForm(forms.Form):
    """A dialog; `once` is its one-time key."""

    once = forms.CharField(widget=forms.HiddenInput, required=False)

    #: Fields that stand before the input.
    first: ClassVar[tuple[str, ...]] = ()
    #: The field whose value shows or hides the input, and the value that shows it.
    decides: ClassVar[tuple[str, str] | None] = None

    def first_fields(self) -> list[forms.BoundField]:
        """The fields before the input."""
        return [self[name] for name in self.first]

    def own_fields(self) -> list[forms.BoundField]:
        """The fields behind the input."""
        return [field for field in self if not field.name.startswith(PREFIX) and field.name not in self.first]

    def choice(self) -> str:
        """Which of its choices stands in the field that decides; the page's script takes it as it is."""
        if self.decides is None:
            return ""
        field = self[self.decides[0]]
        known = [str(value) for value, _ in getattr(field.field, "choices", ())]
        return next((value for value in known if value == field.value()), "")


class ReasonForm(DialogForm):
    """An act on an existing run needs a reason."""

    reason = forms.CharField(
        label="Reason",
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"style": WIDTH, "rows": 3}),
        help_text="Kept in the audit trail with your name.",
    )

    @property
    def changed_input(self) -> dict[str, Any]:
        """What of the failed step's input was changed."""
        return {}


class InputForm(DialogForm):
    """A dialog that has the places of an input before its own fields."""

    def add_places(self, places: Sequence[Place], initial: Mapping[tuple[str, ...], Any], kept: set[str]) -> None:
        """`kept` are the names at the top whose hidden values stay when nothing is typed."""
        self.places = places
        fields: dict[str, forms.Field] = {
            PREFIX + place.name: entry_for(
                place, initial=initial.get(place.path), is_kept=place.is_secret and place.path[0] in kept
            )
            for place in places
        }
        self.fields = {**fields, **self.fields}

    def input_groups(self) -> list[InputGroup]:
        """The places by the object that they stand in."""
        groups: dict[str, InputGroup] = {}
        for place in self.places:
            title = ".".join(place.path[:-1])
            group = groups.setdefault(title, InputGroup(title, place.about, []))
            group.fields.append(self[PREFIX + place.name])
        return list(groups.values())

    def typed(self) -> dict[tuple[str, ...], Any]:
        """What was typed at each place that is valid."""
        names = {place.path: PREFIX + place.name for place in self.places}
        return {path: self.cleaned_data[name] for path, name in names.items() if name in self.cleaned_data}

    @property
    def input(self) -> dict[str, Any]:
        """The input as it was typed; nothing where nothing was."""
        by_path = {place.path: place for place in self.places}
        return assemble((path, _or_null(value, by_path[path])) for path, value in self.typed().items())


_ARGUMENTS: dict[str, Any] = {
    "label": "Arguments of the message",
    "required": False,
    "help_text": "JSON: an object by name, or a list in order.",
}


class StartForm(InputForm):
    """A new run: its input, and a key that makes the start unique for ever."""

    key = forms.CharField(
        label="Key",
        required=False,
        max_length=MAX_KEY,
        widget=UnfoldAdminTextInputWidget(attrs={"style": WIDTH, "autocomplete": "off"}),
        help_text="Optional. One run per workflow and key, for ever: the same key and input give the run that exists.",
    )
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"style": WIDTH, "rows": 3}),
        help_text="Optional. Kept in the audit trail with your name.",
    )

    message = forms.ChoiceField(
        label="With a message",
        required=False,
        widget=UnfoldAdminSelectWidget(attrs={"style": WIDTH}),
        help_text="Optional, with a key. The run is started or found and gets the message, both or neither.",
    )
    message_arguments = JsonEntry(**_ARGUMENTS)

    def __init__(
        self,
        *args: Any,
        places: Sequence[Place],
        given: Mapping[str, Any],
        messages: Sequence[MessageType] = (),
        **options: Any,
    ) -> None:
        """`given` fills places in by their name (`amount.currency`), over their defaults.

        `messages` are those that may go along.
        """
        super().__init__(*args, **options)
        if messages:
            offered = [(f"{message.kind} {message.name}", f"{message.kind} {message.name}") for message in messages]
            self.fields["message"].choices = [("", "none"), *offered]  # type: ignore[attr-defined]
            if any(place.is_secret for message in messages for place in places_of(message.input_schema)):
                self.fields["message_arguments"] = JsonEntry(is_secret=True, **_ARGUMENTS)
        else:
            del self.fields["message"], self.fields["message_arguments"]
        initial = {place.path: place.default for place in places} | dict(_prefilled(places, given))
        self.add_places(places, initial, kept=set())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        arguments = cleaned.get("message_arguments", ABSENT)
        if cleaned.get("message") and not cleaned.get("key"):
            self.add_error("key", "A start with a message needs a key: it names the run that is found again.")
        if arguments is not ABSENT and not isinstance(arguments, dict | list):
            self.add_error("message_arguments", "An object by name, or a list in order.")
        return cleaned

    @property
    def along(self) -> tuple[str, str, dict[str, Any] | tuple[Any, ...]] | None:
        """The kind, name and arguments of the message that goes along; None for a start without one."""
        if not self.cleaned_data.get("message"):
            return None
        kind, name = self.cleaned_data["message"].split(" ", 1)
        arguments = self.cleaned_data["message_arguments"]
        if arguments is ABSENT:
            return kind, name, {}
        return kind, name, tuple(arguments) if isinstance(arguments, list) else arguments


class RetryForm(ReasonForm, InputForm):
    """A retry may change the failed step's input, whose places stand filled in."""

    def __init__(self, *args: Any, places: Sequence[Place], arguments: Mapping[str, Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self.arguments = arguments
        shown = {place.path: find(arguments, place.path) for place in places}
        self.hidden = {name for name, value in arguments.items() if has_mask(value)}
        places = [dataclasses.replace(place, is_secret=has_mask(shown[place.path])) for place in places]
        initial = {path: value for path, value in shown.items() if value is not ABSENT and not has_mask(value)}
        self.add_places(places, initial, kept=self.hidden)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        changed = self._changed_names()
        for place in self.places:
            name = PREFIX + place.name
            if place.path[0] not in changed or cleaned.get(name) is not ABSENT:
                continue
            if place.is_secret:
                self.add_error(name, f"{place.path[0]} is changed as a whole: type its hidden value too.")
            elif len(place.path) == 1 and not place.is_nullable:
                self.add_error(name, "A step keeps its arguments: type another value.")
        return cleaned

    @property
    def changed_input(self) -> dict[str, Any]:
        """The changed arguments, each as a whole; the others stay as they are."""
        changed = self._changed_names()
        by_path = {place.path: place for place in self.places}
        return assemble(
            (path, None if value is ABSENT and len(path) == 1 else _or_null(value, by_path[path]))
            for path, value in self.typed().items()
            if path[0] in changed
        )

    def _changed_names(self) -> set[str]:
        return {path[0] for path, value in self.typed().items() if self._is_changed(path, value)}

    def _is_changed(self, path: tuple[str, ...], value: Any) -> bool:
        before = find(self.arguments, path)
        if value is ABSENT:
            return before is not ABSENT and before not in (None, "") and not has_mask(before)
        return bool(before != value)


def assemble(values: Iterable[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """An input from what stands at its places; nothing where nothing was typed."""
    made: dict[str, Any] = {}
    for path, value in values:
        if value is ABSENT:
            continue
        at = made
        for name in path[:-1]:
            at = at.setdefault(name, {})
        at[path[-1]] = value
    return made


def find(value: Any, path: tuple[str, ...]) -> Any:
    """What stands at a place of stored JSON; ABSENT where nothing does."""
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def _or_null(value: Any, place: Place) -> Any:
    return None if value is ABSENT and place.is_required and place.is_nullable else value


def _prefilled(places: Sequence[Place], given: Mapping[str, Any]) -> Iterable[tuple[tuple[str, ...], Any]]:
    for place in places:
        if place.name in given:
            yield place.path, given[place.name]
        parts = {part: given.get(f"{place.name}.{part}", "") for part in ("amount", "currency")}
        if any(parts.values()):
            yield place.path, parts


def has_mask(value: Any) -> bool:
    """Whether stored JSON hides a value."""
    if isinstance(value, dict):
        return any(has_mask(item) for item in value.values())
    if isinstance(value, list):
        return any(has_mask(item) for item in value)
    return bool(value == MASK)
