"""Who may use a view: one who holds every Django permission that the view asks for this method."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class HoldsPermissions(BasePermission):
    """Reads the view's `required`: method -> permissions. Acts on runs are judged by the operations instead."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = "GET" if request.method == "HEAD" else request.method
        needed: dict[str | None, tuple[str, ...]] = getattr(view, "required", {})
        return bool(request.user and request.user.is_authenticated and request.user.has_perms(needed.get(method, ())))
