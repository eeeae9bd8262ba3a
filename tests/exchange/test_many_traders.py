"""Eight processes on the same books: they agree with *some* serial order, and nobody deadlocks.

The order is the one that the books say: what each process drew, replayed in the sequence that the book assigned to
orders and cancels, gives through the naive reference exactly the trades that are stored. All processes trade on two
books that share their traders' money, and settle beside it.

Seen to fail: without the book's lock (`select_for_update` taken out of `rows.locked_book`) sequences are given twice;
without `ledger.lock_accounts` in `filling.move_funds` processes end by deadlocks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import copy
from decimal import Decimal

import pytest
from django.db import connection

from exchange import operations
from exchange.models import Order, Trade
from finaegis.shared.money import Money
from tests.bounds import bounded
from tests.exchange.drawing import draw_flow
from tests.exchange.factories import assert_sound, terms
from tests.exchange.markets import PLENTY, name_of, open_market, stored_trades
from tests.exchange.reference import ReferenceBook, Wish

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs Postgres: set DATABASE_URL"),
]

PROCESSES = 8
ORDERS = bounded(25, thorough=150)


def _database_url() -> str:
    settings = connection.settings_dict
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    return f"postgres://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"


def _wishes(place: int) -> dict[str, Wish]:
    """Everything that all processes drew for one of the books, by name."""
    flows = [draw_flow(number * 10 + place, ORDERS, worth=1) for number in range(PROCESSES)]
    return {drawn.wish.name: drawn.wish for flow in flows for drawn in flow if drawn.wish is not None}


def _replayed(symbol: str, wishes: dict[str, Wish]) -> ReferenceBook:
    """What the reference makes of orders and cancels in the sequence that the book assigned."""
    rows = list(Order.objects.filter(instrument__symbol=symbol))
    submitted = [(row.sequence, "submit", name_of(row)) for row in rows if row.sequence is not None]
    cancelled = [(row.cancel_sequence, "cancel", name_of(row)) for row in rows if row.cancel_sequence is not None]
    reference = ReferenceBook(worth=1)
    for _, act, name in sorted(submitted + cancelled):
        if act == "cancel":
            reference.cancel(name)
        else:
            reference.submit(copy(wishes[name]))
    return reference


def test_eight_processes_agree_with_the_serial_order_of_each_book():
    market = open_market()
    other = operations.list_instrument(
        terms(quote="EUR", maker_fee_ppm=1109, taker_fee_ppm=3217, lot=Decimal("0.01"))
    ).symbol
    for account_id in market.accounts.values():
        operations.deposit(key=f"eur:{account_id}", account_id=account_id, amount=Money(PLENTY, "EUR"))
    symbols = [market.symbol, other]
    told = json.dumps({"symbols": symbols, "accounts": {name: str(pk) for name, pk in market.accounts.items()}})
    environment = os.environ | {"DATABASE_URL": _database_url(), "DJANGO_SETTINGS_MODULE": "finaegis.settings.test"}
    traders = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.exchange.trader", told, str(number), str(ORDERS)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip

    for trader in traders:
        assert trader.stdin is not None
        trader.stdin.write("go\n")
        trader.stdin.flush()
    ends = [(trader.communicate(timeout=240)[1], trader.returncode) for trader in traders]

    assert ends == [("", 0)] * PROCESSES
    for place, symbol in enumerate(symbols):
        replayed = _replayed(symbol, _wishes(place))
        assert stored_trades(symbol) == replayed.trades
        assert len(replayed.trades) > PROCESSES * ORDERS / 5
    assert not Trade.objects.exclude(status="settled").exists()
    assert_sound()
    makers = Trade.objects.values_list("maker_order__key", "taker_order__key")
    assert any(maker.split("-")[0] != taker.split("-")[0] for maker, taker in makers), "processes met each other"
