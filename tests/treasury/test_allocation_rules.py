"""How an amount is divided, what a valid allocation is, when an account may allocate."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from treasury import errors
from treasury.contracts import AccountStatus, AssetClass, ClassAmount, TreasuryAccount
from treasury.rules import allocation


def usd(text):
    return Money(Decimal(text), "USD")


def amounts(parts):
    return {part.type.value: str(part.amount.amount) for part in parts}


@pytest.mark.parametrize(
    ("strategy", "amount", "expected"),
    [
        ("conservative", "100000.00", {"cash": "40000.00", "bonds": "50000.00", "equities": "10000.00"}),
        ("balanced", "100000.00", {"cash": "20000.00", "bonds": "40000.00", "equities": "40000.00"}),
        ("aggressive", "100000.00", {"cash": "10000.00", "bonds": "20000.00", "equities": "70000.00"}),
        ("balanced", "0.01", {"cash": "0.00", "bonds": "0.01", "equities": "0.00"}),
        ("balanced", "0.02", {"cash": "0.00", "bonds": "0.01", "equities": "0.01"}),
        ("balanced", "0.03", {"cash": "0.01", "bonds": "0.01", "equities": "0.01"}),
        ("conservative", "0.01", {"cash": "0.00", "bonds": "0.01", "equities": "0.00"}),
        ("conservative", "0.05", {"cash": "0.02", "bonds": "0.03", "equities": "0.00"}),
        ("aggressive", "0.05", {"cash": "0.01", "bonds": "0.01", "equities": "0.03"}),
        ("anything else", "100000.00", {"cash": "100000.00"}),
        ("Balanced", "0.01", {"cash": "0.01"}),
    ],
)
def test_a_strategy_divides_an_amount(strategy, amount, expected):
    assert amounts(allocation.divide(usd(amount), allocation.weights_of(strategy))) == expected


def test_a_strategy_that_is_none_of_the_three_is_warned_about():
    assert allocation.strategy_warnings("balanced") == ()
    assert "all of it stays cash" in allocation.strategy_warnings("yolo")[0]


def test_every_strategy_gives_out_the_whole():
    assert {sum(weights.values()) for weights in (*allocation.STRATEGIES.values(), allocation.ALL_CASH)} == {1}


def test_a_currency_without_minor_units_is_divided_in_whole_units():
    parts = allocation.divide(Money(Decimal("101"), "JPY"), allocation.weights_of("balanced"))

    assert amounts(parts) == {"cash": "20", "bonds": "41", "equities": "40"}


def part(asset_class, text, currency="USD"):
    return ClassAmount(type=AssetClass(asset_class), amount=Money(Decimal(text), currency))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="nothing"),
        pytest.param([part("cash", "99.99")], id="too little"),
        pytest.param([part("cash", "60.00"), part("bonds", "40.01")], id="too much"),
        pytest.param([part("cash", "50.00"), part("cash", "50.00")], id="a class twice"),
        pytest.param([part("cash", "110.00"), part("bonds", "-10.00")], id="a negative part"),
        pytest.param([part("cash", "50.00"), part("bonds", "50.00", "EUR")], id="another currency"),
    ],
)
def test_parts_that_are_not_the_whole_are_refused(parts):
    with pytest.raises(errors.AllocationInvalid) as refused:
        allocation.validate_allocation(parts, usd("100.00"))

    assert refused.value.code == "allocation_invalid"


def test_parts_that_are_the_whole_pass():
    allocation.validate_allocation([part("cash", "60.00"), part("equities", "40.00")], usd("100.00"))


ACCOUNT = TreasuryAccount(
    id=uuid.UUID(int=1),
    name="Main",
    currency="USD",
    account_type="operating",
    status=AccountStatus.ACTIVE,
    ledger_owner="treasury:1",
    opened_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("account", "amount", "code"),
    [
        (ACCOUNT, Money(Decimal("1.00"), "EUR"), "currency_mismatch"),
        (ACCOUNT, usd("0.00"), "amount_not_positive"),
        (ACCOUNT, usd("-1.00"), "amount_not_positive"),
        (replace(ACCOUNT, status=AccountStatus.FROZEN), usd("1.00"), "account_frozen"),
        (ACCOUNT, usd("100.01"), "insufficient_funds"),
    ],
)
def test_an_allocation_that_cannot_be_made_is_refused_with_its_code(account, amount, code):
    with pytest.raises(errors.TreasuryError) as refused:
        allocation.validate_prerequisites(account, amount, usd("100.00"))

    assert refused.value.code == code


def test_all_that_is_available_may_be_allocated():
    allocation.validate_prerequisites(ACCOUNT, usd("100.00"), usd("100.00"))
