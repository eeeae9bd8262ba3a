"""The limits that currencies begin with, written after each migration wherever they are missing; data from then on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db import router

from finaegis.shared.money import Money

#: Currency -> amounts per transaction, day, month, and destination in a day.
_AMOUNTS = {
    "USD": ("25000", "50000", "200000", "50000"),
    "EUR": ("25000", "50000", "200000", "50000"),
    "GBP": ("20000", "40000", "160000", "40000"),
    "CHF": ("25000", "50000", "200000", "50000"),
    "JPY": ("3500000", "7000000", "28000000", "7000000"),
    "BTC": ("0.5", "1", "4", "1"),
}
_VELOCITY_COUNT, _VELOCITY_WINDOW = 20, timedelta(hours=1)
_COOLING_OFF = timedelta(hours=24)


def load_missing(*, using: str, apps: Apps = installed, **kwargs: Any) -> None:
    """Receiver of `post_migrate`: write the sets of currencies that have none; safe to repeat.

    The `flush` command sends the signal without `apps`: the installed ones are meant then.
    """
    try:
        model = apps.get_model("wallet", "LimitSet")
    except LookupError:
        return  # migrated backwards
    if not router.allow_migrate_model(using, model):
        return
    rows = model._default_manager.using(using)
    known = set(rows.filter(account__isnull=True).values_list("currency", flat=True))
    rows.bulk_create(
        [model(**_columns(currency)) for currency in _AMOUNTS if currency not in known], ignore_conflicts=True
    )


def _columns(currency: str) -> dict[str, Any]:
    names = ("per_transaction_minor", "per_day_minor", "per_month_minor", "per_destination_minor")
    amounts = {name: Money(amount, currency).to_minor() for name, amount in zip(names, _AMOUNTS[currency], strict=True)}
    return {
        "currency": currency,
        **amounts,
        "velocity_count": _VELOCITY_COUNT,
        "velocity_window": _VELOCITY_WINDOW,
        "cooling_off": _COOLING_OFF,
    }
