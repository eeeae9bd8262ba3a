"""The two headers that change what a request does: `Idempotency-Key` and `Prefer: wait=` (RFC 7240)."""

from __future__ import annotations

import re
from datetime import timedelta

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from workflows.api.errors import IdempotencyKeyMismatch, IdempotencyKeyRequired, InvalidIdempotencyKey
from workflows.api.openapi import LOCATION, PREFERENCE_APPLIED

#: A request holds a thread of the server while it waits.
LONGEST_WAIT = timedelta(seconds=30)

_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")
_WAIT = re.compile(r'(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:[,;]|$)', re.IGNORECASE)

_KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{_KEY.pattern}$"}

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    _KEY_SCHEMA,
    OpenApiParameter.HEADER,
    description="Repeating a request with the same key and the same content gives what the first one made.",
)
IDEMPOTENCY_KEY_REQUIRED = OpenApiParameter(
    "Idempotency-Key",
    _KEY_SCHEMA,
    OpenApiParameter.HEADER,
    required=True,
    description="This request moves money. Repeated with the same key and content it moves nothing again.",
)
PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        "`wait=10`: wait so many seconds (at most 30) for the run to close; 202 if it is still open then. "
        "What cannot be honoured is ignored."
    ),
)
PREFER_ANSWER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`wait=5`: wait so many seconds (10 unless said, at most 30) for the answer; 202 without one.",
)

#: Of an operation that can be waited for.
WAITS = [PREFER, LOCATION, PREFERENCE_APPLIED]


def idempotency_key(request: Request) -> str | None:
    """The header's key, or None; raises InvalidIdempotencyKey."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    key = given.strip()
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey
    return key


def required_idempotency_key(request: Request) -> str:
    """The header's key; raises IdempotencyKeyRequired when there is none."""
    key = idempotency_key(request)
    if key is None:
        raise IdempotencyKeyRequired
    return key


def key_of(request: Request, body_key: str | None) -> str | None:
    """The one key of a request that may name it twice; raises IdempotencyKeyMismatch."""
    header_key = idempotency_key(request)
    if header_key is None or body_key is None:
        return header_key if body_key is None else body_key
    if header_key != body_key:
        raise IdempotencyKeyMismatch
    return body_key


def preferred_wait(request: Request) -> timedelta | None:
    """How long the client wants to wait, at most LONGEST_WAIT; None when it did not say, or not legibly."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return None if found is None else min(timedelta(seconds=int(found[1])), LONGEST_WAIT)
