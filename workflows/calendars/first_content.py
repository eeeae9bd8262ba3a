"""The calendars that come with the engine, written after each migration wherever they are missing.

A calendar that is missing is written whole. To one that exists, years of which it holds no holiday are added whole, so
a release brings new years by itself. Nothing else is touched: a holiday that somebody removed stays away.
"""

from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db import router

SHIPPED = Path(__file__).resolve().parent / "data" / "calendars.json"


def load_missing(*, using: str, apps: Apps = installed, **kwargs: Any) -> None:
    """Receiver of `post_migrate`: write the shipped calendars and years that are missing; safe to repeat.

    The `flush` command sends the signal without `apps`: the installed ones are meant then.
    """
    try:
        calendar_model, holiday_model = (apps.get_model("workflows", name) for name in ("Calendar", "Holiday"))
    except LookupError:
        return  # migrated backwards
    if not router.allow_migrate_model(using, calendar_model):
        return
    calendars, holidays = (model._default_manager.using(using) for model in (calendar_model, holiday_model))
    for shipped in json.loads(SHIPPED.read_text(encoding="utf-8")):
        calendar, _ = calendars.get_or_create(code=shipped["code"], defaults=_columns(shipped))
        known = {day.year for day in holidays.filter(calendar=calendar).values_list("date", flat=True)}
        offered = [(date.fromisoformat(day), name) for day, name in shipped["holidays"].items()]
        holidays.bulk_create(
            [holiday_model(calendar=calendar, date=day, name=name) for day, name in offered if day.year not in known],
            ignore_conflicts=True,
        )


def _columns(shipped: dict[str, Any]) -> dict[str, Any]:
    columns = {name: shipped[name] for name in ("name", "zone", "weekend", "source")}
    return columns | {name: time.fromisoformat(shipped[name]) for name in ("opens_at", "cut_off")}
