"""What makes a destination: a label, a beneficiary, and an account number that can be right."""

from __future__ import annotations

import re

from wallet.errors import InvalidDestination

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_SHORTEST, _LONGEST = 3, 64


def checked_text(label: str, value: str, *, longest: int) -> str:
    """The text without blanks around it; raises InvalidDestination unless it is 1 to `longest` printable characters."""
    text = value.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise InvalidDestination(f"{label} must be 1 to {longest} printable characters")
    return text


def checked_address(address: str) -> str:
    """An account number as it is stored: without spaces, letters large; an IBAN only with its right check digits.

    Raises InvalidDestination.
    """
    text = re.sub(r"\s+", "", address).upper()
    if not _SHORTEST <= len(text) <= _LONGEST or not text.isascii() or not text.isprintable():
        raise InvalidDestination(f"an account number has {_SHORTEST} to {_LONGEST} letters, digits and signs")
    if _IBAN.fullmatch(text) and not _has_check_digits(text):
        raise InvalidDestination("the check digits of this IBAN are wrong: look for a typing error")
    return text


def country_of(address: str) -> str | None:
    """The country an IBAN names, ISO 3166 alpha-2; None for another account number."""
    return address[:2] if _IBAN.fullmatch(address) else None


def _has_check_digits(iban: str) -> bool:
    """ISO 7064 MOD 97-10: the country and check digits at the end, letters as 10 to 35, remainder 1."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
