"""The AML thresholds that currencies begin with, written after each migration wherever they are missing; data after.

Only the figure for USD is a rule of law; the others are of its size and a policy of the house, as each row says.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db import router

from finaegis.shared.money import Money

_LAW = "31 CFR 1010.311 (more than 10,000 USD), 1010.313 and 1010.314; the window is a policy of the house"
_UNION = "Regulation (EU) 2024/1624, article 80 (10,000 EUR); the window is a policy of the house"
_HOUSE = "of the size of 31 CFR 1010.311; amount and window are a policy of the house"
#: Currency -> amount and source.
_THRESHOLDS = {
    "USD": ("10000", _LAW),
    "EUR": ("10000", _UNION),
    "GBP": ("8000", _HOUSE),
    "CHF": ("9000", _HOUSE),
    "JPY": ("1500000", _HOUSE),
    "KWD": ("3000", _HOUSE),
}
_WINDOW_DAYS = 7
_VALID_FROM = date(2026, 1, 1)


def load_missing(*, using: str, apps: Apps = installed, **kwargs: Any) -> None:
    """Receiver of `post_migrate`: write thresholds of currencies that have none; safe to repeat.

    The `flush` command sends the signal without `apps`: the installed ones are meant then.
    """
    try:
        model = apps.get_model("treasury", "AmlThreshold")
    except LookupError:
        return  # migrated backwards
    if not router.allow_migrate_model(using, model):
        return
    rows = model._default_manager.using(using)
    known = set(rows.values_list("currency", flat=True))
    rows.bulk_create(
        [
            model(
                currency=currency,
                reporting_minor=Money(amount, currency).to_minor(),
                window_days=_WINDOW_DAYS,
                valid_from=_VALID_FROM,
                source=source,
            )
            for currency, (amount, source) in _THRESHOLDS.items()
            if currency not in known
        ],
        ignore_conflicts=True,
    )
