"""Many orders at once: a hundred in one transaction, each behind a savepoint of its own.

A batch holds the locks of its books while a hundred of its orders are processed. It takes them in one order, so that
two batches do not wait for each other; other orders of these books come before it or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.db import transaction
from pydantic import TypeAdapter, ValidationError

from exchange import queries
from exchange.contracts import BatchItem, BatchOrder, OrderFacts, TradeStatus
from exchange.errors import UnknownInstrument
from exchange.models import BatchEntry, Instrument, Trade
from exchange.operations.matching import match_order
from exchange.operations.placing import place_order
from exchange.operations.rows import locked_book
from exchange.operations.settling import hold_trade, settle_trade
from exchange.rules.keys import part
from finaegis.shared.money import Money, MoneyError
from ledger.errors import LedgerError
from workflows import NonRetryable, clock

BATCH_SIZE = 100
#: The status of an entry that became no order.
REFUSED = "refused"

_FACTS = TypeAdapter(OrderFacts)


def process_order_batch(
    orders: Sequence[BatchOrder], *, key: str, progress: Callable[[int], None] = lambda reached: None
) -> tuple[BatchItem, ...]:
    """Place, match and settle these orders one after the other, a hundred in one transaction.

    An order that is refused is reported alone and leaves nothing behind. `progress` hears after each transaction how
    many orders are done. Called again with its key, a batch goes on with the first hundred that was not committed, and
    what was processed is given as it was stored. Raises InvalidKey.
    """
    part(key, str(len(orders)))
    reached = BatchEntry.objects.filter(batch=key).count()
    for begin in range(reached, len(orders), BATCH_SIZE):
        chunk = orders[begin : begin + BATCH_SIZE]
        with transaction.atomic():
            _lock_books(item.symbol for item in chunk)
            for position, item in enumerate(chunk, start=begin):
                _entry(item, key=key, position=position).save(force_insert=True)
        progress(begin + len(chunk))
    return tuple(row.as_contract() for row in BatchEntry.objects.filter(batch=key).order_by("position"))


def _lock_books(symbols: Iterable[str]) -> None:
    known = Instrument.objects.filter(symbol__in=set(symbols)).values_list("symbol", flat=True)
    for symbol in sorted(known):
        locked_book(symbol)


def _entry(item: BatchOrder, *, key: str, position: int) -> BatchEntry:
    """The order's entry once it was processed; a refused one is rolled back to its savepoint."""
    row = BatchEntry(batch=key, position=position, status=REFUSED, processed_at=clock.now())
    try:
        with transaction.atomic():
            order_id = _processed(item, key=part(key, str(position)))
    except (NonRetryable, MoneyError) as refusal:
        row.error, row.detail = refusal.code[:64], str(refusal)[:2000]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(name) for name in first["loc"])
        row.error, row.detail = "invalid_input", f"{where}: {first['msg']}"[:2000]
    else:
        row.order_id = order_id
        row.status = str(queries.get_order(order_id).status)
    return row


def _processed(item: BatchOrder, *, key: str) -> UUID:
    placed = place_order(_facts(item), key=key)
    match_order(placed.order_id)
    matched = Trade.objects.filter(taker_order_id=placed.order_id, status=TradeStatus.MATCHED).order_by("number")
    for trade_id in list(matched.values_list("id", flat=True)):
        try:
            settle_trade(trade_id)
        except LedgerError as refusal:  # the match stands: its trade waits for an operator, its funds stay blocked
            hold_trade(trade_id, reason=refusal.code, details=str(refusal))
    return placed.order_id


def _facts(item: BatchOrder) -> OrderFacts:
    given = item.model_dump(exclude_none=True)
    if item.spend_cap is not None:
        quote = Instrument.objects.filter(symbol=item.symbol).values_list("quote", flat=True).first()
        if quote is None:
            raise UnknownInstrument(item.symbol)
        given["spend_cap"] = Money(item.spend_cap, quote)
    return _FACTS.validate_python(given)
