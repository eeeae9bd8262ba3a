"""What an order does, step by step. Each activity calls one operation."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from exchange import operations, queries
from exchange.contracts import (
    BatchItem,
    BatchOrder,
    Matched,
    OrderFacts,
    OrderType,
    Placed,
    Price,
    Quantity,
    Settlement,
    Side,
    Symbol,
    TimeInForce,
)
from exchange.errors import NotByRun
from finaegis.shared.money import Money
from workflows import Retry, activity, activity_info


@activity
def check_order(
    *,
    account_id: UUID,
    symbol: Symbol,
    side: Side,
    type: OrderType,
    quantity: Quantity | None = None,
    price: Price | None = None,
    spend_cap: Money | None = None,
    time_in_force: TimeInForce | None = None,
) -> None:
    """Refuse what could not be placed now: instrument, grid, minimum, account, funds."""
    queries.check_order(
        OrderFacts(
            account_id=account_id, symbol=symbol, side=side, type=type, quantity=quantity, price=price,
            spend_cap=spend_cap, time_in_force=time_in_force,
        )
    )  # fmt: skip


@activity(transactional=True)
def withdraw_order(*, order_id: UUID) -> None:
    """Cancel what is open of the order; its trades are final. Runs as an undo."""
    operations.withdraw_order(order_id)


@activity(transactional=True, undo=withdraw_order)
def place_order(*, facts: OrderFacts) -> Placed:
    """Judge the order and set aside what it may come to cost."""
    return operations.place_order(facts, run_id=_run_id())


@activity(transactional=True)
def reject_order(*, reason: str, details: str) -> None:
    """Note why this run's order was not accepted."""
    operations.reject_order(run_id=_run_id(), reason=reason, details=details)


@activity(transactional=True)
def match_order(*, order_id: UUID) -> Matched:
    """Bring the order to its book: sequence, fills, and the remainder."""
    return operations.match_order(order_id)


@activity(transactional=True)
def settle_trade(*, trade_id: UUID) -> Settlement:
    """Move both legs and the fees of a trade, once."""
    return operations.settle_trade(trade_id, run_id=activity_info().run_id)


@activity(transactional=True)
def hold_trade(*, trade_id: UUID, reason: str, details: str) -> Settlement:
    """Note that the trade waits for an operator."""
    return operations.hold_trade(trade_id, reason=reason, details=details, run_id=activity_info().run_id)


# A batch goes on where it was when its worker died or a lock was not to be had, so trying again costs what is left.
@activity(retry=Retry(max_attempts=5), timeout=timedelta(hours=1), heartbeat=timedelta(minutes=2))
def process_order_batch(*, orders: tuple[BatchOrder, ...]) -> tuple[BatchItem, ...]:
    """Place, match and settle the orders of a batch, a hundred in one transaction; the heartbeat tells how far."""
    info = activity_info()

    def tell(reached: int) -> None:
        info.heartbeat({"processed": reached, "of": len(orders)})

    return operations.process_order_batch(orders, key=info.idempotency_key, progress=tell)


def _run_id() -> UUID:
    """The run that an activity belongs to, which carries one order; raises NotByRun."""
    run_id = activity_info().run_id
    if run_id is None:
        raise NotByRun("an order is carried by a run: start exchange.OrderMatching")
    return run_id
