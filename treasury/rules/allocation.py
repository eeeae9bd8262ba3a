"""How an amount is divided among the asset classes, and when an account may allocate at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from finaegis.shared.money import Money
from treasury.contracts import AccountStatus, AssetClass, ClassAmount, TreasuryAccount
from treasury.errors import AccountFrozen, AllocationInvalid, AmountNotPositive, CurrencyMismatch, InsufficientFunds

Weights = Mapping[AssetClass, Decimal]


def _weights(cash: str, bonds: str, equities: str) -> Weights:
    shares = zip(AssetClass, (Decimal(cash), Decimal(bonds), Decimal(equities)), strict=True)
    return MappingProxyType({asset_class: share for asset_class, share in shares if share})


#: Shares of cash, bonds and equities; each sums to 1.
STRATEGIES: Mapping[str, Weights] = MappingProxyType(
    {
        "conservative": _weights("0.40", "0.50", "0.10"),
        "balanced": _weights("0.20", "0.40", "0.40"),
        "aggressive": _weights("0.10", "0.20", "0.70"),
    }
)
#: How much of an unknown name a warning repeats.
_SHOWN = 60
ALL_CASH: Weights = _weights("1", "0", "0")


def weights_of(strategy: str) -> Weights:
    """The shares of a strategy; all cash for a name that is none of them."""
    return STRATEGIES.get(strategy, ALL_CASH)


def strategy_warnings(strategy: str) -> tuple[str, ...]:
    """What has to be recorded about the choice of strategy."""
    if strategy in STRATEGIES:
        return ()
    shown = strategy if len(strategy) <= _SHOWN else f"{strategy[:_SHOWN]}..."
    return (f"unknown strategy {shown!r}: all of it stays cash (known: {', '.join(STRATEGIES)})",)


def divide(amount: Money, weights: Weights) -> tuple[ClassAmount, ...]:
    """The amount of each class with a weight; sums exactly, ties of the remainder in the order of AssetClass."""
    classes = [asset_class for asset_class in AssetClass if asset_class in weights]
    amounts = amount.allocate([weights[asset_class] for asset_class in classes])
    return tuple(ClassAmount(type=kind, amount=part) for kind, part in zip(classes, amounts, strict=True))


def validate_allocation(parts: Sequence[ClassAmount], amount: Money) -> None:
    """Refuse parts that are not the whole: each class at most once, none negative, one currency, exact sum.

    Raises AllocationInvalid.
    """
    classes = [part.type for part in parts]
    if not classes or len(set(classes)) != len(classes):
        raise AllocationInvalid(f"each asset class may be given once: {', '.join(classes) or 'none was'}")
    if any(part.amount.currency != amount.currency for part in parts):
        raise AllocationInvalid(f"every part must be in {amount.currency}")
    if any(part.amount < Money.zero(amount.currency) for part in parts):
        raise AllocationInvalid("a part is negative")
    total = Money.total((part.amount for part in parts), amount.currency)
    if total != amount:
        raise AllocationInvalid(f"the parts sum to {total}, not {amount}")


def validate_prerequisites(account: TreasuryAccount, amount: Money, available: Money) -> None:
    """Refuse an allocation that cannot be made.

    Raises CurrencyMismatch, AmountNotPositive, AccountFrozen or InsufficientFunds, the first that applies.
    """
    if amount.currency != account.currency:
        raise CurrencyMismatch(expected=account.currency, found=amount.currency)
    if amount <= Money.zero(amount.currency):
        raise AmountNotPositive(f"the amount must be more than zero, not {amount}")
    if account.status is AccountStatus.FROZEN:
        raise AccountFrozen(account.id)
    if available < amount:
        raise InsufficientFunds(f"{available} are available on the operating account, {amount} are needed")
