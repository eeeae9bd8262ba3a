"""The file of a report as an HTTP answer, the same by every door."""

from __future__ import annotations

import base64

from django.http import FileResponse

from reporting.operations import GivenFile


def file_response(given: GivenFile) -> FileResponse:
    """The file as an attachment with its digest (RFC 9530); its bytes are closed when it is sent."""
    digest = base64.b64encode(bytes.fromhex(given.sha256)).decode()
    return FileResponse(
        given.stream,
        as_attachment=True,
        filename=given.filename,
        content_type=given.media_type,
        headers={
            "Content-Length": str(given.size),
            "Repr-Digest": f"sha-256=:{digest}:",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
