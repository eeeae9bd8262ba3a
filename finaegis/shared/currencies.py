"""Currencies and other assets with the number of decimal places each is counted in.

ISO 4217 codes in use come with their scale from py-moneyed. Withdrawn codes and those without a minor unit (metals,
testing) are unknown; an asset that is none of them is registered once, at import, with its scale.
"""

from __future__ import annotations

import re

import moneyed

#: Finest scale of any asset: 19 digits of a 64-bit count leave eleven before the point.
MAXIMUM_SCALE = 8
#: Longest code of a currency or asset.
MAXIMUM_CODE = 12

_IN_USE = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF
XPF YER ZAR ZMW
"""

_CODE = re.compile(rf"[A-Z][A-Z0-9]{{1,{MAXIMUM_CODE - 1}}}")


class MoneyError(ValueError):
    """A value that is no amount of money, or a calculation that money does not allow; `code` is stable."""

    code = "invalid_money"


class UnknownCurrency(MoneyError):
    """No currency or asset of that code is known."""

    code = "unknown_currency"


class InvalidAsset(MoneyError):
    """An asset cannot be registered like that."""

    code = "invalid_asset"


def _scale_of(code: str) -> int:
    return len(str(moneyed.get_currency(code).sub_unit)) - 1


_SCALES: dict[str, int] = {code: _scale_of(code) for code in _IN_USE.split()}


def scale_of(currency: object) -> int:
    """Decimal places of a currency or registered asset; raises `UnknownCurrency` for anything else."""
    scale = _SCALES.get(currency) if isinstance(currency, str) else None
    if scale is None:
        raise UnknownCurrency(f"unknown currency: {_shown(currency)}")
    return scale


def register_asset(code: str, scale: int) -> None:
    """Make an asset known that is no ISO 4217 currency; repeating it with the same scale does nothing.

    Raises `InvalidAsset` for a code that is not 2 to 12 capital letters and digits, a scale outside 0 to 8, or a code
    that is known with another scale: amounts already stored would change their worth.
    """
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise InvalidAsset(f"not a code for an asset: {_shown(code)}")
    if type(scale) is not int or not 0 <= scale <= MAXIMUM_SCALE:
        raise InvalidAsset(f"{code}: the scale must be a whole number from 0 to {MAXIMUM_SCALE}")
    if _SCALES.setdefault(code, scale) != scale:
        raise InvalidAsset(f"{code} is known with scale {_SCALES[code]}")


def _shown(value: object) -> str:
    """A short, printable form for error texts."""
    return ascii(value)[:40] if isinstance(value, str) else type(value).__name__


register_asset("XCG", 2)  # in use, younger than py-moneyed's table
register_asset("ZWG", 2)
register_asset("BTC", 8)
