"""Third parties that stand in for real ones: serve the simulators over HTTP, and say what shall happen to calls."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finaegis.management.demo import ALLOWED_SETTINGS
from finaegis.simulators import conditions
from finaegis.simulators.models import Condition, Failure
from finaegis.simulators.server import Route, ThirdPartyServer
from lending.ports import service as lending
from wallet.ports import service as wallet

ROUTES: tuple[Route, ...] = (*lending.ROUTES, *wallet.ROUTES)


class Command(BaseCommand):
    """`serve`, `impose`, `lift` and `conditions`; for development and tests alone."""

    help = "Serve the simulated third parties over HTTP, or impose latency and failures on calls to them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="act", required=True)
        serve = commands.add_parser("serve", help="serve every simulator until SIGTERM or SIGINT")
        serve.add_argument("--host", default="127.0.0.1", help="address to serve at (default 127.0.0.1)")
        serve.add_argument("--port", type=int, default=8090, help="port to serve at (default 8090)")
        parties = sorted({route.party for route in ROUTES})
        impose = commands.add_parser("impose", help="let something happen to the next calls of a third party")
        impose.add_argument("party", choices=parties)
        impose.add_argument("failure", choices=Failure.values)
        impose.add_argument("--call", default="", help="the call it happens to, such as submit (default: every one)")
        impose.add_argument("--times", type=int, default=1, help="to how many calls; 0 = until lifted (default 1)")
        impose.add_argument("--latency", type=float, default=0.0, help="seconds before the answer (default 0)")
        lift = commands.add_parser("lift", help="end every condition of a third party")
        lift.add_argument("party", choices=parties)
        commands.add_parser("conditions", help="what is imposed at present")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        if settings.SETTINGS_MODULE not in ALLOWED_SETTINGS:
            raise CommandError("simulated third parties are for development and tests only", returncode=2)
        getattr(self, f"_{act}")(**options)

    def _serve(self, *, host: str, port: int, **options: Any) -> None:
        token = settings.SIMULATORS_TOKEN
        if not token:
            raise CommandError("set SIMULATORS_TOKEN: callers must show it", returncode=2)
        try:
            server = ThirdPartyServer((host, port), routes=ROUTES, token=token)
        except (OSError, OverflowError) as error:
            raise CommandError(f"cannot serve at {host}:{port}: {error}") from error
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        thread = threading.Thread(target=server.serve_forever, name="third-parties")
        thread.start()
        for party in sorted({route.party for route in ROUTES}):
            self._say(f"{party.upper()}_URL={server.url_of(party)} {party.upper()}_TOKEN=$SIMULATORS_TOKEN")
        self._say("third parties are up")
        stopping.wait()
        server.shutdown()
        thread.join()
        server.server_close()
        self._say("third parties have stopped")

    def _impose(self, *, party: str, failure: str, call: str, times: int, latency: float, **options: Any) -> None:
        if times < 0 or not 0 <= latency <= 3600:
            raise CommandError("--times is 0 or more, --latency between 0 and 3600 seconds", returncode=2)
        conditions.impose(
            party=party, failure=Failure(failure), call=call, times=times or None, latency=timedelta(seconds=latency)
        )
        self._conditions()

    def _lift(self, *, party: str, **options: Any) -> None:
        self._say(f"{conditions.lift(party=party)} condition(s) of {party} lifted")

    def _conditions(self, **options: Any) -> None:
        for row in Condition.objects.exclude(remaining=0).order_by("pk"):
            times = "until lifted" if row.remaining is None else f"{row.remaining} more time(s)"
            self._say(f"{row}, {row.latency_ms} ms, {times}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
