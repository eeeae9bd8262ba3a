"""A process on the workers' database that trades through runs; one JSON request a line in, one answer a line out.

Run as `python -m tests.exchange.client`; the settings and addresses come from the environment.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from copy import copy
from typing import Any
from uuid import UUID

import django

django.setup()

from exchange import operations  # noqa: E402
from exchange.models import Order, Trade  # noqa: E402
from exchange.workflows import OrderBatchWorkflow  # noqa: E402
from ledger import queries as ledger_queries  # noqa: E402
from tests.exchange.drawing import draw_flow  # noqa: E402
from tests.exchange.factories import assert_sound  # noqa: E402
from tests.exchange.markets import Market, open_market  # noqa: E402
from tests.exchange.reference import ReferenceBook, Wish  # noqa: E402
from workflows import operations as engine  # noqa: E402
from workflows import queries as runs  # noqa: E402

_market: list[Market] = []
_wishes: dict[UUID, Wish] = {}


def prepare() -> None:
    """An instrument and its traders."""
    _market.append(open_market())


def place(seed: int, number: int) -> list[str]:
    """Ask for so many drawn orders at once, each carried by a run of its own; gives the runs."""
    started = []
    for drawn in draw_flow(seed, number, worth=1):
        if drawn.wish is not None:
            asked = operations.request_order(_market[0].facts(drawn.wish), key=f"flow:{drawn.wish.name}")
            _wishes[asked.order.id] = drawn.wish
            started.append(str(asked.run.id))
    return started


def place_batch(seed: int, number: int) -> str:
    """The same as one batch; gives its run."""
    orders = []
    for drawn in draw_flow(seed, number, worth=1):
        if drawn.wish is not None:
            facts = _market[0].facts(drawn.wish)
            orders.append(
                {
                    "account_id": str(facts.account_id),
                    "symbol": facts.symbol,
                    "side": str(facts.side),
                    "type": str(facts.type),
                    "quantity": None if facts.quantity is None else f"{facts.quantity:f}",
                    "price": None if facts.price is None else f"{facts.price:f}",
                    "spend_cap": None if facts.spend_cap is None else facts.spend_cap.to_text(),
                    "time_in_force": None if facts.time_in_force is None else str(facts.time_in_force),
                }
            )
    return str(engine.start_run(OrderBatchWorkflow, orders).id)


def statuses(ids: list[str]) -> dict[str, int]:
    """How many of these runs stand how."""
    return dict(Counter(str(runs.get_run(UUID(run_id)).status) for run_id in ids))


def result(run_id: str) -> dict[str, Any]:
    """What a batch gave."""
    found = runs.get_run(UUID(run_id)).result
    return {"processed": found.processed, "statuses": dict(Counter(item.status for item in found.results))}


def disagreements() -> list[str]:
    """Where the stored trades are not those that the reference makes of the orders in their sequence."""
    reference, made = ReferenceBook(worth=1), []
    for order_id in Order.objects.filter(run_id__isnull=False).order_by("sequence").values_list("id", flat=True):
        reference.submit(copy(_wishes[order_id]))
    rows = Trade.objects.filter(taker_order__run_id__isnull=False).order_by("number")
    for row in rows.select_related("instrument"):
        names = (_wishes[row.maker_order_id].name, _wishes[row.taker_order_id].name)
        ticks, lots = row.price_units // row.instrument.tick_units, row.quantity_minor // row.instrument.lot_minor
        made.append((*names, ticks, lots))
    return [] if made == reference.trades else [f"stored {made}", f"expected {reference.trades}"]


def unsettled() -> int:
    """How many trades are not settled."""
    return Trade.objects.exclude(status="settled").count()


def trades() -> int:
    """How many trades there are."""
    return Trade.objects.count()


def verify() -> list[str]:
    """What the ledger and the histories find wrong."""
    assert_sound()
    return [str(finding) for finding in [*ledger_queries.verify(), *runs.verify_all()]]


ANSWERS: dict[str, Callable[..., Any]] = {
    call.__name__: call
    for call in (prepare, place, place_batch, statuses, result, disagreements, unsettled, trades, verify)
}

if __name__ == "__main__":
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            told = {"answer": ANSWERS[name](**arguments)}
        except Exception as error:
            told = {"error": repr(error)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
