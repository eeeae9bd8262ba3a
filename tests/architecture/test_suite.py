"""`make test` leaves no test out: what it looks for in some folders only is in those."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MARKED = re.compile(r"mark\.(workers|browser)\b")


def _paths(variable: str) -> set[str]:
    """The paths that a variable of the Makefile lists."""
    found = re.search(rf"^{variable} := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return set(found.group(1).replace("\\\n", " ").split())


def test_every_test_with_real_workers_or_a_browser_is_looked_for() -> None:
    marked = {
        path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py") if _MARKED.search(path.read_text())
    }
    marked.discard(Path(__file__).relative_to(ROOT))

    folders = _paths("WITH_WORKERS")

    assert len(marked) > 15
    assert [str(path) for path in marked if "/".join(path.parts[:2]) not in folders] == []


def test_what_runs_on_postgres_exists() -> None:
    named = {path for path in _paths("ON_POSTGRES") if path.startswith("tests/")}

    assert len(named) > 4
    assert [path for path in named if not (ROOT / path).exists()] == []
