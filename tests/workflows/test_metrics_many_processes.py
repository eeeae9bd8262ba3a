"""Several processes complete runs and count figures at the same time, without Redis: each closing is counted once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

PROCESSES, RUNS = 4, 12
COMMAND = [sys.executable, "-m", "tests.workflows.collecting"]
EVERY = PROCESSES * RUNS


def environment(database: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "finaegis.settings.test", "REDIS_URL": "", "BROKER_URL": "",
    }  # fmt: skip


def call(role: str, database: str) -> str:
    done = subprocess.run(
        [*COMMAND, role], capture_output=True, text=True, env=environment(database), timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def work_side_by_side(database: str) -> None:
    workers = [
        subprocess.Popen(
            [*COMMAND, "work", str(number), str(RUNS)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(database),
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    ends = [(worker.communicate(timeout=120)[1], worker.returncode) for worker in workers]
    assert ends == [("", 0)] * PROCESSES


def check(told: str) -> None:
    assert json.loads(told) == {
        "started": EVERY, "closed": {"completed": EVERY}, "attempts": EVERY, "active": 0, "durations": EVERY,
        "buckets": EVERY,
    }  # fmt: skip


def test_on_sqlite_each_run_is_counted_once(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'figures.sqlite3'}"
    call("migrate", database)

    work_side_by_side(database)

    check(call("tell", database))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_on_postgres_each_run_is_counted_once() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("set DATABASE_URL to a Postgres")
    settings = connection.settings_dict
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    where = f"{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"
    database = f"postgres://{settings['USER']}{password}@{where}"

    work_side_by_side(database)

    check(call("tell", database))
