"""What the exchange's views have in common: what an address names and is not there, ids, and who acts."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from exchange.errors import UnknownAccount, UnknownInstrument, UnknownOrder, UnknownTrade
from workflows.api.views import ApiView

_UNKNOWN = (UnknownAccount, UnknownInstrument, UnknownOrder, UnknownTrade)


class ExchangeView(ApiView):
    """A view of the exchange: what the address names and is not there is 404."""

    def handle_exception(self, exc: Exception) -> Response:
        named = isinstance(exc, _UNKNOWN) and bool(self.kwargs)
        return super().handle_exception(NotFound(str(exc)) if named else exc)


class Id(serializers.UUIDField):
    """An id as JSON text: a number is not silently made into one."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


def actor_name(request: Request) -> str:
    """Who acts, as events record it."""
    return str(request.user.get_username())
