"""How far tests go that could go on for ever: a bounded form in the suite, the long one by `make thorough`."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("THOROUGH") == "1"


def bounded(short: int, *, thorough: int) -> int:
    """The number for the suite, or the one of `make thorough`."""
    return thorough if THOROUGH else short
