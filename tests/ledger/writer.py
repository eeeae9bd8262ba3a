"""A process that moves money between two accounts, in both directions in turn; `test_many_processes` starts several.

Arguments: the account ids, its own number, how many transfers. It waits for a line on its input, so that all begin
together, and ends with 0 when every transfer was made.
"""

from __future__ import annotations

import os
import sys
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finaegis.settings.test")
django.setup()

from finaegis.shared.money import Money  # noqa: E402
from ledger import operations  # noqa: E402
from ledger.contracts import Leg  # noqa: E402

ONE = Money("1.00", "USD")


def main(first: str, second: str, number: str, count: str) -> None:
    sys.stdin.readline()
    for index in range(int(count)):
        source, target = (first, second) if (index + int(number)) % 2 else (second, first)
        legs = [Leg(UUID(source), -ONE), Leg(UUID(target), ONE)]
        operations.transfer(key=f"{number}:{index}", legs=legs)
        # Every process also sends this one: it is made once.
        operations.transfer(key=f"shared:{index}", legs=[Leg(UUID(first), -ONE), Leg(UUID(second), ONE)])


if __name__ == "__main__":
    main(*sys.argv[1:])
