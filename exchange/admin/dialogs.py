"""Acts on rows of the exchange, each once for a form."""

from __future__ import annotations

from typing import ClassVar

from exchange.errors import ExchangeError
from workflows.admin.acting import ActingOnce


class Acting(ActingOnce):
    """A page with the dialogs of `acts`; combined with what says how its rows are shown."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (ExchangeError,)
