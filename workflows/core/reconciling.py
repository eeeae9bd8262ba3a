"""What a reconcile activity answers when it was asked whether an effect happened (SEMANTICS D19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of a counterparty that was asked by key: made by the three class methods only."""

    state: Literal["happened", "not_done", "unknown"]
    result: Any = None

    @classmethod
    def happened(cls, result: Any = None) -> Outcome:
        """The effect happened; `result` is what the activity would have returned."""
        return cls("happened", result)

    @classmethod
    def not_done(cls) -> Outcome:
        """The effect did not happen and will not: a known failure."""
        return cls("not_done")

    @classmethod
    def unknown(cls) -> Outcome:
        """The counterparty cannot tell yet: the run stays in doubt."""
        return cls("unknown")
