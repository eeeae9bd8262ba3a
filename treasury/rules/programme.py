"""Linear programmes with an exact answer: the solver finds the corner, fractions confirm it.

HiGHS (through scipy) works in floating point and gives a corner within its tolerance. The corner's binding rows are
then solved in fractions, and the simplex conditions are checked exactly; where the solver's tolerance hid a better
neighbour, `climb` walks there. So limits hold exactly, ties are real ties, and no float reaches a stored result.
Knows nothing of money or instruments. All variables are at least zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module

import numpy

from treasury.errors import SolverFailed

Vector = tuple[Fraction, ...]

_OPTIMAL, _INFEASIBLE = 0, 2
_SOLVER_OPTIONS = {
    # Problems are small: without presolve the answer is always a corner, and infeasible is told apart from unbounded.
    "presolve": False,
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}
#: How near a row must be to its bound to be taken for binding; the exact solution then decides.
_NEARNESS = (1e-9, 1e-7, 1e-5)


@dataclass(frozen=True, slots=True)
class Row:
    """One condition: `coefficients · x <= bound`, or `= bound` for an equality."""

    coefficients: Vector
    bound: Fraction
    equality: bool = False

    def slack(self, x: Vector) -> Fraction:
        return self.bound - dot(self.coefficients, x)

    def holds(self, x: Vector) -> bool:
        slack = self.slack(x)
        return slack == 0 if self.equality else slack >= 0


@dataclass(frozen=True, slots=True)
class Corner:
    """A feasible corner: its point, the rows that define it, and each of those rows' price for the objective."""

    x: Vector
    basis: tuple[int, ...]
    prices: Vector


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True) if a and b), Fraction(0))


def maximise(rows: Sequence[Row], objectives: Sequence[Vector]) -> Vector | None:
    """The best point for the first objective, ties by the second, and so on; None when no point is feasible.

    After each objective its optimal face is fixed by complementary slackness (a row with a price stays tight), so a
    later objective never gives up any of an earlier one. Equality rows must be independent.
    """
    size = len(objectives[0])
    if size == 0:
        return () if all(row.holds(()) for row in rows) else None
    face = [*rows, *_at_least_zero(size)]
    basis = _starting_basis(face, objectives[0])
    if basis is None:
        return None
    x: Vector = ()
    for objective in objectives:
        corner = climb(face, objective, basis)
        x, basis = corner.x, corner.basis
        for index, price in zip(corner.basis, corner.prices, strict=True):
            if price != 0:
                face[index] = replace(face[index], equality=True)
        if all(face[index].equality for index in basis):
            break  # the face is this one point
    return x


def feasible(rows: Sequence[Row], size: int) -> bool:
    """Whether any point satisfies all rows."""
    return maximise(rows, [(Fraction(0),) * size]) is not None


def relaxation_price(rows: Sequence[Row], objective: Vector, x: Vector, row: int) -> Fraction:
    """What the objective gains per unit by which `row`'s bound is raised, at the optimum `x`; never negative.

    It is the one-sided derivative for a bound made looser. At a degenerate optimum the price of a tighter bound can be
    higher. Sources: Aucamp & Steinberg, "The Computation of Shadow Prices in Linear Programming" (1982); the
    derivative is the programme of directions that stay feasible when the bound moves.
    """
    every = [*rows, *_at_least_zero(len(x))]
    tight = [index for index, item in enumerate(every) if item.slack(x) == 0]
    if row not in tight:
        return Fraction(0)
    directions = [replace(every[index], bound=Fraction(int(index == row))) for index in tight]
    others = [position for position, index in enumerate(tight) if index != row]
    basis = _independent(directions, sorted(others, key=lambda position: not directions[position].equality), len(x))
    if len(basis) < len(x):
        # No other tight rows span this one: its price is the same in every dual solution.
        basis = _independent(directions, [tight.index(row), *others], len(x))
        inverse = _invert([directions[position].coefficients for position in basis])
        return dot(objective, [line[0] for line in inverse])
    return dot(objective, climb(directions, objective, tuple(basis)).x)


