"""The import on Postgres, Redis and two workers: the command starts runs and reads rows, the workers drive them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from lending.rules.german_credit import read_rows
from lending.rules.scorecard import score_by
from lending.rules.scorecard_table import shipped
from tests.faults.system import ROOT, System, require_services

pytestmark = pytest.mark.workers

ROWS = 40


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    require_services()
    worker_id = getattr(request.config, "workerinput", {}).get("workerid", "main")
    system = System(f"finaegis_import_{worker_id}", tmp_path_factory.mktemp("import"))
    try:
        system.start(workers=2)
        yield system
    finally:
        system.stop()


def load(system: System) -> list[str]:
    """What `manage.py lending_import` prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "manage.py", "lending_import", "lending/data/german_credit.data", "--limit", str(ROWS)],
        cwd=ROOT, env=system.env, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{system.logs()}"
    return done.stdout.splitlines()


def test_all_rows_reach_their_end_or_review_and_a_second_import_starts_none(system: System) -> None:
    reviews = sum(score_by(shipped(), values=row.scoring_values()).score > 70 for row in read_rows()[:ROWS])

    first, second = load(system), load(system)

    assert first[:4] == [
        f"german_credit.data: {ROWS} rows, {ROWS} runs started, 0 there already",
        f"approved {ROWS - reviews}",
        f"in review {reviews}",
        "declined 0",
    ]
    assert second == [f"german_credit.data: {ROWS} rows, 0 runs started, {ROWS} there already", *first[1:]]
