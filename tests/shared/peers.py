"""A third party on a real socket that answers, fails, hangs or hangs up as a test tells it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from finaegis.shared.third_party import Client, Endpoint

TOKEN = "bearer-4711-secret"


@dataclass
class Heard:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass
class Peer:
    """Runs `script` for each request; the script may use the handler's socket as it likes."""

    url: str
    script: Callable[[Any], None]
    heard: list[Heard] = field(default_factory=list)
    #: Set when the test is over: scripts that hang wait for it.
    released: threading.Event = field(default_factory=threading.Event)


def answer(status: int, content: bytes = b"{}", **headers: str) -> Callable[[Any], None]:
    """A script: this answer, whole."""

    def script(handler: Any) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return script


def hang_up(handler: Any) -> None:
    """A script: close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def half_an_answer(handler: Any) -> None:
    """A script: promise a hundred bytes, give ten, close."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"0123456789")


@contextmanager
def serving(script: Callable[[Any], None]) -> Iterator[Peer]:
    """The peer, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            peer.heard.append(Heard(self.command, self.path, dict(self.headers), self.rfile.read(length)))
            peer.script(self)

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that left is no error here."""

    with Server(("127.0.0.1", 0), Handler) as server:
        peer = Peer(url=f"http://127.0.0.1:{server.server_address[1]}/bureau/", script=script)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield peer
        finally:
            peer.released.set()
            server.shutdown()
            thread.join()


def client_of(url: str, *, timeout: timedelta = timedelta(seconds=30)) -> Client:
    """A client of the third party at that address."""
    return Client(
        Endpoint(party="bureau", url=url, token=TOKEN, connect_timeout=timedelta(seconds=10), timeout=timeout)
    )


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port
