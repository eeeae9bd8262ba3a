"""Bodies and queries by their declared fields; what is not declared is refused, never ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from workflows.api.errors import FieldProblem, InvalidBody, InvalidQuery


class Text(serializers.CharField):
    """A JSON text: a number is not silently made into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole JSON number: neither a text nor a boolean is silently made into one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not (isinstance(data, int) or (isinstance(data, float) and data.is_integer())):
            self.fail("invalid")
        return int(data)


class Flag(serializers.BooleanField):
    """A JSON boolean, and nothing that looks like one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=type(data).__name__)
        return data


class Moment(serializers.DateTimeField):
    """An instant: a time without its zone is not silently taken for one of ours."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ, with its zone")
        return super().enforce_timezone(value)


class Declared(serializers.Serializer[Any]):
    """The fields of a body or query; others are refused."""

    #: Fields that the OpenAPI document calls required although their absence has a refusal of its own.
    told_required: ClassVar[tuple[str, ...]] = ()

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                refused = {name: [ErrorDetail("There is no such field.", code="unknown_field")] for name in unknown}
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)


class DeclaredExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Tells in the OpenAPI document that no other fields are taken."""

    target_class = "workflows.api.reading.Declared"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        required = sorted({*schema.get("required", ()), *self.target.told_required})
        for name in self.target.told_required:
            schema["properties"][name].pop("default", None)
        return {**schema, **({"required": required} if required else {}), "additionalProperties": False}


class NoQuery(Declared):
    """Takes no parameters."""


class PageQuery(Declared):
    """What every paged list takes."""

    limit = serializers.IntegerField(min_value=1, max_value=200, default=50, help_text="Most entries of one page.")
    cursor = Text(required=False, help_text="Where the page begins: the one that `next` holds.")


def read_body(request: Request, declared: type[Declared]) -> dict[str, Any]:
    """The body's values; raises InvalidBody."""
    serializer = declared(data=request.data)
    if not serializer.is_valid():
        raise InvalidBody(list(_problems(serializer.errors)))
    values: dict[str, Any] = serializer.validated_data
    return values


def read_query(request: Request, declared: type[Declared]) -> dict[str, Any]:
    """The query's values; raises InvalidQuery, also for an empty value and for one that is given twice."""
    serializer = declared(data=_given(request, declared().fields))
    if not serializer.is_valid():
        raise InvalidQuery(list(_problems(serializer.errors)))
    values: dict[str, Any] = serializer.validated_data
    return values


def _given(request: Request, fields: Mapping[str, serializers.Field[Any, Any, Any, Any]]) -> dict[str, Any]:
    """The parameters as a plain mapping: as a form's data, empty ones would count as not given."""
    try:
        unquote_to_bytes(request.META.get("QUERY_STRING", "").encode("latin-1", "replace")).decode()
    except UnicodeDecodeError:
        raise InvalidQuery([FieldProblem("", "invalid", "The query is not UTF-8.")]) from None
    given: dict[str, Any] = {}
    for name, values in request.query_params.lists():
        if isinstance(fields.get(name), serializers.MultipleChoiceField):
            given[name] = values
        elif len(values) > 1:
            raise InvalidQuery([FieldProblem(name, "repeated", "This parameter is given more than once.")])
        else:
            given[name] = values[0]
    return given


def _problems(errors: Any, path: str = "") -> Iterator[FieldProblem]:
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _problems(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(errors, list):
        for inner in errors:
            yield from _problems(inner, path)
    else:
        yield FieldProblem(path, str(getattr(errors, "code", None) or "invalid"), str(errors))
