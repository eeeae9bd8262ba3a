"""`manage.py load_instruments`: the first content of the instrument table."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from treasury import operations


class Command(BaseCommand):
    """Insert the instruments of `treasury/data` that are missing; run it as often as you like."""

    help = "Insert the instruments of treasury/data that are missing; existing rows stay as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{operations.load_instruments()} instrument rows added")
