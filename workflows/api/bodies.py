"""Bodies before any view: ones without a length are read here, and what nobody read is taken off the wire.

A WSGI server that closes a connection on which the client still sends makes the client lose the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import IO

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponseBase

#: The most that is thrown away for a client to see its refusal; behind that the connection breaks.
MOST_DRAINED = 64 * 1024 * 1024
_PIECE = 64 * 1024


class WholeBodies:
    """Middleware, outermost, for the paths below /api/."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not isinstance(request, WSGIRequest) or not request.path.startswith("/api/"):
            return self._get_response(request)
        _give_length(request)
        response = self._get_response(request)
        if response.status_code >= 400:
            _drain(request)
        return response


def _give_length(request: WSGIRequest) -> None:
    """Django takes a chunked body for an empty one; the parser needs one byte over the limit to refuse it."""
    given = request.META
    if not given.get("HTTP_TRANSFER_ENCODING") or given.get("CONTENT_LENGTH") or not given.get("wsgi.input_terminated"):
        return
    wire = given["wsgi.input"]
    try:
        body = wire.read((settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) + 1)
        _throw_away(wire)
    except OSError as error:
        raise BadRequest("the chunks of the body cannot be read") from error
    given["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)


def _drain(request: WSGIRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MOST_DRAINED:
        return
    try:
        _throw_away(request)
    except (OSError, ValueError):  # the client is gone, or the body was read and closed
        return


def _throw_away(source: IO[bytes] | WSGIRequest) -> None:
    left = MOST_DRAINED
    while left > 0 and (piece := source.read(_PIECE)):
        left -= len(piece)
