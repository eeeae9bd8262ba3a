"""What may be asked of an investment, and what is refused before anything runs."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from treasury.contracts import Constraints


def test_defaults_are_the_house_rules():
    assert Constraints().model_dump() == {
        "min_yield": None,
        "target_yield": None,
        "issuer_limit": Decimal("0.35"),
        "liquidity_floor": Decimal("0.20"),
        "max_duration": Decimal("4.0"),
        "instrument_limits": {},
    }


def test_constraints_come_as_texts_and_survive_storage_exactly():
    given = Constraints.model_validate({"min_yield": "5.0", "instrument_limits": {"CASH-MMF": "0.125"}})

    stored = given.model_dump_json()

    assert Constraints.model_validate_json(stored) == given
    assert '"min_yield":"5.0"' in stored


@pytest.mark.parametrize(
    "given",
    [
        {"min_yield": "NaN"},
        {"min_yield": "Infinity"},
        {"target_yield": "-Infinity"},
        {"min_yield": "five"},
        {"min_yield": True},
        {"min_yield": [5]},
        {"min_yield": "-100.1"},
        {"min_yield": "10001"},
        {"min_yield": "5.0000001"},
        {"issuer_limit": "-0.01"},
        {"issuer_limit": "1.01"},
        {"issuer_limit": None},
        {"liquidity_floor": "1.5"},
        {"liquidity_floor": "NaN"},
        {"max_duration": "-1"},
        {"max_duration": "101"},
        {"max_duration": "Infinity"},
        {"instrument_limits": {"CASH-MMF": "2"}},
        {"instrument_limits": ["CASH-MMF"]},
        {"min_yeild": "5.0"},
        [],
        "min_yield",
        None,
    ],
)
def test_what_does_not_fit_is_refused(given):
    with pytest.raises(ValidationError):
        Constraints.model_validate(given)


def test_constraints_do_not_change():
    with pytest.raises(ValidationError):
        Constraints().min_yield = Decimal(1)
