"""Simulators served on a real socket, and the endpoints at which an adapter finds them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from finaegis.shared.third_party import Endpoint
from finaegis.simulators.server import Route, ThirdPartyServer

TOKEN = "bearer-4711-secret"
_PATIENCE = 30.0


class Latency:
    """Stands in for `conditions.sleep`: a call that has acted waits with its answer until the test says go on."""

    def __init__(self) -> None:
        self._acted = threading.Event()
        self._over = threading.Event()

    def __call__(self, seconds: float) -> None:
        self._acted.set()
        self._over.wait(_PATIENCE)

    def end(self) -> None:
        """Let the answer go, once the call has acted."""
        assert self._acted.wait(_PATIENCE)
        self._over.set()


@dataclass(frozen=True)
class Served:
    """A service that runs until its block ends."""

    server: ThirdPartyServer

    def endpoint(self, party: str, *, timeout: timedelta = timedelta(seconds=30), token: str = TOKEN) -> Endpoint:
        return Endpoint(
            party=party,
            url=self.server.url_of(party),
            token=token,
            connect_timeout=timedelta(seconds=10),
            timeout=timeout,
        )


@contextmanager
def serving(routes: Sequence[Route]) -> Iterator[Served]:
    """The service; its end waits for every call in hand."""
    with ThirdPartyServer(("127.0.0.1", 0), routes=routes, token=TOKEN) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Served(server)
        finally:
            server.shutdown()
            thread.join()
