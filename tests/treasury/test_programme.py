"""The linear programme is exactly right: against every corner, another solver, duality and finite differences."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.bounds import bounded
from treasury.rules import programme
from treasury.rules.programme import Row

F = Fraction


def row(coefficients, bound, *, equality=False):
    return Row(tuple(F(value) for value in coefficients), F(bound), equality)


def vector(*values):
    return tuple(F(value) for value in values)


@st.composite
def programmes(draw, largest=4):
    """A bounded programme of shares that sum to 1, with up to four limits, and a list of objectives with many ties."""
    size = draw(st.integers(1, largest))
    number = st.integers(-3, 6).map(lambda value: F(value, 2))
    line = st.lists(number, min_size=size, max_size=size).map(tuple)
    limits = draw(st.lists(st.builds(Row, line, st.integers(-2, 6).map(lambda value: F(value, 3))), max_size=4))
    objectives = draw(st.lists(line, min_size=1, max_size=2))
    by_code = [tuple(F(int(i == j)) for j in range(size)) for i in range(size)]
    return [row([1] * size, 1, equality=True), *limits], [*objectives, *by_code]


def every_corner(rows, size):
    """All feasible corners, by trying every set of rows (independent of the solver)."""
    limits = [*rows, *(row([-int(i == j) for j in range(size)], 0) for i in range(size))]
    for chosen in combinations(limits, size):
        if programme._independent(chosen, range(size), size) != list(range(size)):
            continue
        inverse = programme._invert([item.coefficients for item in chosen])
        x = tuple(programme.dot(line, [item.bound for item in chosen]) for line in inverse)
        if all(item.holds(x) for item in limits):
            yield x


@settings(max_examples=bounded(300, thorough=3000), deadline=None)
@given(programmes())
def test_the_answer_is_the_best_of_all_corners_with_ties_broken_in_order(case):
    rows, objectives = case

    found = programme.maximise(rows, objectives)

    corners = list(every_corner(rows, len(objectives[0])))
    best = max(corners, key=lambda x: [programme.dot(objective, x) for objective in objectives], default=None)
    assert found == best


@settings(max_examples=bounded(100, thorough=1000), deadline=None)
@given(programmes(largest=8))
def test_an_interior_point_solver_and_its_dual_agree(case):
    rows, objectives = case

    found = programme.maximise(rows, objectives[:1])

    limits = [item for item in rows if not item.equality]
    answer = linprog(
        [-float(value) for value in objectives[0]],
        A_ub=[[float(value) for value in item.coefficients] for item in limits] or None,
        b_ub=[float(item.bound) for item in limits] or None,
        A_eq=[[1.0] * len(objectives[0])],
        b_eq=[1.0],
        method="highs-ipm",
    )
    if found is None:
        assert answer.status == 2
    else:
        value = float(programme.dot(objectives[0], found))
        assert value == pytest.approx(-answer.fun, abs=1e-6)
        dual = sum(float(item.bound) * price for item, price in zip(limits, answer.ineqlin.marginals, strict=True))
        assert value == pytest.approx(-(dual + answer.eqlin.marginals[0]), abs=1e-6)


@settings(max_examples=bounded(200, thorough=2000), deadline=None)
@given(programmes())
def test_a_price_is_what_a_looser_bound_earns(case):
    rows, objectives = case
    found = programme.maximise(rows, objectives)
    if found is None:
        return
    step = F(1, 100_000)
    value = programme.dot(objectives[0], found)

    for position, item in enumerate(rows):
        if item.equality:
            continue
        price = programme.relaxation_price(rows, objectives[0], found, position)
        looser = [*rows]
        looser[position] = Row(item.coefficients, item.bound + step)
        gained = programme.dot(objectives[0], programme.maximise(looser, objectives)) - value

        assert price >= 0
        assert gained == price * step


def test_a_degenerate_corner_gives_a_one_sided_price():
    # Both limits meet the corner; loosening one alone gains nothing, although its dual price can be read as 1.
    rows = [row([1], F(1, 2)), row([2], 1)]

    found = programme.maximise(rows, [vector(1)])

    assert found == vector(F(1, 2))
    assert programme.relaxation_price(rows, vector(1), found, 0) == 0
    assert programme.relaxation_price(rows, vector(1), found, 1) == 0


def test_limits_hold_exactly_where_floats_would_not():
    rows = [row([1, 1, 1], F(7, 10), equality=True), row([1, 0, 0], F(1, 3)), row([0, 1, 0], F(1, 10))]

    found = programme.maximise(rows, [vector(3, 2, 1)])

    assert found == vector(F(1, 3), F(1, 10), F(7, 10) - F(1, 3) - F(1, 10))


def test_climb_walks_to_the_optimum_from_any_feasible_corner():
    rows = [row([1, 1], 1), row([1, 0], F(1, 2)), row([-1, 0], 0), row([0, -1], 0)]

    corner = programme.climb(rows, vector(3, 1), (2, 3))

    assert corner.x == vector(F(1, 2), F(1, 2))
    assert all(price >= 0 for price in corner.prices)


def test_an_empty_programme_is_feasible_only_when_its_rows_hold():
    assert programme.maximise([row([], 0)], [()]) == ()
    assert programme.maximise([row([], -1)], [()]) is None
