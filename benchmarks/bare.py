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
    """The mean time of bare one-row INSERT commits in a tight loop, as the mean is what is told of steps too."""
    with Committer(url) as committer:
        for _ in range(commits):
            committer.commit()
    return statistics.mean(committer.times) * 1000
