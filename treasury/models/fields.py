"""A column for rates and shares: whole millionths, because SQLite would keep a decimal as a float."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator
from django.db import models

from treasury.contracts import RATE_PLACES

if TYPE_CHECKING:
    _RateBase = models.Field[Decimal, Decimal]
else:
    _RateBase = models.Field

_MAX_DIGITS = 15


class RateField(_RateBase):
    """A Decimal of at most six places, exact on every database, stored as a bigint of millionths.

    A value that needs more places is refused, never rounded.
    """

    description = "Decimal of six places, stored as whole millionths"
    default_validators = [DecimalValidator(_MAX_DIGITS, RATE_PLACES)]

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: int | None, expression: object, connection: object) -> Decimal | None:
        return None if value is None else self._plain(value)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise ValidationError("Enter a number.", code="invalid") from None

    def get_prep_value(self, value: Any) -> int | None:
        number = self.to_python(super().get_prep_value(value))
        if number is None:
            return None
        scaled = number.scaleb(RATE_PLACES)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{self.name}: {number} has more than {RATE_PLACES} decimal places")
        return int(scaled)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(
            form_class=forms.DecimalField, max_digits=_MAX_DIGITS, decimal_places=RATE_PLACES, **kwargs
        )

    @staticmethod
    def _plain(millionths: int) -> Decimal:
        """Two places at least, more only where they are needed: 4.47, 0.125."""
        value = Decimal(millionths).scaleb(-RATE_PLACES).normalize()
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        return value if exponent <= -2 else value.quantize(Decimal("0.01"))
