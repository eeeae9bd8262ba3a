"""The first content of the instrument table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from django.db import transaction

from treasury.models import Instrument
from treasury.rules.instruments import read_instruments

_DATA = Path(__file__).resolve().parent.parent / "data"


def load_instruments() -> int:
    """Insert the rows of `treasury/data` that are missing; gives how many were new.

    A row that is there is left alone, also when someone has edited it.
    """
    offered = read_instruments(
        (_DATA / "treasury_instruments.json").read_text(), (_DATA / "us_10y_yield_monthly.csv").read_text()
    )
    with transaction.atomic():
        before = Instrument.objects.count()
        Instrument.objects.bulk_create([Instrument(**asdict(item)) for item in offered], ignore_conflicts=True)
        return Instrument.objects.count() - before
