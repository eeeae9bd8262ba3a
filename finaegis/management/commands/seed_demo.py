"""`manage.py seed_demo`: demo users, accounts and runs, for development only."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from finaegis.management import demo


class Command(BaseCommand):
    """Write what is missing of the demo data; run it as often as you like. Refused outside development settings."""

    help = "Write demo users, treasury accounts and runs. Refused outside the development and test settings."

    def handle(self, *args: Any, **options: Any) -> None:
        seeded = demo.seed()
        self.stdout.write(f"logins: {' '.join(demo.LOGINS)}, password {demo.PASSWORD}")
        self.stdout.write(f"runs: {len(seeded.settling) + 1}, of which one is held as paused")
