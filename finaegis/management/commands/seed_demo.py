"""`manage.py seed_demo`: demo users, accounts and business, for development only."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from finaegis.management import demo


class Command(BaseCommand):
    """Write what is missing of the demo data; run it as often as you like. Refused outside development settings."""

    help = (
        "Write demo users, accounts and business: applications from the real credit data, order flow, withdrawals. "
        "Runs are driven here, so no worker is needed. Refused outside the development and test settings."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=demo.SEED, help="another seed tells another story")
        parser.add_argument(
            "--applications",
            type=int,
            default=demo.APPLICATIONS,
            metavar="N",
            help="how many of the 1,000 applications",
        )
        parser.add_argument("--small", action="store_true", help="users, accounts and the first runs alone")

    def handle(self, *args: Any, **options: Any) -> None:
        seeded = demo.seed()
        self.stdout.write(f"logins: {' '.join(demo.LOGINS)}, password {demo.PASSWORD}")
        self.stdout.write(f"runs: {len(seeded.settling) + 1}, of which one is held as paused")
        if not options["small"]:
            demo.tell(
                demo.Driving(),
                seed=options["seed"],
                applications=options["applications"],
                say=lambda story: self.stdout.write(f"telling: {story}"),
            )
