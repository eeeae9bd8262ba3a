"""How many statements the store sent: tests bound the cost of a step and of a run by it."""

from __future__ import annotations


class Counter:
    """Statements sent since the process began; a test reads it before and after."""

    sent = 0


statements = Counter()
