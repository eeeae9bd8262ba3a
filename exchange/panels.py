"""What the exchange shows on the pages of others: orders, trades and trading accounts, and the trades that are held."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from exchange.contracts import TradeStatus
from exchange.models import Order, Trade, TradingAccount
from workflows import panels
from workflows.panels import Address, QueueCount, Record, RecordKind, WorkQueue


def register() -> None:
    """Called once, when the apps are ready."""
    panels.register_records(
        RecordKind(
            name="exchange.order",
            label="Order",
            read=lambda ids: [_order(row) for row in _orders().filter(pk__in=ids)],
            of_runs=_orders_of_runs,
            runs_of=_runs_of_order,
            writers=("exchange.",),
            find=lambda term: [_order(row) for row in _orders().filter(panels.named(term, "key"))],
            named_by={"exchange.FindMatchingOrders": "order_id"},
            address=Address("api-exchange-order", "order_id"),
        ),
        RecordKind(
            name="exchange.trade",
            label="Trade",
            read=lambda ids: [_trade(row) for row in _trades().filter(pk__in=ids)],
            of_runs=_trades_of_runs,
            runs_of=_runs_of_trade,
            writers=("exchange.",),
            find=lambda term: [_trade(row) for row in _trades().filter(panels.named(term))],
            named_by={"exchange.ExecuteTrade": "trade_id"},
            address=Address("api-exchange-trade", "trade_id"),
        ),
        RecordKind(
            name="exchange.tradingaccount",
            label="Trading account",
            read=lambda ids: [_account(row) for row in TradingAccount.objects.filter(pk__in=ids)],
            of_runs=_accounts_of_runs,
            runs_of=_runs_of_account,
            writers=("exchange.",),
            find=_find_accounts,
            named_by={"exchange.OrderMatching": "account_id"},
            of_owners=_owners,
            address=Address("api-exchange-account", "account_id"),
        ),
    )
    panels.register_queue(
        WorkQueue(
            name="exchange.held_trades",
            label="Held trades",
            permission="exchange.view_trade",
            count=_held_trades,
            place="admin:exchange_trade_changelist",
            query=f"status__exact={TradeStatus.HELD}",
        )
    )


# --- Orders ----------------------------------------------------------------------------------------------------------


def _orders() -> QuerySet[Order]:
    return Order.objects.select_related("instrument", "account").order_by("-received_at", "-id")


def _order(row: Order) -> Record:
    return Record(
        kind="exchange.order",
        id=row.id,
        title=row.title,
        status=row.status.replace("_", " "),
        at=row.received_at,
        run_ids=() if row.run_id is None else (row.run_id,),
    )


def _orders_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    """Those that the runs carry, and both sides of the trades that they settle."""
    # One after the other: joined by OR, no index would serve them.
    ids = set(Order.objects.filter(run_id__in=run_ids).values_list("pk", flat=True))
    for sides in Trade.objects.filter(run_id__in=run_ids).values_list("maker_order", "taker_order"):
        ids |= set(sides)
    return [_order(row) for row in _orders().filter(pk__in=ids)] if ids else []


def _runs_of_order(order_id: UUID) -> list[UUID]:
    """The run that carries it, and those that settle its trades."""
    return [*panels.run_ids(Order.objects.filter(pk=order_id)), *panels.run_ids(_trades_of([order_id]))]


# --- Trades ----------------------------------------------------------------------------------------------------------


def _trades() -> QuerySet[Trade]:
    return Trade.objects.select_related("instrument", "maker_order", "taker_order").order_by("-matched_at", "-id")


def _trade(row: Trade) -> Record:
    told = row.as_contract()
    runs = (row.run_id, row.taker_order.run_id, row.maker_order.run_id)
    return Record(
        kind="exchange.trade",
        id=row.id,
        title=f"{told.quantity.normalize():f} {row.instrument.symbol} at {told.price:f}",
        status=row.status,
        at=row.matched_at,
        run_ids=tuple(run_id for run_id in runs if run_id is not None),
    )


def _trades_of(order_ids: Sequence[UUID]) -> QuerySet[Trade]:
    return _trades().filter(Q(maker_order__in=order_ids) | Q(taker_order__in=order_ids))


def _trades_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    """Those that the runs settle, and those of the orders that they carry."""
    carried = list(Order.objects.filter(run_id__in=run_ids).values_list("pk", flat=True))
    ids = set(Trade.objects.filter(run_id__in=run_ids).values_list("pk", flat=True))
    ids |= set(_trades_of(carried).values_list("pk", flat=True)) if carried else set()
    return [_trade(row) for row in _trades().filter(pk__in=ids)] if ids else []


def _runs_of_trade(trade_id: UUID) -> list[UUID]:
    """The run that settles it, and those that carry its orders."""
    row = Trade.objects.filter(pk=trade_id)
    return [
        run_id
        for name in ("run_id", "taker_order__run_id", "maker_order__run_id")
        for run_id in panels.run_ids(row, name)
    ]


# --- Trading accounts ------------------------------------------------------------------------------------------------


def _account(row: TradingAccount) -> Record:
    return Record(kind="exchange.tradingaccount", id=row.id, title=row.name, at=row.opened_at)


def _accounts_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    """Whose orders the runs carry, and who trades in those they settle."""
    ids = set(Order.objects.filter(run_id__in=run_ids).values_list("account", flat=True))
    for sides in Trade.objects.filter(run_id__in=run_ids).values_list("buyer", "seller"):
        ids |= set(sides)
    rows = TradingAccount.objects.filter(pk__in=ids).order_by("-opened_at", "-id") if ids else ()
    return [_account(row) for row in rows]


def _runs_of_account(account_id: UUID) -> list[UUID]:
    return panels.run_ids(Order.objects.filter(account_id=account_id).order_by("-received_at", "-id"))


def _find_accounts(term: str) -> list[Record]:
    """By id, or by the whole login of its holder."""
    return [_account(row) for row in TradingAccount.objects.filter(panels.named(term, "holder"))]


def _owners(owners: Sequence[str]) -> dict[str, Record]:
    ids = panels.ids_of(owners, "exchange")
    rows = TradingAccount.objects.filter(pk__in=ids) if ids else ()
    return {row.ledger_owner: _account(row) for row in rows}


# --- Queues ----------------------------------------------------------------------------------------------------------


def _held_trades() -> QueueCount:
    found = Trade.objects.filter(status=TradeStatus.HELD).aggregate(number=Count("pk"), oldest=Min("matched_at"))
    return QueueCount(found["number"], found["oldest"])
