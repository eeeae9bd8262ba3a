"""What every view of the REST door has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workflows.api.permissions import HoldsPermissions
from workflows.api.reading import Declared, NoQuery, read_query


class ApiView(APIView):
    """A view whose reads and domain writes ask for Django permissions by method."""

    permission_classes: Any = (IsAuthenticated, HoldsPermissions)
    required: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: The query that reads take; writes take none.
    query: ClassVar[type[Declared]] = NoQuery
    #: What the request's query asks for.
    asked: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks, whether they may, and what; raises InvalidQuery."""
        super().initial(request, *args, **kwargs)
        if request.method in self.allowed_methods:
            self.asked = read_query(request, self.query if request.method in ("GET", "HEAD") else NoQuery)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """No cache keeps what is about money and people."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer
