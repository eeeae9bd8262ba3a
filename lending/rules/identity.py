"""The form of a social security number, and what is left of it for comparing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lending.errors import InvalidSsn

_FORM = re.compile(r"([0-9]{3})([- ]?)([0-9]{2})\2([0-9]{4})")
#: Areas that stand for no person. Those from 900 on do: taxpayers without an SSN have numbers of that form.
_NO_AREA = frozenset({"000", "666"})
_HIDDEN = "•••"


def normalise_ssn(text: str) -> str:
    """The nine digits of `AAA-GG-SSSS`, with or without hyphens or spaces; raises InvalidSsn, which never shows them.

    A number whose area, group or serial is all zeros, or whose area is 666, was never given to anybody.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or not text.isascii():
        raise InvalidSsn
    area, _, group, serial = found.groups()
    if area in _NO_AREA or group == "00" or serial == "0000":
        raise InvalidSsn
    return area + group + serial


@contextmanager
def never_told(ssn: str) -> Iterator[None]:
    """Take the number out of the text of any error that leaves the block, however it is written there.

    The engine takes out what a call was given, letter by letter; a careless third party may write it another way.
    """
    try:
        yield
    except Exception as error:
        digits = re.sub("[^0-9]", "", ssn)
        # Fewer digits than a serial are no secret, and would be found everywhere.
        if len(digits) >= 4:
            _hide(error, re.compile("[ .-]?".join(digits)))
        raise


def _hide(error: BaseException | None, written: re.Pattern[str]) -> None:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(written.sub(_HIDDEN, item) if isinstance(item, str) else item for item in error.args)
        error = error.__cause__ or error.__context__
