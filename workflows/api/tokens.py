"""Where a client gets its token, and how the OpenAPI document tells of it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from knox.views import LoginView
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.api.authentication import Password
from workflows.api.parsing import refuse_large


class ClientTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Token ...`."""

    target_class = "workflows.api.authentication.ClientToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <token>`, with a token from `/api/v1/auth/token/`.",
        }


class PasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Name and password, for getting a token."""

    target_class = "workflows.api.authentication.Password"
    name = "password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic"}


class TokenSerializer(serializers.Serializer[Any]):
    """A token and when it ends; it is shown this once."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField(allow_null=True)


class Tokens(LoginView):
    """Where a client gets its token."""

    authentication_classes = (Password,)
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="auth_token", summary="Get a token", request=None, responses=TokenSerializer)
    def post(self, request: Request, format: str | None = None) -> Response:
        """A new token for the name and password of HTTP Basic authentication."""
        refuse_large(request.META.get("CONTENT_LENGTH"))
        AuthToken.objects.filter(user=request.user, expiry__lt=timezone.now()).delete()
        session = request._request.session
        had_session = session.session_key is not None
        response: Response = super().post(request, format)
        if not had_session:  # the log of logins opens one; whoever uses a token needs none
            session.flush()
        response["Cache-Control"] = "no-store"
        return response
