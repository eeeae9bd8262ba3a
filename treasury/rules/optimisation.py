"""The portfolio of highest yield inside given asset classes, under the treasury's constraints.

The classes' shares stay as allocated; the programme chooses instruments inside each. Highest yield first, ties by lower
duration, then by code. Solved in shares of the whole, so every limit holds before rounding; amounts are then rounded
per class by largest remainder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from finaegis.shared.money import Money, round_half_even
from treasury.contracts import (
    RATE_PLACES,
    Allocation,
    AssetClass,
    BindingConstraint,
    ClassAmount,
    Constraints,
    Instrument,
    Optimization,
    Position,
)
from treasury.errors import Infeasible
from treasury.rules import programme
from treasury.rules.programme import Row, Vector

Shares = Mapping[AssetClass, Decimal]

_DURABLE = (AssetClass.CASH, AssetClass.BONDS)


@dataclass(frozen=True, slots=True)
class Limit:
    """A constraint and its row: the row's bound is `base + per_unit x limit`."""

    name: str
    limit: Decimal
    row: Row
    subject: str | None = None
    per_unit: Fraction = Fraction(1)

    @property
    def label(self) -> str:
        """The name a person sees in a conflict, such as `issuer_limit BANK_B (0.35)`."""
        return f"{self.name} {self.subject} ({self.limit})" if self.subject else f"{self.name} ({self.limit})"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The exact optimum: a share of the whole for each instrument, in the order of their codes."""

    instruments: tuple[Instrument, ...]
    shares: Vector
    limits: tuple[Limit, ...]
    uninvested: tuple[AssetClass, ...]
    classes: Shares

    @property
    def reached_yield(self) -> Fraction:
        """Per cent a year on the whole; uninvested money yields nothing."""
        return programme.dot(_yields(self.instruments), self.shares)

    @property
    def average_duration(self) -> Fraction:
        """Years, averaged over cash and bonds; 0 when there are none."""
        base = _durable_share(self.classes)
        return programme.dot(_durations(self.instruments), self.shares) / base if base else Fraction(0)

    @property
    def liquid_share(self) -> Fraction:
        return programme.dot(_liquid(self.instruments), self.shares) + _uninvested_liquid(self.uninvested, self.classes)

    def shadow_price(self, limit: Limit) -> Fraction:
        """Change of the yearly yield (per cent of the whole) per unit of `limit`, for a looser limit."""
        if limit.name == "min_yield":
            return Fraction(0)  # the yield is already the highest: a lower bar changes nothing
        rows = [item.row for item in self.limits if item.name != "min_yield"]
        rows += _class_rows(self.instruments, self.classes)
        position = rows.index(limit.row)
        price = programme.relaxation_price(rows, _yields(self.instruments), self.shares, position)
        return price * limit.per_unit


def optimise(
    *,
    allocation: Allocation,
    classes: Shares,
    instruments: Iterable[Instrument],
    constraints: Constraints,
    as_of: date,
) -> Optimization:
    """The proposal for an allocated amount.

    `classes` are the exact shares the allocation was made by, `instruments` those valid on `as_of` in its currency.
    Raises Infeasible naming a smallest set of constraints that clash (`min_yield` on the whole is one of them).
    """
    offered = tuple(instruments)
    portfolio = best_portfolio(classes=classes, instruments=offered, constraints=constraints)
    total = allocation.total_allocated
    target = constraints.target_yield
    reached = portfolio.reached_yield
    shortfall = max(Fraction(0), Fraction(target) - reached) if target is not None else Fraction(0)
    uninvested = tuple(part for part in allocation.allocations if part.type in portfolio.uninvested)
    return Optimization(
        positions=_positions(portfolio, allocation),
        reached_yield=_rate(reached),
        yearly_income=_yearly(total, reached),
        target_yield=target,
        shortfall=_rate(shortfall),
        average_duration=_rate(portfolio.average_duration),
        liquid_share=_rate(portfolio.liquid_share),
        uninvested=uninvested,
        binding=tuple(
            BindingConstraint(
                name=limit.name,
                subject=limit.subject,
                limit=limit.limit,
                shadow_price=_yearly(total, portfolio.shadow_price(limit)),
            )
            for limit in portfolio.limits
            if limit.row.slack(portfolio.shares) == 0
        ),
        as_of=as_of,
        warnings=_warnings(portfolio, uninvested, offered, constraints, total.currency, as_of),
    )


def best_portfolio(*, classes: Shares, instruments: Iterable[Instrument], constraints: Constraints) -> Portfolio:
    """The exact optimum in shares of the whole; raises Infeasible."""
    held = {asset_class: share for asset_class, share in classes.items() if share}
    chosen = tuple(
        sorted((item for item in instruments if item.asset_class in held), key=lambda instrument: instrument.code)
    )
    offered = {item.asset_class for item in chosen}
    uninvested = tuple(asset_class for asset_class in held if asset_class not in offered)
    limits = tuple(_limits(chosen, constraints, held, uninvested))
    totals = _class_rows(chosen, held)
    # The yield is what is maximised, so its floor need not be a row: it holds at the optimum or nowhere.
    rows = [limit.row for limit in limits if limit.name != "min_yield"] + totals
    by_duration = tuple(-value for value in _durations(chosen))
    by_code = [_unit(position, len(chosen)) for position in range(len(chosen))]
    shares = programme.maximise(rows, [_yields(chosen), by_duration, *by_code])
    if shares is None or not all(limit.row.holds(shares) for limit in limits):
        raise Infeasible([limit.label for limit in conflict(limits, totals, len(chosen))])
    return Portfolio(chosen, shares, limits, uninvested, held)


def conflict(limits: Sequence[Limit], totals: Sequence[Row], size: int) -> tuple[Limit, ...]:
    """A smallest clashing set of an infeasible programme: without any one of them the others can be met.

    Deletion filter (Chinneck, "Feasibility and Infeasibility in Optimization", 2008).
    """
    clashing = list(limits)
    for limit in limits:
        others = [item for item in clashing if item is not limit]
        if not programme.feasible([*(item.row for item in others), *totals], size):
            clashing = others
    return tuple(clashing)


def _limits(
    instruments: tuple[Instrument, ...], constraints: Constraints, classes: Shares, uninvested: tuple[AssetClass, ...]
) -> Iterable[Limit]:
    for position, item in enumerate(instruments):
        given = [limit for limit in (item.limit, constraints.instrument_limits.get(item.code)) if limit is not None]
        if given:
            row = Row(_unit(position, len(instruments)), Fraction(min(given)))
            yield Limit("instrument_limit", min(given), row, item.code)
    for issuer in sorted({item.issuer for item in instruments if not item.sovereign}):
        issued = tuple(Fraction(int(item.issuer == issuer and not item.sovereign)) for item in instruments)
        yield Limit("issuer_limit", constraints.issuer_limit, Row(issued, Fraction(constraints.issuer_limit)), issuer)
    base = _durable_share(classes)
    if base:
        bound = base * Fraction(constraints.max_duration)
        row = Row(_durations(instruments), bound)
        yield Limit("max_duration", constraints.max_duration, row, per_unit=base)
    floor = constraints.liquidity_floor
    bound = _uninvested_liquid(uninvested, classes) - Fraction(floor)
    yield Limit("liquidity_floor", floor, Row(_negative(_liquid(instruments)), bound), per_unit=Fraction(-1))
    if constraints.min_yield is not None:
        bound = -Fraction(constraints.min_yield)
        row = Row(_negative(_yields(instruments)), bound)
        yield Limit("min_yield", constraints.min_yield, row, per_unit=Fraction(-1))


def _class_rows(instruments: tuple[Instrument, ...], classes: Shares) -> list[Row]:
    offered = {item.asset_class for item in instruments}
    return [
        Row(tuple(Fraction(int(item.asset_class == asset_class)) for item in instruments), Fraction(share), True)
        for asset_class, share in classes.items()
        if asset_class in offered
    ]


def _positions(portfolio: Portfolio, allocation: Allocation) -> tuple[Position, ...]:
    positions: list[Position] = []
    for part in allocation.allocations:
        inside = [
            (item, share)
            for item, share in zip(portfolio.instruments, portfolio.shares, strict=True)
            if item.asset_class == part.type and share
        ]
        if not inside:
            continue
        amounts = part.amount.allocate([share for _, share in inside])
        positions.extend(
            Position(
                code=item.code,
                type=item.asset_class,
                issuer=item.issuer,
                share=_rate(share),
                amount=amount,
                yield_percent=item.yield_percent,
                duration=item.duration,
            )
            for (item, share), amount in zip(inside, amounts, strict=True)
        )
    return tuple(positions)


def _warnings(
    portfolio: Portfolio,
    uninvested: Sequence[ClassAmount],
    offered: Sequence[Instrument],
    constraints: Constraints,
    currency: str,
    as_of: date,
) -> tuple[str, ...]:
    found = [
        f"no {part.type} instrument in {currency} on {as_of}: {part.amount} stays uninvested" for part in uninvested
    ]
    found += [
        f"the figures of {item.code} are stale since {item.stale_from}"
        for item in portfolio.instruments
        if item.stale_on(as_of)
    ]
    known = {item.code for item in offered}
    found += [
        f"the limit on {code} has no effect: no such instrument in {currency} on {as_of}"
        for code in sorted(set(constraints.instrument_limits) - known)
    ]
    return tuple(found)


def _yields(instruments: Sequence[Instrument]) -> Vector:
    return tuple(Fraction(item.yield_percent) for item in instruments)


def _durations(instruments: Sequence[Instrument]) -> Vector:
    return tuple(Fraction(item.duration) if item.asset_class in _DURABLE else Fraction(0) for item in instruments)


def _liquid(instruments: Sequence[Instrument]) -> Vector:
    """1 for what counts toward the floor; equities never do."""
    return tuple(Fraction(int(item.liquid and item.asset_class in _DURABLE)) for item in instruments)


def _durable_share(classes: Shares) -> Fraction:
    return sum((Fraction(share) for asset_class, share in classes.items() if asset_class in _DURABLE), Fraction(0))


def _uninvested_liquid(uninvested: Sequence[AssetClass], classes: Shares) -> Fraction:
    return sum((Fraction(classes[item]) for item in uninvested if item in _DURABLE), Fraction(0))


def _unit(position: int, size: int) -> Vector:
    return tuple(Fraction(int(index == position)) for index in range(size))


def _negative(vector: Vector) -> Vector:
    return tuple(-value for value in vector)


def _rate(value: Fraction) -> Decimal:
    """A stored rate: six places, half-even."""
    return Decimal(round(value * 10**RATE_PLACES)).scaleb(-RATE_PLACES)


def _yearly(total: Money, percent: Fraction) -> Money:
    """`percent` of `total` in whole minor units, half-even."""
    return round_half_even(Fraction(total.amount) * percent / 100, total.currency)
