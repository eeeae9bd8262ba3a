"""Coarse classing: which values of an attribute share points, and the weight of evidence of each bin.

The weight of evidence of a bin is ln((goods in it / all goods) / (bads in it / all bads)): above 0 the bin is better
than the population, below 0 worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lending.rules.german_credit import NUMBERS, CreditRow

#: A bin holds at least this share of the rows, so that its rate is more than an anecdote.
SMALLEST_SHARE = 0.05
#: Neighbours whose chi-square is below this are one bin: what they add is worth less than the price that Akaike's
#: criterion puts on one more parameter.
LEAST_DIFFERENCE = 2.0
#: Into how many equal parts a number's range is cut before neighbours are merged.
FINE_PARTS = 10
#: Added to the goods and to the bads of a bin, so that a bin without one of them has a finite weight.
_HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Values that share points: codes, or the numbers up to and with `up_to` (None: all that are higher)."""

    values: tuple[str, ...] = ()
    up_to: int | None = None
    rows: int
    bad: int
    weight: float = 0.0

    @property
    def bad_rate(self) -> float:
        return self.bad / self.rows


def bins_of(attribute: int, rows: Sequence[CreditRow]) -> tuple[Bin, ...]:
    """The bins of an attribute over these rows: numbers in ascending order, codes from the best bad rate to the worst.

    Numbers begin as tenths of the rows, codes as themselves; neighbours are merged, the most alike first, until every
    bin is large enough and differs from the next.
    """
    bins = _numbers(attribute, rows) if attribute in NUMBERS else _codes(attribute, rows)
    bins = _merged(bins, smallest=SMALLEST_SHARE * len(rows))
    bad = sum(row.bad for row in rows)
    return tuple(_weighed(item, good=len(rows) - bad, bad=bad) for item in bins)


def place(attribute: int, value: str, bins: Iterable[Bin]) -> int | None:
    """The position of the bin a value falls into; None for a code that no bin knows."""
    for position, item in enumerate(bins):
        if attribute in NUMBERS:
            if item.up_to is None or int(value) <= item.up_to:
                return position
        elif value in item.values:
            return position
    return None


def runs_against(bins: Sequence[Bin], points: Sequence[float]) -> bool:
    """Whether anywhere a bin with a higher bad rate has more points than one with a lower."""
    ordered = sorted(zip(bins, points, strict=True), key=lambda pair: (pair[0].bad_rate, -pair[1]))
    return any(worse[1] > better[1] for better, worse in pairwise(ordered))


def _numbers(attribute: int, rows: Sequence[CreditRow]) -> list[Bin]:
    ordered = sorted((int(row.value(attribute)), row.bad) for row in rows)
    last = len(ordered) - 1
    edges = sorted({ordered[last * part // FINE_PARTS][0] for part in range(1, FINE_PARTS)} - {ordered[last][0]})
    found = []
    lower = -1
    for edge in (*edges, None):
        inside = [bad for number, bad in ordered if lower < number and (edge is None or number <= edge)]
        found.append(Bin(up_to=edge, rows=len(inside), bad=sum(inside)))
        lower = lower if edge is None else edge
    return found


def _codes(attribute: int, rows: Sequence[CreditRow]) -> list[Bin]:
    outcomes: dict[str, list[bool]] = {}
    for row in rows:
        outcomes.setdefault(row.value(attribute), []).append(row.bad)
    found = [Bin(values=(code,), rows=len(bads), bad=sum(bads)) for code, bads in outcomes.items()]
    return sorted(found, key=lambda item: (item.bad_rate, item.values))


def _merged(bins: list[Bin], *, smallest: float) -> list[Bin]:
    while len(bins) > 1:
        differences = [(_chi_square(left, right), position) for position, (left, right) in enumerate(pairwise(bins))]
        rarest = min(range(len(bins)), key=lambda position: bins[position].rows)
        if bins[rarest].rows < smallest:
            differences = [pair for pair in differences if pair[1] in (rarest - 1, rarest)]
        elif min(differences)[0] >= LEAST_DIFFERENCE:
            break
        at = min(differences)[1]
        bins = [*bins[:at], _joined(bins[at], bins[at + 1]), *bins[at + 2 :]]
    return bins


def _joined(left: Bin, right: Bin) -> Bin:
    values = tuple(sorted(left.values + right.values))
    return Bin(values=values, up_to=right.up_to, rows=left.rows + right.rows, bad=left.bad + right.bad)


def _chi_square(left: Bin, right: Bin) -> float:
    """Pearson's statistic of the two-by-two table of two bins and the outcome; 0 if they cannot differ."""
    rows, bad = left.rows + right.rows, left.bad + right.bad
    rate = bad / rows
    if not 0 < rate < 1:
        return 0.0
    return sum((item.bad - item.rows * rate) ** 2 / (item.rows * rate * (1 - rate)) for item in (left, right))


def _weighed(item: Bin, *, good: int, bad: int) -> Bin:
    goods, bads = (item.rows - item.bad + _HALF) / good, (item.bad + _HALF) / bad
    weight = math.log(goods / bads)
    return Bin(values=item.values, up_to=item.up_to, rows=item.rows, bad=item.bad, weight=weight)
