"""Money in bodies: a plain decimal text beside its currency, or `{amount, currency}`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from pydantic import TypeAdapter
from rest_framework import serializers

from finaegis.shared.money import Money, UnknownCurrency, scale_of
from workflows.api.reading import Text

_MONEY: dict[str, Any] = TypeAdapter(Money).json_schema()
_AMOUNT, _CURRENCY = _MONEY["properties"]["amount"], _MONEY["properties"]["currency"]


@extend_schema_field({"type": "string", "format": "decimal", "examples": ["100000.00"]})
class MoneyText(serializers.Field[Money, str, str, Money]):
    """The amount at its currency's scale, where the same body names the currency."""

    def to_representation(self, value: Money) -> str:
        return value.to_text()


@extend_schema_field(_MONEY)
class MoneyField(serializers.Field[Money, str, dict[str, str], Money]):
    """An amount with its currency."""

    def to_representation(self, value: Money) -> dict[str, str]:
        return {"amount": value.to_text(), "currency": value.currency}


@extend_schema_field(_MONEY)
class MoneyInput(serializers.JSONField):
    """An amount with its currency as part of a workflow's input, whose own type judges it."""


@extend_schema_field(_AMOUNT)
class AmountInput(Text):
    """A plain decimal text in the currency that the same body names; `Money` judges it."""


@extend_schema_field(_CURRENCY)
class CurrencyInput(Text):
    """A currency's code; `Money` judges it."""


class KnownCurrency(CurrencyInput):
    """A currency's code; one that is unknown is refused, where it would only find nothing."""

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        try:
            scale_of(code)
        except UnknownCurrency as error:
            raise serializers.ValidationError(str(error), code=error.code) from None
        return code
