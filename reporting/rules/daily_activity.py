"""Daily activity: the trades of a business day, and what happened to withdrawals on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC
from decimal import Decimal

from finaegis.shared.money import Money
from reporting.contracts import BalanceLine, Cell, Chart, Content, Series, Table, Tie, Total, TradeLine, WithdrawalLine
from reporting.rules.trial_balance import balance_ties, currencies_of, sum_of, trial_balance_of

SETTLED = "settled"
#: What a transfer does with a withdrawal's money, by the kinds of account it goes from and to.
INTO_TRANSIT = {("wallet", "in_transit"): "handed to the rail", ("external", "in_transit"): "returned by the rail"}
OUT_OF_TRANSIT = {
    ("in_transit", "external"): SETTLED,
    ("in_transit", "wallet"): "credited back",
    ("in_transit", "suspense"): "retained",
}
_IN, _OUT = frozenset(INTO_TRANSIT.values()), frozenset(OUT_OF_TRANSIT.values())
_COLUMNS = (
    "entry", "event", "at (UTC)", "reference", "from", "to", "currency", "amount", "buyer fee", "seller fee", "price",
    "quantity", "quantity currency", "status",
)  # fmt: skip
_HOURS = range(24)


def compose(
    trades: Sequence[TradeLine],
    withdrawals: Sequence[WithdrawalLine],
    moved: Sequence[BalanceLine],
    ledger: Sequence[BalanceLine],
) -> Content:
    """The report. `moved` is what the day's transfers did, `ledger` the trial balance at its end.

    Settled trades tie to what left the settling accounts and came to the fees on that day, withdrawals to what went
    into transit and out of it.
    """
    entries = [*[(line.at, _trade(line)) for line in trades], *[(line.at, _withdrawal(line)) for line in withdrawals]]
    rows = [row for _, row in sorted(entries, key=lambda entry: entry[0])]
    return Content(
        title="Daily activity",
        table=Table(title="Trades and withdrawals", columns=_COLUMNS, rows=rows),
        totals=(*_trade_totals(trades), *_withdrawal_totals(withdrawals)),
        ties=(*_trade_ties(trades, moved), *_withdrawal_ties(withdrawals, moved), *balance_ties(ledger)),
        charts=(_by_hour(trades, withdrawals),),
        trial_balance=trial_balance_of(ledger),
        notes=(
            "An entry is settled, handed over, returned or credited on the day of its transfer in the ledger; one that "
            "moved nothing on that day is told on the day (UTC) on which it was matched or requested, as it stands.",
        ),
    )


def _trade(line: TradeLine) -> tuple[Cell, ...]:
    return (
        "trade", line.event, line.at, f"{line.symbol} {line.number}", line.seller, line.buyer, line.notional.currency,
        line.notional, line.buyer_fee, line.seller_fee, line.price, line.quantity, line.quantity.currency, line.event,
    )  # fmt: skip


def _withdrawal(line: WithdrawalLine) -> tuple[Cell, ...]:
    return (
        "withdrawal", line.event, line.at, str(line.withdrawal_id), line.customer, line.beneficiary,
        line.amount.currency, line.amount, None, None, None, None, None, line.status,
    )  # fmt: skip


def _trade_totals(trades: Sequence[TradeLine]) -> Iterator[Total]:
    for event in sorted({line.event for line in trades}):
        own = [line for line in trades if line.event == event]
        for currency in sorted({line.notional.currency for line in own}):
            quoted = [line for line in own if line.notional.currency == currency]
            fees = Money.total((line.buyer_fee + line.seller_fee for line in quoted), currency)
            value = Money.total((line.notional for line in quoted), currency)
            yield Total(label=f"trades, {event}: value", amount=value, count=len(quoted))
            yield Total(label=f"trades, {event}: fees", amount=fees, count=len(quoted))


def _withdrawal_totals(withdrawals: Sequence[WithdrawalLine]) -> Iterator[Total]:
    for event in sorted({line.event for line in withdrawals}):
        for currency in sorted({line.amount.currency for line in withdrawals if line.event == event}):
            own = [line.amount for line in withdrawals if (line.event, line.amount.currency) == (event, currency)]
            yield Total(label=f"withdrawals, {event}", amount=Money.total(own, currency), count=len(own))


def _trade_ties(trades: Sequence[TradeLine], moved: Sequence[BalanceLine]) -> Iterator[Tie]:
    settled = [line for line in trades if line.event == SETTLED]
    quotes, bases = {line.notional.currency for line in settled}, {line.quantity.currency for line in settled}
    for currency in sorted(quotes | bases | currencies_of(moved, group="exchange")):
        quoted = [line for line in settled if line.notional.currency == currency]
        delivered = [line.quantity for line in settled if line.quantity.currency == currency]
        paid = [line.notional + line.buyer_fee for line in quoted]
        yield Tie(
            label="exchange, left settling accounts",
            reported=Money.total([*paid, *delivered], currency),
            ledger=-sum_of(moved, currency, group="exchange", kind="settling", value=lambda line: line.taken),
        )
        yield Tie(
            label="exchange, fees",
            reported=Money.total((line.buyer_fee + line.seller_fee for line in quoted), currency),
            ledger=sum_of(moved, currency, group="exchange", kind="fees", value=lambda line: line.added),
        )


def _withdrawal_ties(withdrawals: Sequence[WithdrawalLine], moved: Sequence[BalanceLine]) -> Iterator[Tie]:
    for currency in sorted({line.amount.currency for line in withdrawals} | currencies_of(moved, group="wallet")):
        own = [line for line in withdrawals if line.amount.currency == currency]
        yield Tie(
            label="wallet, into transit",
            reported=Money.total((line.amount for line in own if line.event in _IN), currency),
            ledger=sum_of(moved, currency, group="wallet", kind="in_transit", value=lambda line: line.added),
        )
        yield Tie(
            label="wallet, out of transit",
            reported=Money.total((line.amount for line in own if line.event in _OUT), currency),
            ledger=-sum_of(moved, currency, group="wallet", kind="in_transit", value=lambda line: line.taken),
        )


def _by_hour(trades: Sequence[TradeLine], withdrawals: Sequence[WithdrawalLine]) -> Chart:
    traded = Counter(line.at.astimezone(UTC).hour for line in trades)
    withdrawn = Counter(line.at.astimezone(UTC).hour for line in withdrawals)
    return Chart(
        title="Entries by hour (UTC)",
        categories=tuple(f"{hour:02}" for hour in _HOURS),
        series=(
            Series(name="trades", values=tuple(Decimal(traded[hour]) for hour in _HOURS)),
            Series(name="withdrawals", values=tuple(Decimal(withdrawn[hour]) for hour in _HOURS)),
        ),
    )
