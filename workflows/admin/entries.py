"""Form fields for the places of an input: each gives the JSON-ready value that was typed, or `ABSENT`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from workflows.admin.places import Kind, Place
from workflows.core.payloads import MASK

WIDTH = "max-width: 56rem"
_CODE = {
    "style": f"{WIDTH}; font-family: ui-monospace, monospace",
    "spellcheck": "false",
    "autocomplete": "off",
}


class _Absent:
    """Nothing was typed: the input goes without this value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()


class HintedInput(UnfoldAdminTextInputWidget):
    """A text input that offers values without insisting on them."""

    def __init__(self, hints: Sequence[str], attrs: Mapping[str, Any]) -> None:
        super().__init__(attrs={**attrs, "style": WIDTH, "autocomplete": "off", "spellcheck": "false"})
        self.hints = hints

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        if len(self.hints) < 2:
            plain: SafeString = super().render(name, value, attrs, renderer)
            return plain
        offered = format_html_join("", '<option value="{}"></option>', ((hint,) for hint in self.hints))
        field = super().render(name, value, {**(attrs or {}), "list": f"hints-{name}"}, renderer)
        return format_html('{}<datalist id="hints-{}">{}</datalist>', field, name, offered)


class TextEntry(forms.CharField):
    """A text, or an exact number: the text itself is sent on, so that no digit is lost."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value).replace("\r\n", "\n")
        refuse_masks(text)
        return text or ABSENT


class UnseenTextarea(UnfoldAdminTextareaWidget):
    """A textarea that never shows what was typed into it."""

    def format_value(self, value: Any) -> str:
        return ""


class IntegerEntry(forms.IntegerField):
    """A whole number."""

    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        return ABSENT if number is None else number


class NumberEntry(forms.FloatField):
    """A number that needs not be exact."""

    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        return ABSENT if number is None else number


class ChoiceEntry(forms.ChoiceField):
    """One of several values, each with the text that stands for it."""

    def __init__(self, *, values: Mapping[str, Any], required: bool, **options: Any) -> None:
        self._by_text = values
        super().__init__(
            choices=[("", "choose" if required else "none"), *((text, text) for text in self._by_text)],
            required=required, widget=UnfoldAdminSelectWidget, **options,
        )  # fmt: skip

    def prepare_value(self, value: Any) -> Any:
        return next((text for text, item in self._by_text.items() if item == value), value)

    def clean(self, value: Any) -> Any:
        return self._by_text.get(super().clean(value), ABSENT)


class MoneyWidget(forms.MultiWidget):
    """Amount and currency side by side."""

    def __init__(self) -> None:
        super().__init__(
            [
                UnfoldAdminTextInputWidget(attrs={"placeholder": "100000.00", "inputmode": "decimal"}),
                UnfoldAdminTextInputWidget(attrs={"placeholder": "USD", "maxlength": 12}),
            ]
        )

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html('<div class="fa-money">{}</div>', super().render(name, value, attrs, renderer))

    def decompress(self, value: Any) -> list[str]:
        return [value.get("amount", ""), value.get("currency", "")] if isinstance(value, dict) else ["", ""]


class MoneyEntry(forms.MultiValueField):
    """An amount of money: `{amount, currency}`."""

    def __init__(self, **options: Any) -> None:
        both = (forms.CharField(label="amount"), forms.CharField(label="currency"))
        said = {"incomplete": "An amount and its currency are needed, such as 100000.00 and USD."}
        super().__init__(both, require_all_fields=False, widget=MoneyWidget(), error_messages=said, **options)

    def clean(self, value: Any) -> Any:
        if not self.required and not any(value or ()):
            return ABSENT
        return super().clean(value)

    def compress(self, values: list[str]) -> Any:
        return dict(zip(("amount", "currency"), values, strict=True)) if values else ABSENT


class JsonEntry(forms.CharField):
    """Any JSON value, typed as text."""

    def __init__(self, *, is_secret: bool = False, **options: Any) -> None:
        area = UnseenTextarea if is_secret else UnfoldAdminTextareaWidget
        super().__init__(widget=area(attrs={**_CODE, "rows": 4}), strip=True, **options)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False, indent=2)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return read_json(text) if text else ABSENT


def read_json(text: str) -> Any:
    """The JSON value; raises ValidationError that says where it is none."""
    try:
        given = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise forms.ValidationError("The JSON is nested too deeply.", code="invalid_json") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise forms.ValidationError(f"This is no JSON: {error.msg} at {where}.", code="invalid_json") from None
    except ValueError as error:
        raise forms.ValidationError(f"This is no JSON: {error}.", code="invalid_json") from None
    refuse_masks(json.dumps(given, ensure_ascii=False))
    return given


def refuse_masks(text: str) -> None:
    """A masked value is no value: sent back, it would replace what it hides."""
    if MASK in text:
        raise forms.ValidationError(f"{MASK} stands for a hidden value; type the value itself.", code="masked")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def entry_for(place: Place, *, initial: Any = None, is_kept: bool = False) -> forms.Field:
    """The field of one place. `is_kept`: left empty, a hidden value that the input has already stays as it is."""
    options: dict[str, Any] = {
        "label": place.path[-1],
        "required": place.is_required and not place.is_nullable and not is_kept,
        "initial": initial,
        "help_text": _help(place, is_kept=is_kept),
    }
    attrs = {"placeholder": place.hints[0]} if place.hints else {}
    match place.kind:
        case Kind.MONEY:
            return MoneyEntry(**options)
        case Kind.CHOICE:
            return ChoiceEntry(values={str(value): value for value in place.schema["enum"]}, **options)
        case Kind.BOOLEAN:
            return ChoiceEntry(values={"yes": True, "no": False}, **options)
        case Kind.INTEGER:
            return IntegerEntry(**options, widget=HintedInput(place.hints, {**attrs, "inputmode": "numeric"}))
        case Kind.NUMBER:
            return NumberEntry(**options, widget=HintedInput(place.hints, {**attrs, "inputmode": "decimal"}))
        case Kind.DECIMAL:
            return TextEntry(**options, widget=HintedInput(place.hints, {**attrs, "inputmode": "decimal"}))
        case Kind.JSON:
            return JsonEntry(**options, is_secret=place.is_secret)
    return TextEntry(**options, strip="format" in place.schema, widget=_text_widget(place, initial, attrs))


def _text_widget(place: Place, initial: Any, attrs: dict[str, Any]) -> forms.Widget:
    if place.is_secret:
        unseen: forms.Widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "off", "style": WIDTH})
        return unseen
    if isinstance(initial, str) and "\n" in initial:  # an input of one line would lose the breaks
        lines: forms.Widget = UnfoldAdminTextareaWidget(attrs={"style": WIDTH, "rows": 4})
        return lines
    return HintedInput(place.hints, attrs | _shape(place))


def _shape(place: Place) -> dict[str, Any]:
    """What a text of a known format looks like."""
    shapes = {
        "uuid": "8-4-4-4-12 hexadecimal digits",
        "date": "2026-01-31",
        "date-time": "2026-01-31T12:00:00Z",
        "duration": "P1D",
    }
    shape = shapes.get(str(place.schema.get("format")))
    return {"placeholder": shape} if shape and not place.hints else {}


def _help(place: Place, *, is_kept: bool) -> str:
    if is_kept:
        return "Hidden. Leave it empty to keep it as it is."
    said = [place.schema["description"]] if place.schema.get("description") and place.kind != Kind.MONEY else []
    low, high = place.schema.get("minimum"), place.schema.get("maximum")
    if low is not None and high is not None:
        said.append(f"From {low:g} to {high:g}.")
    if place.kind == Kind.JSON:
        said.append("A JSON value.")
    if not place.is_required or place.is_nullable:
        said.append("Optional.")
    return " ".join(said)
