"""What a transfer must be, as pure functions over legs: balanced, exact, the same when asked twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from finaegis.shared.money import Money
from ledger.contracts import Leg
from ledger.errors import AmountNotPositive, InvalidTransfer, Unbalanced


def check_legs(legs: Sequence[Leg]) -> None:
    """Refuse legs that are fewer than two, hold a zero, or do not sum to zero in every currency."""
    if len(legs) < 2:
        raise InvalidTransfer("a transfer needs at least two legs")
    sums: dict[str, int] = {}
    for leg in legs:
        if not leg.amount:
            raise InvalidTransfer(f"the leg of account {leg.account_id} is zero")
        sums[leg.amount.currency] = sums.get(leg.amount.currency, 0) + leg.amount.to_minor()
    for currency, excess in sums.items():
        if excess:
            raise Unbalanced(excess, currency)


def check_positive(amount: Money) -> None:
    """Refuse an amount of zero or less."""
    if amount.to_minor() <= 0:
        raise AmountNotPositive(f"the amount must be more than zero, it is {amount}")


def net_by_account(legs: Iterable[Leg]) -> dict[UUID, int]:
    """What each account gains or loses in all, in minor units."""
    net: dict[UUID, int] = {}
    for leg in legs:
        net[leg.account_id] = net.get(leg.account_id, 0) + leg.amount.to_minor()
    return net


def opposite(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """The legs that undo these."""
    return tuple(Leg(leg.account_id, -leg.amount) for leg in legs)


def transfer_payload(legs: Sequence[Leg], description: str, value_date: date | None) -> str:
    """Digest of what a transfer asks for; the order of its legs makes no difference, nor does who asks."""
    named = sorted(_leg(leg) for leg in legs)
    return digest("transfer", named, description, value_date and value_date.isoformat())


def seal(
    *,
    key: str,
    legs: Sequence[Leg],
    description: str,
    run_id: UUID | None,
    value_date: date,
    posted_at: datetime,
    reverses: UUID | None,
) -> str:
    """Digest of a posted transfer with its postings in order: `verify` computes it again to find an edit.

    It is not keyed: whoever may write rows and knows this function can forge it. The keyed chain is the engine's
    history, which records every run's effects.
    """
    return digest(
        key,
        [_leg(leg) for leg in legs],
        description,
        run_id and str(run_id),
        value_date.isoformat(),
        posted_at.astimezone(UTC).isoformat(timespec="microseconds"),
        reverses and str(reverses),
    )


def digest(*parts: object) -> str:
    """SHA-256 over the canonical JSON of the parts."""
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _leg(leg: Leg) -> list[str]:
    return [str(leg.account_id), leg.amount.to_text(), leg.amount.currency]
