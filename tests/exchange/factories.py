"""Instruments, traders and orders for tests, made by the operations themselves."""

import itertools
from decimal import Decimal

from exchange import operations, queries
from exchange.contracts import InstrumentTerms, OrderFacts, OrderType, Side, TimeInForce
from exchange.models import Order, Trade
from finaegis.shared.money import Money
from ledger import queries as ledger_queries

_numbers = itertools.count(1)


def list_btc():
    return operations.list_demo_instrument()


def terms(base="BTC", quote="USD", **changed):
    """Terms of an instrument with small ticks and lots, and fees that do not divide evenly."""
    given = {
        "symbol": f"{base}-{quote}",
        "base": base,
        "quote": quote,
        "price_scale": 2,
        "tick": Decimal("1"),
        "lot": Decimal("0.01"),
        "minimum_notional": Money.zero(quote),
        "maker_fee_ppm": 1000,
        "taker_fee_ppm": 2000,
    }
    return InstrumentTerms(**{**given, **changed})


def open_account(holder=None, **balances):
    """A trader with money and quantity: 1,000,000.00 USD and 100 BTC unless told (`USD="5.00"`)."""
    number = next(_numbers)
    amounts = balances or {"USD": "1000000.00", "BTC": "100"}
    return operations.open_trading_account(
        key=f"test:{number}",
        holder=holder or f"trader{number}",
        name=(holder or f"trader {number}").title(),
        initial_balances=[Money(amount, currency) for currency, amount in amounts.items()],
    )


def facts(account, side, quantity=None, price=None, *, cap=None, tif=None, symbol="BTC-USD"):
    """An order: a limit order where it names a price, else a market order."""
    return OrderFacts(
        account_id=account.id,
        symbol=symbol,
        side=Side(side),
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=None if quantity is None else Decimal(quantity),
        price=None if price is None else Decimal(price),
        spend_cap=None if cap is None else Money(cap, symbol.split("-")[1]),
        time_in_force=None if tif is None else TimeInForce(tif),
    )


def place(account, side, quantity=None, price=None, **options):
    """An accepted order that has not come to its book; gives its id."""
    return operations.place_order(
        facts(account, side, quantity, price, **options), key=f"test:order:{next(_numbers)}"
    ).order_id  # fmt: skip


def submit(account, side, quantity=None, price=None, **options):
    """An order that came to its book; gives it as it stands."""
    order_id = place(account, side, quantity, price, **options)
    operations.match_order(order_id)
    return queries.get_order(order_id)


def trades():
    """All trades, in the order in which they were matched: number, price, quantity."""
    return [
        (row.as_contract().number, str(row.as_contract().price), str(row.as_contract().quantity))
        for row in Trade.objects.select_related("instrument").order_by("number")
    ]  # fmt: skip


def settle_all():
    for trade_id in Trade.objects.order_by("number").values_list("id", flat=True):
        operations.settle_trade(trade_id)


def money_of(account, *currencies):
    """Available, held, and settling, by currency, as text."""
    found = {(item.kind, item.currency): item for item in ledger_queries.list_accounts(owner=account.ledger_owner)}

    def of(currency):
        trading, settling = found.get(("trading", currency)), found.get(("settling", currency))
        return (
            "0" if trading is None else trading.available.to_text(),
            "0" if trading is None else trading.held.to_text(),
            "0" if settling is None else settling.balance.to_text(),
        )

    return {currency: of(currency) for currency in currencies or ("USD", "BTC")}


def fees(currency="USD"):
    """What the exchange has earned."""
    found = ledger_queries.find_account(owner="exchange", kind="fees", currency=currency)
    return "0" if found is None else found.balance.to_text()


def assert_sound():
    """What holds after each operation: the ledger adds up, and holds and settling accounts are what the rows say."""
    assert ledger_queries.verify() == []
    open_holds = {hold.key for hold in ledger_queries.list_holds(status="held")}
    expected = {
        f"exchange:order:{order.id}/hold/{order.hold_number}"
        for order in Order.objects.filter(hold_number__isnull=False)
    }
    assert open_holds == expected
    blocked = {}
    for trade in Trade.objects.exclude(status="settled").select_related("instrument"):
        for owner, currency, minor in (
            (trade.buyer.ledger_owner, trade.currency, trade.notional_minor + trade.buyer_fee_minor),
            (trade.seller.ledger_owner, trade.instrument.base, trade.quantity_minor),
        ):
            blocked[owner, currency] = blocked.get((owner, currency), 0) + minor
    settling = {
        (item.owner, item.currency): item.balance.to_minor()
        for item in ledger_queries.list_accounts(kind="settling")
        if item.balance
    }
    assert settling == blocked
