"""The ledger's trial balance by class of account: what every report ties to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from finaegis.shared.money import Money
from reporting.contracts import BalanceLine, Table, Tie


def sum_of(
    lines: Iterable[BalanceLine],
    currency: str,
    *,
    group: str,
    kind: str | None = None,
    value: Callable[[BalanceLine], Money] = lambda line: line.balance,
) -> Money:
    """What the accounts of a class add up to in one currency; of one kind, or of all."""
    fits = (line for line in lines if line.currency == currency and line.group == group and kind in (None, line.kind))
    return Money.total((value(line) for line in fits), currency)


def currencies_of(lines: Iterable[BalanceLine], *, group: str) -> set[str]:
    """The currencies in which a class has accounts."""
    return {line.currency for line in lines if line.group == group}


def trial_balance_of(lines: Sequence[BalanceLine], *, title: str = "Trial balance") -> Table:
    """One row for each class, kind and currency, and one for each currency as a whole, which is zero."""
    classes: dict[tuple[str, str, str], list[BalanceLine]] = defaultdict(list)
    for line in lines:
        classes[line.currency, line.group, line.kind].append(line)
        classes[line.currency, "\uffff", ""].append(line)  # after every class of its currency
    rows = [
        (
            "all accounts" if group == "\uffff" else group,
            kind.replace("_", " "),
            len(found),
            currency,
            Money.total((line.added for line in found), currency),
            Money.total((line.taken for line in found), currency),
            Money.total((line.balance for line in found), currency),
        )
        for (currency, group, kind), found in sorted(classes.items())
    ]
    return Table(title=title, columns=("owner", "kind", "accounts", "currency", "added", "taken", "balance"), rows=rows)


def balance_ties(lines: Sequence[BalanceLine]) -> tuple[Tie, ...]:
    """All balances of each currency sum to zero."""
    return tuple(
        Tie(
            label="all accounts of the ledger",
            reported=Money.zero(currency),
            ledger=Money.total((line.balance for line in lines if line.currency == currency), currency),
        )
        for currency in sorted({line.currency for line in lines})
    )
