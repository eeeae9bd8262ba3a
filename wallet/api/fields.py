"""Fields of the wallet's bodies."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework import serializers


class Id(serializers.UUIDField):
    """An id as JSON text: a number is not silently made into one."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)
