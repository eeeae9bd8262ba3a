"""Retry policies and their arithmetic (SEMANTICS D18)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how soon a failed attempt is tried again.

    Times are seconds. The wait after attempt n is `min(initial * backoff**(n-1), maximum) * (1 + jitter * u)` with u
    in [0, 1) derived from the run and step, so that it is the same on every machine; never earlier.
    """

    max_attempts: int = 3
    initial: float = 1.0
    backoff: float = 2.0
    maximum: float = 60.0
    jitter: float = 0.05
    non_retryable: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError("max_attempts must be at least 1")
        if self.initial < 0 or self.maximum < 0 or self.backoff < 1 or self.jitter < 0:
            raise ValueError("initial, maximum and jitter must not be negative, backoff at least 1")

    def delay(self, failures: int, *, seed: str) -> timedelta:
        """The wait after the `failures`-th failed attempt (1, 2, ...); `seed` names run, step and attempt."""
        try:
            base = min(self.initial * self.backoff ** (failures - 1), self.maximum)
        except OverflowError:
            base = self.maximum if self.initial else 0.0
        unit = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7], "big") / float(1 << 56)
        return timedelta(seconds=base * (1 + self.jitter * unit))


#: What a programming error looks like: the code must change before trying again can help.
PROGRAMMING_ERRORS: tuple[type[BaseException], ...] = (TypeError, NameError, AttributeError, NotImplementedError)
