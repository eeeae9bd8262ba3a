"""Pages of a list: `{results, next}`, where `next` is the address of the following page or null."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from workflows.api.errors import InvalidCursor
from workflows.core import payloads

T = TypeVar("T")


@cache
def page_schema(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """How a page of these is documented; one component, however many operations give it."""
    name = item.__name__.removesuffix("Serializer")
    fields: dict[str, Any] = {
        "results": item(many=True),
        "next": serializers.URLField(allow_null=True, help_text="Address of the next page."),
    }
    return inline_serializer(f"{name}Page", fields)


def page(
    request: Request,
    item: type[serializers.Serializer[Any]],
    values: Sequence[Any],
    after: Sequence[str] | None = None,
    **context: Any,
) -> Response:
    """One page as an answer; `after` says where the next one begins, None that this was the last.

    `context` is for the serializer.
    """
    results = item(values, many=True, context={"request": request, **context}).data
    following = None
    if after is not None:
        following = replace_query_param(request.build_absolute_uri(), "cursor", write_cursor(after))
    return Response({"results": results, "next": following})


def write_cursor(after: Sequence[str]) -> str:
    """The place in a list as one opaque word."""
    return base64.urlsafe_b64encode(json.dumps(list(after)).encode()).decode().rstrip("=")


def place_in_time(at: str, row_id: str) -> tuple[datetime, UUID]:
    """A place in a list that is ordered by time and id."""
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise InvalidCursor
    return moment.astimezone(UTC), UUID(row_id)


def read_cursor(cursor: str | None, place: Callable[..., T]) -> T | None:
    """What `place` makes of the cursor's parts, None without a cursor; raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(parts, list) or not all(
            isinstance(part, str) and payloads.clean_text(part) == part for part in parts
        ):
            raise InvalidCursor
        return place(*parts)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidCursor from None
