"""Treasury positions: where the money of each treasury account stands at the end of a business day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from finaegis.shared.money import Money
from reporting.contracts import BalanceLine, Cell, Chart, Content, Series, Table, Tie, Total, TreasuryPosition
from reporting.rules.trial_balance import balance_ties, currencies_of, sum_of, trial_balance_of

_GROUP = "treasury"
_COLUMNS = ("account", "account id", "status", "position", "currency", "balance", "held", "available")


def compose(positions: Sequence[TreasuryPosition], ledger: Sequence[BalanceLine]) -> Content:
    """The report; it ties, by kind and currency, to the trial balance of the accounts that treasuries own."""
    sums = _sums(positions)
    kinds = sorted({position.kind for position in positions} | {line.kind for line in ledger if line.group == _GROUP})
    currencies = sorted({position.balance.currency for position in positions} | currencies_of(ledger, group=_GROUP))
    ties = [
        Tie(
            label=f"treasury, {_words(kind)}",
            reported=sums.get((kind, currency), Money.zero(currency)),
            ledger=sum_of(ledger, currency, group=_GROUP, kind=kind),
        )
        for currency in currencies
        for kind in kinds
    ]
    return Content(
        title="Treasury positions",
        table=Table(title="Positions", columns=_COLUMNS, rows=[_row(position) for position in positions]),
        totals=tuple(_totals(positions, kinds, currencies)),
        ties=(*ties, *balance_ties(ledger)),
        charts=tuple(
            Chart(
                title=f"Positions in {currency}",
                categories=tuple(_words(kind) for kind in kinds),
                series=(
                    Series(
                        name=currency,
                        values=tuple(sums.get((kind, currency), Money.zero(currency)).amount for kind in kinds),
                    ),
                ),
            )
            for currency in currencies
        ),
        trial_balance=trial_balance_of(ledger),
        notes=("What is held is known for the open business day alone.",),
    )


def _row(position: TreasuryPosition) -> tuple[Cell, ...]:
    held = position.held
    return (
        position.name,
        str(position.account_id),
        position.status,
        _words(position.kind),
        position.balance.currency,
        position.balance,
        held,
        None if held is None else position.balance - held,
    )


def _totals(positions: Sequence[TreasuryPosition], kinds: list[str], currencies: list[str]) -> list[Total]:
    found = []
    for currency in currencies:
        for kind in (*kinds, None):
            own = [p.balance for p in positions if p.balance.currency == currency and kind in (None, p.kind)]
            label = "all positions" if kind is None else _words(kind)
            found.append(Total(label=label, amount=Money.total(own, currency), count=len(own)))
    return found


def _sums(positions: Sequence[TreasuryPosition]) -> dict[tuple[str, str], Money]:
    by: dict[tuple[str, str], list[Money]] = defaultdict(list)
    for position in positions:
        by[position.kind, position.balance.currency].append(position.balance)
    return {key: Money.total(amounts, key[1]) for key, amounts in by.items()}


def _words(kind: str) -> str:
    return kind.replace("_", " ")
