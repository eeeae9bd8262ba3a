"""Errors as HTTP, in the one place that knows both: RFC 9457 problems with a stable `code` for everything below /api/.

An unexpected error is logged with its trace and told without any.
"""

from __future__ import annotations

import http
import logging
import math
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from finaegis.shared.money import MoneyError
from treasury.errors import ConcurrencyConflict
from workflows.api import errors as api
from workflows.core import errors as engine
from workflows.panels.reading import PanelUnread

log = logging.getLogger("finaegis.api")

PROBLEM_JSON = "application/problem+json"

#: Most special first: the first class that fits decides.
_STATUSES: tuple[tuple[type[BaseException], int], ...] = (
    (api.RequestTooLarge, 413),
    (api.TooManyAttempts, 429),
    (api.InvalidBody, 422),
    (api.UnstorableText, 422),
    (api.MalformedJson, 400),
    (api.IdempotencyKeyRequired, 400),
    (api.InvalidIdempotencyKey, 400),
    (api.IdempotencyKeyMismatch, 400),
    (api.InvalidQuery, 400),
    (api.InvalidCursor, 400),
    (engine.ReasonRequired, 400),
    (engine.PermissionRefused, 403),
    (engine.NotFound, 404),
    (engine.UnknownMessage, 404),
    (engine.TokenUnknown, 404),
    (engine.KeyConflict, 409),
    (engine.NotAllowedInState, 409),
    (engine.RetryRefused, 409),
    (engine.NothingToCompensate, 409),
    (engine.NotParked, 409),
    (engine.CodeMissing, 409),
    (engine.NonDeterminismError, 409),
    (ConcurrencyConflict, 409),
    (engine.Refused, 422),
    (engine.UpdateFailed, 422),
    (engine.NonRetryable, 422),
    (engine.PayloadError, 422),
    (MoneyError, 422),
    (RequestDataTooBig, 413),
    (SuspiciousOperation, 400),
    (UnreadablePostError, 400),
    (PanelUnread, 503),
    (OperationalError, 503),
)
#: Refusals of domains that say "this key, this name is another's".
_CONFLICTS = frozenset(
    {
        "idempotency_conflict", "account_conflict", "key_voided",
        "token_used", "token_void", "confirmation_expired", "not_cancellable", "not_awaiting_confirmation",
        "resent_too_often", "not_returnable", "case_resolved", "order_closed", "settlement_failed", "instrument_in_use",
        "case_decided", "run_held",
    }
)  # fmt: skip
#: Answers of runs that say "not as I stand now".
_NOT_NOW = frozenset({"not_begun", "not_allowed_in_state", "run_closed"})
_ANSWERS = (engine.QueryFailed, engine.UpdateRejected, engine.UpdateFailed)

#: Errors of Django, which carry no code of ours.
_CODES: tuple[tuple[type[BaseException], str, str], ...] = (
    (RequestDataTooBig, "request_too_large", "The body is larger than this service takes."),
    (SuspiciousOperation, "bad_request", "The request cannot be read."),
    (UnreadablePostError, "bad_request", "The request ended before its body did."),
    (OperationalError, "unavailable", "The database is unreachable or busy; try again."),
)
#: Attributes of errors that a client can act on.
_MEMBERS = ("state", "allowed", "run_id")


def problem(status: int, code: str, detail: str, **members: Any) -> dict[str, Any]:
    """The body of a problem."""
    return {
        "type": f"urn:finaegis:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """What the REST framework answers when a view raises."""
    set_rollback()
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _framework_response(error)
    status = _status_of(error)
    if status is None:
        log.error("unexpected error in the REST door", exc_info=error)
        return _response(problem(500, "internal_error", "The platform failed to answer; the error was recorded."))
    if status == 503:
        log.error("what the REST door needs has failed", exc_info=error)
    code, detail = _code_of(error)
    members = {name: getattr(error, name) for name in _MEMBERS if hasattr(error, name)}
    if (reason := _reason_of(error)) is not None:
        members["reason"] = reason
    problems = getattr(error, "problems", ())
    if problems:
        members["errors"] = [{"field": item.field, "code": item.code, "detail": item.detail} for item in problems]
    return _response(problem(status, code, detail, **members))


def _framework_response(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        return _response(problem(422, "invalid_input", "Fields of the request do not fit."))
    headers: dict[str, str] = {}
    members: dict[str, Any] = {}
    if (challenge := getattr(error, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        members["retry_after"] = math.ceil(wait)
        headers["Retry-After"] = str(members["retry_after"])
    code = str(getattr(error.detail, "code", error.default_code))
    return _response(problem(error.status_code, code, str(error.detail), **members), headers)


def _status_of(error: BaseException) -> int | None:
    if isinstance(error, engine.NonRetryable) and error.code in _CONFLICTS:
        return 409
    if isinstance(error, engine.NonRetryable) and error.code == engine.ReasonRequired.code:
        return 400  # a domain's own act without a reason is refused like the engine's
    if isinstance(error, _ANSWERS) and error.code in _NOT_NOW:
        return 409
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), None)


def _reason_of(error: BaseException) -> str | None:
    """The stable word by which a domain's refusal says more than its code; a start is refused by its check's."""
    refusal = error.__cause__ if isinstance(error, engine.StartRefused) else error
    reason = getattr(refusal, "reason", None)
    return reason if isinstance(refusal, engine.NonRetryable) and isinstance(reason, str) else None


def _code_of(error: BaseException) -> tuple[str, str]:
    for kind, code, detail in _CODES:
        if isinstance(error, kind):
            return code, detail
    return str(getattr(error, "code", "error")), str(error)


def _response(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(body, status=body["status"], headers=headers, content_type=PROBLEM_JSON)


# --- Outside any view: the project's error handlers -------------------------------------------------------------------


def _handler(
    status: int, code: str, detail: str, page: Callable[..., HttpResponseBase]
) -> Callable[..., HttpResponseBase]:
    """A problem below /api/, Django's own page elsewhere."""

    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return page(request, *args, **kwargs)
        body = problem(status, code, detail)
        response: HttpResponse = JsonResponse(body, status=status, content_type=PROBLEM_JSON)
        return response

    return handle


bad_request = _handler(400, "bad_request", "The request cannot be read.", defaults.bad_request)
permission_denied = _handler(403, "permission_denied", "You may not do that.", defaults.permission_denied)
page_not_found = _handler(404, "not_found", http.HTTPStatus.NOT_FOUND.description, defaults.page_not_found)
server_error = _handler(500, "internal_error", "The platform failed to answer.", defaults.server_error)