def climb(rows: Sequence[Row], objective: Vector, basis: Sequence[int]) -> Corner:
    """The optimal corner reached from a feasible one by exact simplex steps (Bland's rule, so it ends)."""
    current = list(basis)
    while True:
        inverse = _invert([rows[index].coefficients for index in current])
        x = tuple(dot(line, [rows[index].bound for index in current]) for line in inverse)
        columns = list(zip(*inverse, strict=True))
        prices = tuple(dot(objective, column) for column in columns)
        leaving = [
            (index, position)
            for position, index in enumerate(current)
            if prices[position] < 0 and not rows[index].equality
        ]
        if not leaving:
            return Corner(x, tuple(current), prices)
        _, position = min(leaving)
        direction = tuple(-value for value in columns[position])
        steps = [
            (row.slack(x) / rate, index)
            for index, row in enumerate(rows)
            if index not in current and (rate := dot(row.coefficients, direction)) > 0
        ]
        if not steps:
            raise SolverFailed("the programme has no upper bound")
        _, current[position] = min(steps)


def _at_least_zero(size: int) -> list[Row]:
    unit = [Row(tuple(Fraction(-int(i == j)) for j in range(size)), Fraction(0)) for i in range(size)]
    return unit


def _starting_basis(rows: Sequence[Row], objective: Vector) -> tuple[int, ...] | None:
    """Independent rows that meet in the solver's corner, confirmed to be feasible exactly; None when infeasible."""
    size = len(objective)
    inequalities = [index for index in range(len(rows) - size) if not rows[index].equality]
    equalities = [index for index in range(len(rows) - size) if rows[index].equality]
    # Loaded when something is solved: it takes most of a second, and most processes solve nothing.
    answer = import_module("scipy.optimize").linprog(
        [-float(value) for value in objective],
        **_matrix("ub", [rows[index] for index in inequalities], size),
        **_matrix("eq", [rows[index] for index in equalities], size),
        bounds=(0, None),
        method="highs-ds",
        options=_SOLVER_OPTIONS,
    )
    if answer.status == _INFEASIBLE:
        return None
    if answer.status != _OPTIMAL:
        raise SolverFailed(f"HiGHS: {answer.message}")
    weight = dict(zip(inequalities, answer.ineqlin.marginals, strict=True))
    weight.update(zip(range(len(rows) - size, len(rows)), answer.lower.marginals, strict=True))
    point = [Fraction(value) for value in answer.x.tolist()]
    slacks = [abs(float(row.slack(tuple(point)))) for row in rows]
    for nearness in _NEARNESS:
        near = [index for index, slack in enumerate(slacks) if slack <= nearness]
        near.sort(key=lambda index: (not rows[index].equality, -abs(weight.get(index, 0.0)), index))
        basis = _independent(rows, near, size)
        if len(basis) == size and _meets(rows, basis):
            return tuple(basis)
    raise SolverFailed("the solver's corner could not be confirmed exactly")


def _matrix(
    kind: str, rows: Sequence[Row], size: int
) -> dict[str, numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]]:
    coefficients = [[float(value) for value in row.coefficients] for row in rows]
    return {
        f"A_{kind}": numpy.array(coefficients, dtype=float).reshape(len(rows), size),
        f"b_{kind}": numpy.array([float(row.bound) for row in rows], dtype=float),
    }


def _meets(rows: Sequence[Row], basis: Sequence[int]) -> bool:
    inverse = _invert([rows[index].coefficients for index in basis])
    x = tuple(dot(line, [rows[index].bound for index in basis]) for line in inverse)
    return all(row.holds(x) for row in rows)


def _independent(rows: Sequence[Row], order: Iterable[int], size: int) -> list[int]:
    """The first rows in `order`, at most `size`, none of which is a combination of those before it."""
    chosen: list[int] = []
    reduced: list[tuple[int, list[Fraction]]] = []
    for index in order:
        line = list(rows[index].coefficients)
        for pivot, base in reduced:
            if factor := line[pivot]:
                line = [value - factor * other for value, other in zip(line, base, strict=True)]
        lead = next((position for position, value in enumerate(line) if value), None)
        if lead is None:
            continue
        reduced.append((lead, [value / line[lead] for value in line]))
        chosen.append(index)
        if len(chosen) == size:
            break
    return chosen


def _invert(matrix: Sequence[Vector]) -> list[list[Fraction]]:
    """The inverse of a matrix with independent rows (Gauss-Jordan)."""
    size = len(matrix)
    work = [[*line, *(Fraction(int(i == j)) for j in range(size))] for i, line in enumerate(matrix)]
    for column in range(size):
        pivot = next(line for line in range(column, size) if work[line][column])
        work[column], work[pivot] = work[pivot], work[column]
        lead = work[column][column]
        work[column] = [value / lead if value else value for value in work[column]]
        for line in range(size):
            if line != column and (factor := work[line][column]):
                work[line] = [
                    value - factor * other if other else value
                    for value, other in zip(work[line], work[column], strict=True)
                ]
    return [line[size:] for line in work]
