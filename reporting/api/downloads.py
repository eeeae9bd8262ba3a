"""The file of a report over REST."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from reporting import operations
from reporting.api.views import ReportingView
from reporting.attachments import file_response
from reporting.contracts import MEDIA_TYPES

_HEADERS = [
    OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200], description=description)
    for name, description in (
        ("Content-Disposition", "The name of the file."),
        ("Repr-Digest", "The SHA-256 of the file (RFC 9530), which was verified before it was sent."),
    )
]


class WhateverIsAccepted(BaseContentNegotiation):
    """The file is of the type it was ordered as, whatever the client would rather have; problems are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class DownloadReport(ReportingView):
    """The file of one report."""

    required = {"GET": ("reporting.download_report",)}
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        operation_id="reporting_reports_download",
        summary="Get the file of a report",
        parameters=_HEADERS,
        responses={
            **{(200, media_type): OpenApiTypes.BINARY for media_type in MEDIA_TYPES.values()},
            409: None,
        },
    )
    def get(self, request: Request, report_id: uuid.UUID) -> FileResponse:
        """The file, verified against the SHA-256 that was recorded when it was made; the download is recorded.

        409 `report_not_ready` while it is made, `report_withdrawn` when there is none.
        """
        return file_response(operations.open_download(report_id, actor=request.user, door="rest"))
