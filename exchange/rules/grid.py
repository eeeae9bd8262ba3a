"""The grid of an instrument: which prices and quantities there are, and what they are worth, in whole numbers."""

from __future__ import annotations

import re
from decimal import Decimal

from exchange.contracts import Grid, InstrumentTerms
from exchange.errors import InvalidInstrument
from exchange.rules.fees import MILLION
from finaegis.shared.money import MAXIMUM_MINOR, UnknownCurrency, scale_of

MAXIMUM_PRICE_SCALE = 12
_SYMBOL = re.compile(r"[A-Z0-9]{2,12}-[A-Z0-9]{2,12}")


def grid_of(terms: InstrumentTerms) -> Grid:
    """The terms in whole numbers.

    Raises InvalidInstrument: for a symbol that is not BASE-QUOTE, unknown or equal currencies, a scale outside 0 to
    12, a tick or lot that is not more than zero or finer than its scale, a tick times a lot that is no whole number
    of minor units of the quote currency, a minimum in another currency or below zero, and rates outside 0 to 100 %.
    """
    _check_names(terms)
    if not 0 <= terms.price_scale <= MAXIMUM_PRICE_SCALE:
        raise InvalidInstrument(f"a price has 0 to {MAXIMUM_PRICE_SCALE} decimal places")
    tick = _units(terms.tick, terms.price_scale, "the tick")
    lot = _units(terms.lot, scale_of(terms.base), "the lot")
    worth, rest = _scaled(tick * lot, scale_of(terms.quote) - terms.price_scale - scale_of(terms.base))
    if rest or not 0 < worth <= MAXIMUM_MINOR:
        raise InvalidInstrument("the tick times the lot is a whole number of minor units of the quote currency")
    minimum = terms.minimum_notional
    if minimum.currency != terms.quote or minimum.to_minor() < 0:
        raise InvalidInstrument("the minimum notional is an amount of the quote currency, zero or more")
    if not all(0 <= ppm < MILLION for ppm in (terms.maker_fee_ppm, terms.taker_fee_ppm)):
        raise InvalidInstrument("a fee is 0 up to less than 1000000 parts per million")
    return Grid(price_scale=terms.price_scale, tick_units=tick, lot_minor=lot, worth=worth)


def whole(number: Decimal, scale: int) -> int | None:
    """How many units of that many decimal places the number is; None where it is none, or too large to store."""
    if not number.is_finite() or number.adjusted() + scale > 18:
        return None
    units, rest = _scaled_decimal(number, scale)
    return None if rest or abs(units) > MAXIMUM_MINOR else units


def at_scale(units: int, scale: int) -> Decimal:
    """The number of that many units, exact whatever the thread's decimal context says."""
    return Decimal(f"{units}E-{scale}")


def _check_names(terms: InstrumentTerms) -> None:
    try:
        scale_of(terms.base), scale_of(terms.quote)
    except UnknownCurrency as error:
        raise InvalidInstrument(str(error)) from None
    if terms.base == terms.quote:
        raise InvalidInstrument("an instrument trades one currency for another")
    if not _SYMBOL.fullmatch(terms.symbol) or terms.symbol != f"{terms.base}-{terms.quote}":
        raise InvalidInstrument(f"the symbol of {terms.base} in {terms.quote} is {terms.base}-{terms.quote}")


def _units(number: Decimal, scale: int, what: str) -> int:
    units = whole(number, scale)
    if units is None or units <= 0:
        raise InvalidInstrument(f"{what} is more than zero and has at most {scale} decimal places")
    return units


def _scaled(number: int, exponent: int) -> tuple[int, int]:
    """number times 10^exponent, and what is left over below one."""
    if exponent >= 0:
        return number * int(10**exponent), 0
    return divmod(number, int(10**-exponent))


def _scaled_decimal(number: Decimal, scale: int) -> tuple[int, int]:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    count = int("".join(map(str, digits))) * (-1 if sign else 1)
    if exponent + scale < -60:  # so fine that writing its divisor out would cost something
        return 0, int(count != 0)
    return _scaled(count, exponent + scale)
