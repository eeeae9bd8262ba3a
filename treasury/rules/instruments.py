"""Which rows of the first instrument files become which instruments, and from when to when they are valid."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from treasury.contracts import AssetClass, Instrument
from treasury.rules.bonds import par_bond_duration

#: The one instrument whose yield is observed: the 10-year government bond of the H.15 release.
TEN_YEAR_BOND = "BOND-UST10Y"
CURRENCY = "USD"


def first_of_next_month(day: date) -> date:
    """The first day of the month after `day`'s."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def read_instruments(table: str, yields: str) -> list[Instrument]:
    """Instruments of the JSON `table`, and the history of the 10-year bond from the CSV `yields`.

    Rows of the table are in USD and valid from its `as_of`; the 10-year bond's come from the yield file instead, the
    latest one with the table's own source text.
    """
    content = json.loads(table)
    as_of = date.fromisoformat(content["as_of"])
    found: list[Instrument] = []
    for row in content["instruments"]:
        if row["code"] == TEN_YEAR_BOND:
            found.extend(_ten_year_history(_instrument(row, as_of), list(csv.DictReader(yields.splitlines()))))
        else:
            found.append(_instrument(row, as_of))
    return found


def _ten_year_history(latest: Instrument, averages: Sequence[dict[str, str]]) -> Iterable[Instrument]:
    """One row a month: an average is known when its month is over, so it holds for the month after (no look-ahead).

    The last one stays open-ended and is stale from the day its successor was due.
    """
    months = [(date.fromisoformat(line["Date"]), Decimal(line["Rate"])) for line in averages]
    for month, rate in months[:-1]:
        valid_from = first_of_next_month(month)
        yield replace(
            latest,
            yield_percent=rate,
            duration=par_bond_duration(rate),
            valid_from=valid_from,
            valid_to=first_of_next_month(valid_from),
            source=f"real: us_10y_yield_monthly.csv, average of {month:%Y-%m}; duration of a par bond at that yield",
        )
    month, rate = months[-1]
    valid_from = first_of_next_month(month)
    yield replace(
        latest,
        yield_percent=rate,
        duration=par_bond_duration(rate),
        valid_from=valid_from,
        stale_from=first_of_next_month(valid_from),
    )


def _instrument(row: dict[str, Any], valid_from: date) -> Instrument:
    return Instrument(
        code=row["code"],
        asset_class=AssetClass(row["class"]),
        currency=CURRENCY,
        issuer=row["issuer"],
        sovereign=row["sovereign"],
        yield_percent=Decimal(row["yield"]),
        duration=Decimal(row["duration"]),
        liquid=row["liquid"],
        limit=None if row["limit"] is None else Decimal(row["limit"]),
        valid_from=valid_from,
        valid_to=None,
        source=row["basis"],
    )
