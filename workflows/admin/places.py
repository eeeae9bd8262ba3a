"""The places of an input that a person fills in, read off its JSON Schema. Pure.

An object is taken apart into its fields; what has no form of its own (lists, free objects, unions) is one place whose
value is typed as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Schema = Mapping[str, Any]

_DEEPEST = 4
_MONEY = {"amount", "currency"}
_UNIONS = ("anyOf", "oneOf", "allOf")


class Kind(StrEnum):
    """How a place is filled in."""

    TEXT = "text"
    DECIMAL = "decimal"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MONEY = "money"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Place:
    """One value of the input. `schema` is resolved; `default` is None where there is none.

    `about` says what the object is for that it stands in.

    `is_required` when the input cannot do without it; a place inside an optional object is not. A `is_secret` value is
    never shown again once it was typed.
    """

    path: tuple[str, ...]
    kind: Kind
    schema: Schema
    is_required: bool
    is_nullable: bool
    is_secret: bool
    default: Any
    about: str = ""

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def hints(self) -> list[str]:
        """Values that fit, as the author gave them."""
        return [str(item) for item in self.schema.get("examples", ())]


def places_of(schema: Schema) -> list[Place]:
    """Every place of an input object, in the order of its schema."""
    shared = schema.get("$defs", {})
    required = set(schema.get("required", ()))
    found: list[Place] = []
    for name, item in schema.get("properties", {}).items():
        found += _places((name,), item, shared, is_required=name in required)
    return found


def _places(
    path: tuple[str, ...], schema: Schema, shared: Schema, *, is_required: bool, about: str = ""
) -> Iterator[Place]:
    resolved, is_nullable = _resolve(schema, shared)
    kind = _kind(resolved)
    if kind is None:  # an object with fields of its own
        if len(path) >= _DEEPEST:
            kind = Kind.JSON
        else:
            required = set(resolved.get("required", ()))
            for name, item in resolved["properties"].items():
                needed = is_required and not is_nullable and name in required
                said = resolved.get("description", "")
                yield from _places((*path, name), item, shared, is_required=needed, about=said)
            return
    yield Place(
        path=path,
        kind=kind,
        schema=resolved,
        is_required=is_required,
        is_nullable=is_nullable,
        is_secret=bool(resolved.get("writeOnly")),
        default=schema.get("default", resolved.get("default")),
        about=about,
    )


def _resolve(schema: Schema, shared: Schema) -> tuple[Schema, bool]:
    """The schema without references and without null, and whether null fits too."""
    if "$ref" in schema:
        return _resolve(shared.get(schema["$ref"].rsplit("/", 1)[-1], {}), shared)
    choices = [item for name in _UNIONS for item in schema.get(name, ())]
    if not choices:
        return schema, False
    resolved = [_resolve(item, shared) for item in choices if item.get("type") != "null"]
    is_nullable = len(resolved) < len(choices) or any(nullable for _, nullable in resolved)
    by_type = {item.get("type"): item for item, _ in resolved}
    own = {name: value for name, value in schema.items() if name not in _UNIONS}
    if set(by_type) == {"number", "string"}:
        # A number that may also come as a text is an exact one; its limits stand with the number.
        return {**by_type["number"], **own, "type": "decimal"}, is_nullable
    if len(resolved) == 1:
        return {**resolved[0][0], **own}, is_nullable
    return own, is_nullable


def _kind(schema: Schema) -> Kind | None:
    """How a value of this schema is filled in; None for an object that is taken apart."""
    if schema.get("enum"):
        return Kind.CHOICE
    properties = schema.get("properties")
    if properties:
        return Kind.MONEY if set(properties) == _MONEY else None
    by_type = {
        "string": Kind.TEXT,
        "decimal": Kind.DECIMAL,
        "integer": Kind.INTEGER,
        "number": Kind.NUMBER,
        "boolean": Kind.BOOLEAN,
    }
    return by_type.get(str(schema.get("type")), Kind.JSON)
