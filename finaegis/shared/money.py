"""Exact amounts of money: a whole number of minor units of one currency, never a float, never rounded by accident.

In JSON `{"amount": "100000.00", "currency": "USD"}`. Every refusal is a `MoneyError` with a stable `code`; inside
pydantic it becomes a validation error whose type is that code.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact
from fractions import Fraction
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from finaegis.shared.currencies import (
    MAXIMUM_CODE,
    InvalidAsset,
    MoneyError,
    UnknownCurrency,
    register_asset,
    scale_of,
)

__all__ = [
    "MAXIMUM_MINOR",
    "AmountTooLarge",
    "AmountTooPrecise",
    "CurrencyMismatch",
    "InvalidAllocation",
    "InvalidAmount",
    "InvalidAsset",
    "Money",
    "MoneyError",
    "UnknownCurrency",
    "register_asset",
    "round_half_even",
    "scale_of",
]

#: The largest count of minor units that is stored (signed 64 bits; the smallest is its negative).
MAXIMUM_MINOR = 2**63 - 1

_DIGITS = 19
#: More characters than any amount needs, few enough that parsing a hostile text costs nothing.
_MAXIMUM_TEXT = 64
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_EXACT = Context(prec=2 * _MAXIMUM_TEXT, traps=[Inexact])

T = TypeVar("T")


class InvalidAmount(MoneyError):
    """Not a finite decimal number, or given as a float."""

    code = "invalid_amount"


class AmountTooPrecise(MoneyError):
    """The amount is finer than the smallest unit of its currency."""

    code = "amount_too_precise"


class AmountTooLarge(MoneyError):
    """The amount does not fit a signed 64-bit count of minor units."""

    code = "amount_too_large"


class CurrencyMismatch(MoneyError):
    """Two currencies met in one calculation or comparison."""

    code = "currency_mismatch"


class InvalidAllocation(MoneyError):
    """Money cannot be divided by these weights."""

    code = "invalid_allocation"


@functools.total_ordering
@dataclass(frozen=True, slots=True, init=False, repr=False)
class Money:
    """An exact amount in one currency; immutable and hashable. `amount` always stands at the currency's scale.

    Takes a Decimal, an int, or a text like "-12.50". Raises `InvalidAmount` (floats, NaN, infinity, exponents in a
    text), `AmountTooPrecise`, `AmountTooLarge`, `UnknownCurrency`.
    """

    amount: Decimal
    currency: str

    def __init__(self, amount: Decimal | int | str, currency: str) -> None:
        scale = scale_of(currency)
        minor = _whole_minor_units(_decimal(amount), currency, scale)
        object.__setattr__(self, "amount", _at_scale(minor, scale))
        object.__setattr__(self, "currency", currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Money:
        """The amount of that many minor units: `from_minor(1050, "USD")` is 10.50 USD."""
        if type(minor) is not int:
            raise InvalidAmount("minor units are a whole number")
        return cls(_at_scale(minor, scale_of(currency)), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """The exact sum; zero for none. Raises `CurrencyMismatch` for any other currency."""
        total = cls.zero(currency)
        for amount in amounts:
            total = total + amount
        return total

    def to_minor(self) -> int:
        """How many minor units this is: 1050 for 10.50 USD."""
        return int(self.amount.scaleb(scale_of(self.currency), _EXACT))

    def to_text(self) -> str:
        """The amount as a plain decimal text at the currency's scale: "100000.00"."""
        return format(self.amount, "f")

    def allocate(self, weights: Sequence[Decimal | int | Fraction]) -> tuple[Money, ...]:
        """Parts in proportion to the weights that sum exactly to the whole.

        Each part is rounded toward zero; the minor units left over go to the largest remainders, ties to the first
        in the order given. Raises `InvalidAllocation` unless every weight is exact, none is negative and one is not
        zero.
        """
        shares = [_weight(weight) for weight in weights]
        total = sum(shares, Fraction(0))
        if not total:
            raise InvalidAllocation("at least one weight must be more than zero")
        whole = self.to_minor()
        exact = [abs(whole) * share / total for share in shares]
        parts = [int(part) for part in exact]
        by_remainder = sorted(range(len(parts)), key=lambda place: parts[place] - exact[place])
        for place in by_remainder[: abs(whole) - sum(parts)]:
            parts[place] += 1
        sign = -1 if whole < 0 else 1
        return tuple(Money.from_minor(sign * part, self.currency) for part in parts)

    def split(self, count: int) -> tuple[Money, ...]:
        """`count` parts as equal as minor units allow, the larger ones first."""
        if type(count) is not int or count < 1:
            raise InvalidAllocation("money is split into one or more parts")
        return self.allocate([1] * count)

    def __add__(self, other: object) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money.from_minor(self.to_minor() + self._minor_of(other), self.currency)

    def __sub__(self, other: object) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money.from_minor(self.to_minor() - self._minor_of(other), self.currency)

    def __mul__(self, count: object) -> Money:
        if type(count) is not int:
            return NotImplemented
        return Money.from_minor(self.to_minor() * count, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money.from_minor(-self.to_minor(), self.currency)

    def __abs__(self) -> Money:
        return Money.from_minor(abs(self.to_minor()), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.to_minor() < self._minor_of(other)

    def __str__(self) -> str:
        return f"{self.to_text()} {self.currency}"

    def __repr__(self) -> str:
        return f"Money('{self.to_text()}', '{self.currency}')"

    def _minor_of(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not mix")
        return other.to_minor()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        fields = core_schema.typed_dict_schema(
            {
                "amount": core_schema.typed_dict_field(_validator(_decimal)),
                "currency": core_schema.typed_dict_field(_validator(_known_currency)),
            },
            extra_behavior="forbid",
        )
        build = core_schema.no_info_after_validator_function(_typed(lambda given: cls(**given)), fields)
        return core_schema.no_info_wrap_validator_function(
            lambda value, inner: value if isinstance(value, Money) else inner(value),
            build,
            serialization=core_schema.plain_serializer_function_ser_schema(_as_json, return_schema=_JSON_FORM),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "title": "Money",
            "type": "object",
            "properties": {
                "amount": {
                    "type": "string",
                    "pattern": f"^{_AMOUNT.pattern}$",
                    "maxLength": _MAXIMUM_TEXT,
                    "description": "A decimal number, not finer than the currency's smallest unit.",
                    "examples": ["100000.00"],
                },
                "currency": {
                    "type": "string",
                    "pattern": "^[A-Z][A-Z0-9]+$",
                    "maxLength": MAXIMUM_CODE,
                    "description": "An ISO 4217 code or a registered asset.",
                    "examples": ["USD"],
                },
            },
            "required": ["amount", "currency"],
            "additionalProperties": False,
        }


def round_half_even(amount: Decimal | Fraction, currency: str) -> Money:
    """The nearest amount the currency can express, ties to the even minor unit: the one place that rounds.

    Raises `InvalidAmount` for NaN and infinity, `AmountTooLarge`, `UnknownCurrency`.
    """
    scale = scale_of(currency)
    if isinstance(amount, Fraction):
        return Money.from_minor(round(amount * 10**scale), currency)
    number = _decimal(amount)
    if number and number.adjusted() + scale >= _DIGITS:
        raise AmountTooLarge(f"the amount is too large for {currency}")
    context = Context(prec=len(number.as_tuple().digits) + 2 * _DIGITS, rounding=ROUND_HALF_EVEN)
    return Money(number.quantize(_at_scale(1, scale), context=context), currency)


def _decimal(amount: object) -> Decimal:
    """A finite Decimal from a Decimal, an int or a plain text."""
    if isinstance(amount, Decimal):
        number = amount
    elif type(amount) is int:
        if abs(amount) > MAXIMUM_MINOR:
            raise AmountTooLarge("the amount is too large")
        number = Decimal(amount)
    elif isinstance(amount, str):
        if len(amount) > _MAXIMUM_TEXT or not _AMOUNT.fullmatch(amount):
            raise InvalidAmount("the amount is not a plain decimal number")
        number = Decimal(amount)
    else:
        raise InvalidAmount(f"the amount is a {type(amount).__name__}, not a decimal text or a whole number")
    if not number.is_finite():
        raise InvalidAmount("the amount is not finite")
    return number


def _known_currency(currency: object) -> str:
    scale_of(currency)
    return str(currency)


def _whole_minor_units(amount: Decimal, currency: str, scale: int) -> int:
    """The exact count of minor units; checks size first, so that a huge exponent is never written out."""
    if not amount:
        return 0
    if amount.adjusted() + scale >= _DIGITS:
        raise AmountTooLarge(f"the amount is too large for {currency}")
    too_precise = f"{currency} has {scale} decimal places, the amount has more"
    if amount.adjusted() + scale < 0 or len(amount.as_tuple().digits) > _MAXIMUM_TEXT:
        raise AmountTooPrecise(too_precise)
    minor = amount.scaleb(scale, _EXACT)
    if minor != minor.to_integral_value(context=_EXACT):
        raise AmountTooPrecise(too_precise)
    if abs(minor) > MAXIMUM_MINOR:
        raise AmountTooLarge(f"the amount is too large for {currency}")
    return int(minor)


def _at_scale(minor: int, scale: int) -> Decimal:
    """Exact whatever the thread's decimal context says, which arithmetic would not be."""
    if abs(minor) > MAXIMUM_MINOR:
        raise AmountTooLarge("the amount is too large")
    return Decimal(f"{minor}E-{scale}")


def _weight(weight: Decimal | int | Fraction) -> Fraction:
    if isinstance(weight, float | bool) or (isinstance(weight, Decimal) and not weight.is_finite()):
        raise InvalidAllocation(f"a weight is an exact number, not {weight!r}")
    share = Fraction(weight)
    if share < 0:
        raise InvalidAllocation("a weight is never negative")
    return share


def _typed(function: Callable[[Any], T]) -> Callable[[Any], T]:
    """The function with its `MoneyError`s told to pydantic under their own code."""

    def call(value: Any) -> T:
        try:
            return function(value)
        except MoneyError as error:
            raise PydanticCustomError(error.code, "{text}", {"text": str(error)}) from None

    return call


def _validator(function: Callable[[Any], Any]) -> core_schema.CoreSchema:
    return core_schema.no_info_plain_validator_function(_typed(function))


_JSON_FORM = core_schema.dict_schema(core_schema.str_schema(), core_schema.str_schema())


def _as_json(money: Money) -> dict[str, str]:
    return {"amount": money.to_text(), "currency": money.currency}
