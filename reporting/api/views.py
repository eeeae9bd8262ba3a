"""What reporting's views have in common: what an address names and is not there, and who may not see a source."""

from __future__ import annotations

from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.response import Response

from reporting.errors import SourceForbidden, UnknownReport
from workflows.api.views import ApiView


class ReportingView(ApiView):
    """A view of reporting: an unknown report is 404, a report made of what one may not see 403."""

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(_as_http(exc))


def _as_http(exc: Exception) -> Exception:
    if isinstance(exc, UnknownReport):
        return NotFound(str(exc))
    if isinstance(exc, SourceForbidden):
        return PermissionDenied(str(exc), code=exc.code)
    return exc
