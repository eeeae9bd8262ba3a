"""Stored JSON as an outline that people read: names with values, lists as tables, money as one text. Pure.

`shape` names each kind of outline for the template that draws it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from workflows.admin.presentation import money_text

_MONEY = {"amount", "currency"}
#: More rows of a list than this are left to the JSON beside the outline.
_MOST_ROWS = 50
_MOST_COLUMNS = 8
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Text:
    """One value; an id is set in fixed width and can be copied."""

    shape: ClassVar[str] = "text"
    text: str
    is_id: bool = False
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """Names with what they hold, in the order stored."""

    shape: ClassVar[str] = "fields"
    fields: tuple[tuple[str, Outline], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A list of objects with the same names, one row each; `left_out` rows are not shown."""

    shape: ClassVar[str] = "table"
    names: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list of anything else; `left_out` items are not shown."""

    shape: ClassVar[str] = "items"
    items: tuple[Outline, ...]
    left_out: int


Outline = Text | Fields | Table | Items


def outline(value: Any, depth: int = 0) -> Outline:
    """The outline of a stored value; what is nested too deeply is left to the JSON beside it."""
    if _is_plain(value):
        return _text(value)
    if depth >= _DEEPEST:
        return Text("…", is_absent=True)
    if isinstance(value, dict):
        return Fields(tuple((name, outline(item, depth + 1)) for name, item in value.items()))
    if all(_is_plain(item) for item in value):
        shown = [_text(item).text for item in value[:_MOST_ROWS]]
        return Text(", ".join(shown) + (", …" if len(value) > _MOST_ROWS else ""))
    names = _common_names(value)
    left_out = max(len(value) - _MOST_ROWS, 0)
    if names:
        rows = tuple(tuple(_text(item[name]) for name in names) for item in value[:_MOST_ROWS])
        return Table(names, rows, left_out)
    return Items(tuple(outline(item, depth + 1) for item in value[:_MOST_ROWS]), left_out)


def _is_plain(value: Any) -> bool:
    return not value or not isinstance(value, dict | list) or _is_money(value)


def _is_money(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == _MONEY and all(isinstance(item, str) for item in value.values())


def _common_names(items: list[Any]) -> tuple[str, ...]:
    """The names that every item has, when all are objects of the same few plain values."""
    first = items[0]
    if not isinstance(first, dict) or len(first) > _MOST_COLUMNS:
        return ()
    alike = all(isinstance(item, dict) and set(item) == set(first) for item in items)
    return tuple(first) if alike and all(_is_plain(value) for item in items for value in item.values()) else ()


def _text(value: Any) -> Text:
    if value is None or value in ({}, []):
        return Text("none", is_absent=True)
    if value == "":
        return Text("empty", is_absent=True)
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if _is_money(value):
        return Text(money_text(value["amount"], value["currency"]))
    return Text(str(value), is_id=isinstance(value, str) and _is_id(value))


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
