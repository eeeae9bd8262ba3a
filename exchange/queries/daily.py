"""The trades of a day: those that were matched on it, and those that were settled by its transfers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange import contracts
from exchange.models import Trade
from exchange.rules.keys import settlement_key

_CHUNK = 500
_SETTLEMENT = re.compile(re.escape(settlement_key(UUID(int=0))).replace(re.escape(str(UUID(int=0))), "([0-9a-f-]{36})"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyTrade:
    """A trade with the names of its sides; `settlement_key` is the ledger's key of the transfer that settles it."""

    trade: contracts.Trade
    base: str
    buyer: str
    seller: str
    settlement_key: str


def list_daily_trades(*, begins: datetime, ends: datetime, settled_by: Sequence[str] = ()) -> list[DailyTrade]:
    """Trades that were matched from `begins` until before `ends`, or settled by one of these transfers.

    `settled_by` are keys of the ledger; those that settle no trade are passed over. By instrument and number.
    """
    rows = Trade.objects.select_related("instrument", "buyer", "seller")
    found = {row.id: row for row in rows.filter(matched_at__gte=begins, matched_at__lt=ends)}
    ids = [UUID(match[1]) for key in settled_by if (match := _SETTLEMENT.fullmatch(key))]
    for start in range(0, len(ids), _CHUNK):
        found.update({row.id: row for row in rows.filter(pk__in=ids[start : start + _CHUNK])})
    return [
        DailyTrade(
            trade=row.as_contract(),
            base=row.instrument.base,
            buyer=row.buyer.name,
            seller=row.seller.name,
            settlement_key=settlement_key(row.id),
        )
        for row in sorted(found.values(), key=lambda row: (row.instrument.symbol, row.number))
    ]
