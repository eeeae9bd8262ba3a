"""What reporting's views have in common: refusals as HTTP."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.response import Response

from reporting.errors import (
    FileAltered,
    FileMissing,
    ReportingError,
    ReportNotReady,
    ReportWithdrawn,
    SourceForbidden,
    UnknownReport,
)
from workflows.api.views import ApiView

_NOT_NOW = (ReportNotReady, ReportWithdrawn, FileMissing, FileAltered)


class Conflict(APIException):
    """The request does not fit how the report stands now."""

    status_code = status.HTTP_409_CONFLICT


class ReportingView(ApiView):
    """A view of reporting: an unknown report is 404, one that cannot be got now 409, a forbidden source 403."""

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(_as_http(exc))


def _as_http(exc: Exception) -> Exception:
    if isinstance(exc, UnknownReport):
        return NotFound(str(exc))
    if isinstance(exc, SourceForbidden):
        return PermissionDenied(str(exc), code=exc.code)
    if isinstance(exc, _NOT_NOW):
        assert isinstance(exc, ReportingError)
        return Conflict(str(exc), code=exc.code)
    return exc
