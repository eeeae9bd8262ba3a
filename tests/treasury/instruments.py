"""The instruments of `treasury/data`, and a short way to write others."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import treasury
from treasury.contracts import AssetClass, Instrument
from treasury.rules.instruments import read_instruments

DATA = Path(treasury.__file__).parent / "data"
#: A day on which every instrument of the files is valid.
DAY = date(2026, 7, 15)


def shipped() -> list[Instrument]:
    """Every row of the files, the history of the 10-year bond included."""
    return list(_read())


@cache
def _read() -> tuple[Instrument, ...]:
    return tuple(
        read_instruments(
            (DATA / "treasury_instruments.json").read_text(), (DATA / "us_10y_yield_monthly.csv").read_text()
        )
    )


def valid(day: date = DAY) -> list[Instrument]:
    return [item for item in shipped() if item.valid_from <= day and (item.valid_to is None or day < item.valid_to)]


def instrument(
    code: str,
    asset_class: str,
    yields: str,
    *,
    duration: str = "0",
    issuer: str | None = None,
    sovereign: bool = False,
    liquid: bool = True,
    limit: str | None = None,
) -> Instrument:
    return Instrument(
        code=code,
        asset_class=AssetClass(asset_class),
        currency="USD",
        issuer=issuer or f"ISSUER_{code}",
        sovereign=sovereign,
        yield_percent=Decimal(yields),
        duration=Decimal(duration),
        liquid=liquid,
        limit=None if limit is None else Decimal(limit),
        valid_from=date(2026, 1, 1),
        valid_to=None,
        source="test",
    )
