"""An order, from its validation to the settlement of every trade it makes; and many orders as one batch."""

from __future__ import annotations

from uuid import UUID

from exchange import activities
from exchange.contracts import (
    BatchOrder,
    BatchResult,
    Matched,
    OrderFacts,
    OrderResult,
    OrderType,
    Price,
    Quantity,
    Settlement,
    Side,
    Symbol,
    TimeInForce,
    TradeStatus,
)
from finaegis.shared.money import Money
from workflows import ActivityFailed, Workflow, query, signal


class ExecuteTradeWorkflow(Workflow[Settlement]):
    """Settle one trade; where that fails the trade is held, with its funds blocked, until an operator settles it."""

    name = "exchange.ExecuteTrade"
    version = 1
    # A match is never undone: what cannot even be put on hold waits for a person.
    on_failure = "hold"
    on_cancel = "leave"

    def __init__(self) -> None:
        self._stage = "settling"
        self._settled = 0
        self._heard = 0

    async def execute(self, trade_id: UUID) -> Settlement:
        while True:
            try:
                return await self.activity(activities.settle_trade, trade_id=trade_id)
            except ActivityFailed as failure:
                self.log.error("trade %s could not be settled: %s", trade_id, failure)
                held = await self.activity(
                    activities.hold_trade, trade_id=trade_id, reason=failure.code, details=str(failure)
                )  # fmt: skip
            if held.status is TradeStatus.SETTLED:
                return held
            self._stage = "held"
            await self.wait_for(self._has_news)
            self._heard, self._stage = self._settled, "settling"

    @signal
    def settled(self) -> None:
        """An operator settled the trade; its row says so."""
        self._settled += 1

    def _has_news(self) -> bool:
        return self._settled > self._heard

    @query
    def status(self) -> str:
        """The stage this run is at."""
        return self._stage


class FindMatchingOrdersWorkflow(Workflow[Matched]):
    """Bring an accepted order to its book."""

    name = "exchange.FindMatchingOrders"
    version = 1
    on_failure = "compensate"

    async def execute(self, order_id: UUID) -> Matched:
        return await self.activity(activities.match_order, order_id=order_id)


class OrderMatchingWorkflow(Workflow[OrderResult]):
    """Take an order: validate it, set its money aside, match it, and settle each of its trades."""

    name = "exchange.OrderMatching"
    version = 1
    on_failure = "compensate"
    start_checks = (activities.check_order,)

    async def execute(
        self,
        account_id: UUID,
        symbol: Symbol,
        side: Side,
        type: OrderType,
        quantity: Quantity | None = None,
        price: Price | None = None,
        spend_cap: Money | None = None,
        time_in_force: TimeInForce | None = None,
    ) -> OrderResult:
        order_id = await self._placed(
            OrderFacts(
                account_id=account_id, symbol=symbol, side=side, type=type, quantity=quantity, price=price,
                spend_cap=spend_cap, time_in_force=time_in_force,
            )
        )  # fmt: skip
        self.set_attributes(order=order_id, account=account_id, symbol=symbol)
        matched = await self.child(FindMatchingOrdersWorkflow, order_id)
        # Matched funds are on their way: an order that is given up leaves its trades to settle.
        await self.gather(
            *(
                self.child(ExecuteTradeWorkflow, match.trade_id, compensate=False, on_close="abandon")
                for match in matched.matches
            )
        )
        return OrderResult(order_id=order_id, matches=matched.matches, status=matched.status)

    async def _placed(self, facts: OrderFacts) -> UUID:
        try:
            placed = await self.activity(activities.place_order, facts=facts)
        except ActivityFailed as failure:
            await self.activity(activities.reject_order, reason=failure.code, details=str(failure))
            raise
        return placed.order_id


class OrderBatchWorkflow(Workflow[BatchResult]):
    """Place, match and settle many orders; a bad one is reported alone."""

    name = "exchange.OrderBatch"
    version = 1
    # What a batch did stands; one that cannot go on waits for a person, and goes on where it was.
    on_failure = "hold"

    async def execute(self, orders: tuple[BatchOrder, ...]) -> BatchResult:
        results = await self.activity(activities.process_order_batch, orders=orders)
        return BatchResult(processed=len(results), results=results)
