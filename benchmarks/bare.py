"""The yardstick: one-row INSERT commits on a connection of its own."""

from __future__ import annotations

import statistics
import time

import psycopg

CREATE = "CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, text text)"
INSERT = "INSERT INTO bare (text) VALUES (%s)"


class Committer:
    """Commits one row when asked, on a connection of its own, and keeps the times in seconds."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.connection.execute(CREATE)
        self.times: list[float] = []

    def __enter__(self) -> Committer:
        for _ in range(10):
            self.connection.execute(INSERT, ["x" * 50], prepare=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()

    def commit(self) -> None:
        before = time.perf_counter()
        self.connection.execute(INSERT, ["x" * 50], prepare=True)
        self.times.append(time.perf_counter() - before)


def milliseconds_per_commit(url: str, *, commits: int = 1000) -> float:
    """The median time of a bare one-row INSERT commit."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(CREATE)
        times = []
        for _ in range(commits):
            before = time.perf_counter()
            connection.execute(INSERT, ["x" * 50], prepare=True)
            times.append(time.perf_counter() - before)
    return statistics.median(times) * 1000
