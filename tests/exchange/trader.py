"""A process that trades on two books at once; `test_many_traders` starts several on the same ones.

Arguments: the market as JSON, the process's number, how many orders. It waits for a line on its input, so that all
begin together, places, matches, cancels and settles, and ends with 0 when everything it did was answered.
"""

from __future__ import annotations

import json
import os
import sys
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finaegis.settings.test")
django.setup()

from exchange import operations  # noqa: E402
from exchange.models import Trade  # noqa: E402
from tests.exchange.drawing import draw_flow  # noqa: E402
from tests.exchange.markets import Market  # noqa: E402


def main(market: str, number: str, count: str) -> None:
    given = json.loads(market)
    accounts = {name: UUID(account) for name, account in given["accounts"].items()}
    books = [Market(symbol=symbol, accounts=accounts) for symbol in given["symbols"]]
    flows = [draw_flow(int(number) * 10 + place, int(count), worth=1) for place in range(len(books))]
    sys.stdin.readline()
    for together in zip(*flows, strict=True):
        for book, drawn in zip(books, together, strict=True):
            if drawn.wish is None:
                book.cancel(drawn.cancels or "")
                continue
            order = book.submit(drawn.wish)
            for trade_id in Trade.objects.filter(taker_order_id=order.id).values_list("id", flat=True):
                operations.settle_trade(trade_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
