"""Strict JSON bodies: UTF-8, bounded, no doubled names, no NaN or infinity, nothing a database cannot store."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.parsers import BaseParser

from workflows.api.errors import MalformedJson, RequestTooLarge, UnstorableText
from workflows.core import payloads

#: Deeper nesting than any input needs, shallow enough for whatever walks it.
MAX_DEPTH = 64


class StrictJSONParser(BaseParser):
    """Reads `application/json`; raises RequestTooLarge, MalformedJson, UnstorableText."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body as a JSON value."""
        context = parser_context or {}
        request = context.get("request")
        length = request.META.get("CONTENT_LENGTH") if request is not None else None
        value = _document(_bounded(stream, length))
        _check(value)
        return value


def refuse_large(length: str | None) -> None:
    """Judge a body by the length it tells; raises RequestTooLarge."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    if length and length.isdecimal() and int(length) > limit:
        raise RequestTooLarge(f"the body has {length} bytes; the limit is {limit}")


def _bounded(stream: IO[Any], length: str | None) -> bytes:
    refuse_large(length)
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise RequestTooLarge(f"the body has more than {limit} bytes")
    return body


def _document(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise MalformedJson("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    except ValueError:  # a whole number of thousands of digits
        raise MalformedJson("the body holds a number that is too long") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedJson("an object names a member twice")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJson("the body holds a number that is too large")
    return number


def _check(document: Any) -> None:
    """Walk without recursion: a hostile body must not decide how deep our own stack goes."""
    pending: list[tuple[Any, int]] = [(document, 1)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise MalformedJson(f"the body is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, str):
            if payloads.clean_text(value) != value:
                raise UnstorableText
        elif isinstance(value, dict):
            pending += [(item, depth + 1) for pair in value.items() for item in pair]
        elif isinstance(value, list):
            pending += [(item, depth + 1) for item in value]
