"""SEMANTICS D18: how often and how soon a failed attempt is tried again."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import Retry


def seconds(policy: Retry, failures: int, seed: str = "run:1:1") -> float:
    return policy.delay(failures, seed=seed).total_seconds()


def test_the_default_is_three_attempts_from_one_second_doubling_up_to_a_minute() -> None:
    policy = Retry()

    assert (policy.max_attempts, policy.initial, policy.backoff, policy.maximum) == (3, 1.0, 2.0, 60.0)
    assert policy.jitter == 0.05
    assert policy.non_retryable == ()


@pytest.mark.parametrize(
    ("failures", "base"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (6, 32.0), (7, 60.0), (8, 60.0), (500, 60.0)]
)
def test_the_wait_doubles_up_to_the_maximum(failures: int, base: float) -> None:
    assert seconds(Retry(jitter=0.0), failures) == base


def test_initial_backoff_and_maximum_are_the_policys_own() -> None:
    policy = Retry(initial=10.0, backoff=3.0, maximum=100.0, jitter=0.0)

    assert [seconds(policy, n) for n in (1, 2, 3, 4)] == [10.0, 30.0, 90.0, 100.0]


def test_a_slow_growth_reaches_the_maximum_too() -> None:
    """Without care for overflow the exponent is bounded, and 1.01 never grows to the maximum."""
    policy = Retry(initial=1.0, backoff=1.01, maximum=60.0, jitter=0.0)

    assert seconds(policy, 200) == pytest.approx(1.01**199)
    assert seconds(policy, 500) == seconds(policy, 1_000_000) == 60.0


def test_a_wait_of_zero_and_a_constant_wait_are_possible() -> None:
    assert seconds(Retry(initial=0.0), 3) == 0.0
    assert [seconds(Retry(initial=5.0, backoff=1.0, jitter=0.0), n) for n in (1, 2, 9)] == [5.0, 5.0, 5.0]


def test_jitter_is_derived_from_the_seed_so_that_every_machine_waits_the_same() -> None:
    assert seconds(Retry(), 1, "run:1:1") == seconds(Retry(), 1, "run:1:1")
    spread = {seconds(Retry(), 1, f"run:{seq}:1") for seq in range(50)}
    assert len(spread) > 40


@given(
    initial=st.just(0.0) | st.floats(0.001, 3600),
    backoff=st.floats(1, 10),
    maximum=st.floats(0, 86_400),
    jitter=st.floats(0, 1),
    failures=st.integers(1, 10_000),
    seed=st.text(max_size=20),
)
def test_the_wait_is_never_earlier_than_the_formula_and_less_than_one_jitter_later(
    initial: float, backoff: float, maximum: float, jitter: float, failures: int, seed: str
) -> None:
    policy = Retry(initial=initial, backoff=backoff, maximum=maximum, jitter=jitter)
    growth = (failures - 1) * math.log(backoff)
    base = min(initial * math.exp(growth) if growth < 700 else initial * math.inf if initial else 0.0, maximum)

    wait = policy.delay(failures, seed=seed)

    rounding = timedelta(microseconds=1) + timedelta(seconds=base * 1e-9)  # a timedelta has whole microseconds
    assert timedelta(seconds=base) - rounding <= wait <= timedelta(seconds=base * (1 + jitter)) + rounding


@pytest.mark.parametrize(
    "wrong", [{"max_attempts": 0}, {"initial": -1.0}, {"maximum": -1.0}, {"backoff": 0.5}, {"jitter": -0.1}]
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Retry(**wrong)  # type: ignore[arg-type]
