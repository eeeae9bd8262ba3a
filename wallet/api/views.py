"""What the wallet's views have in common: refusals that come from how things stand, and ids that lead nowhere."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from wallet.errors import (
    CaseResolved,
    ConfirmationExpired,
    NotAwaitingConfirmation,
    NotCancellable,
    NotReturnable,
    ResentTooOften,
    TokenUsed,
    TokenVoid,
    UnknownAccount,
    UnknownCase,
    UnknownDestination,
    UnknownWithdrawal,
    WalletError,
)
from workflows.api.views import ApiView

_UNKNOWN = (UnknownAccount, UnknownDestination, UnknownWithdrawal, UnknownCase)
_CONFLICTS = (
    CaseResolved, ConfirmationExpired, NotAwaitingConfirmation, NotCancellable, NotReturnable, ResentTooOften,
    TokenUsed, TokenVoid,
)  # fmt: skip


class Conflict(APIException):
    """The request does not fit how the thing stands now."""

    status_code = status.HTTP_409_CONFLICT


class WalletView(ApiView):
    """A view of the wallet: what the address names and is not there is 404, a misfit with the present state 409."""

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(self._as_http(exc))

    def _as_http(self, exc: Exception) -> Exception:
        if isinstance(exc, _UNKNOWN) and self.kwargs:
            return NotFound(str(exc))
        if isinstance(exc, _CONFLICTS):
            assert isinstance(exc, WalletError)
            return Conflict(str(exc), code=exc.code)
        return exc


def actor_name(request: Request) -> str:
    """Who acts, as events record it."""
    return str(request.user.get_username())
