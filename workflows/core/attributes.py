"""Search attributes: typed values by which runs are found, the same on every database.

Stored as `{"type", "value"}` and indexed by a text that sorts as the values do: digits only, so that neither a
database's collation nor SQLite's floats have a say. Numbers are compared by value (1 equals 1.00), times as instants.
"""

from __future__ import annotations

import enum
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from workflows.core.errors import PayloadError
from workflows.core.payloads import Sensitive, clean_text

MAX_NAME = 50
MAX_TEXT = 255
#: Digits kept before and behind the point.
_WHOLE, _FRACTION = 20, 12
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
#: How a filter may compare: equal, or by order (numbers, times and dates alone).
LOOKUPS = ("exact", "lt", "lte", "gt", "gte", "in")
ORDERED = frozenset({"number", "datetime", "date"})

Stored = dict[str, str]


def check_name(name: str) -> str:
    """The name, if an attribute may have it; raises PayloadError."""
    if not name.isidentifier() or "__" in name or len(name) > MAX_NAME:
        raise PayloadError(f"{clean_text(name)!r} is no name of an attribute: a word of at most {MAX_NAME} letters")
    return name


def stored(name: str, value: Any) -> Stored | None:
    """A value in stored form, None for None (which takes the attribute away). Raises PayloadError."""
    check_name(name)
    if value is None:
        return None
    if isinstance(value, Sensitive):
        raise PayloadError(f"attribute {name}: a sensitive value cannot be searched for")
    if isinstance(value, enum.Enum):
        value = value.value
    found = _stored(value)
    if found is None:
        raise PayloadError(
            f"attribute {name}: a text, number, bool, UUID, date or time with its zone, not a {type(value).__name__}"
        )
    index_key(found, name=name)
    return found


def _stored(value: Any) -> Stored | None:
    if isinstance(value, bool):
        return {"type": "bool", "value": "true" if value else "false"}
    if isinstance(value, str):
        return {"type": "text", "value": value}
    if isinstance(value, int | Decimal):
        return {"type": "number", "value": _written(Decimal(value))}
    if isinstance(value, uuid.UUID):
        return {"type": "uuid", "value": str(value)}
    if isinstance(value, datetime):
        return {"type": "datetime", "value": value.astimezone(UTC).isoformat()} if value.tzinfo is not None else None
    return {"type": "date", "value": value.isoformat()} if isinstance(value, date) else None


def _written(number: Decimal) -> str:
    """In full, unless it is beyond what is kept: then it would be as long as its exponent says."""
    if not number.is_finite() or abs(number.adjusted()) > 2 * _WHOLE:
        return "NaN"
    return format(number, "f")


def decoded(attribute: Stored) -> Any:
    """The value again."""
    text = attribute["value"]
    match attribute["type"]:
        case "bool":
            return text == "true"
        case "number":
            number = Decimal(text)
            return int(number) if "." not in text else number
        case "uuid":
            return uuid.UUID(text)
        case "datetime":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
    return text


def index_key(attribute: Stored, *, name: str = "attribute") -> str:
    """The text by which the value is found and ordered; raises PayloadError for one that cannot be kept exactly."""
    text = attribute["value"]
    match attribute["type"]:
        case "number":
            return _number_key(Decimal(text), name)
        case "datetime":
            return datetime.fromisoformat(text).strftime("%Y%m%d%H%M%S%f").zfill(20)
        case "text":
            if len(text) > MAX_TEXT or clean_text(text) != text:
                raise PayloadError(f"attribute {name}: a text of at most {MAX_TEXT} characters that can be stored")
    return text


def _number_key(number: Decimal, name: str) -> str:
    if number.is_finite():
        whole, _, fraction = format(abs(number), "f").partition(".")
        fraction = fraction.rstrip("0")
        if len(whole) <= _WHOLE and len(fraction) <= _FRACTION:
            digits = whole.zfill(_WHOLE) + fraction.ljust(_FRACTION, "0")
            return "1" + digits if number >= 0 else "0" + digits.translate(_COMPLEMENT)
    raise PayloadError(f"attribute {name}: a number of at most {_WHOLE} digits and {_FRACTION} behind the point")


def readings(text: str) -> list[Stored]:
    """Every typed value that a text of a query string may mean, the text itself among them."""
    found: list[Stored] = [{"type": "text", "value": text}]
    if text in ("true", "false"):
        found.append({"type": "bool", "value": text})
    for read in (_as_number, uuid.UUID, _as_instant, date.fromisoformat):
        try:
            value = _stored(read(text))
        except (ValueError, InvalidOperation):
            continue
        if value is not None and value not in found:
            found.append(value)
    return [value for value in found if _has_key(value)]


def _as_number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _as_instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time without its zone")
    return instant


def _has_key(attribute: Stored) -> bool:
    try:
        index_key(attribute)
    except PayloadError:
        return False
    return True
