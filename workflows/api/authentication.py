"""Who asks: a token in `Authorization: Token ...` (stored as a digest), or a name and password to get one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from workflows.api.errors import TooManyAttempts


class ClientToken(TokenAuthentication):
    """A token in the header Authorization; anything that is none is refused, however it is written."""

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            return super().authenticate_credentials(token)
        except ValueError:
            raise AuthenticationFailed("Invalid token.") from None

    def _cleanup_token(self, auth_token: Any) -> bool:
        """Whether this one has expired; looking at all others of its user would make every request dearer."""
        return auth_token.expiry is not None and bool(auth_token.expiry < timezone.now())


class Password(BasicAuthentication):
    """Name and password, for getting a token only; too many wrong ones lock the name for a while."""

    www_authenticate_realm = "FinAegis"

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | None = None
    ) -> tuple[AbstractBaseUser, None]:
        if "\x00" in userid or "\x00" in password:
            raise AuthenticationFailed("Invalid username/password.")
        try:
            user, _ = super().authenticate_credentials(userid, password, request)
        except AuthenticationFailed:
            if getattr(request, "axes_locked_out", False):
                raise TooManyAttempts from None
            raise
        return user, None
