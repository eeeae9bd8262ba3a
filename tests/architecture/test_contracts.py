"""The contracts of the house hold: imports run one way, and the core knows nothing but Python."""

from __future__ import annotations

import ast
import configparser
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("finaegis", "workflows", "ledger", "treasury", "lending", "exchange", "wallet", "reporting")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A command at the root of the checkout, in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_import_contract_is_kept() -> None:
    checked = run("-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())")

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


def test_the_contracts_name_every_package_that_there_is() -> None:
    """A package that is added and not named would be free of every contract."""
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")} | {"finaegis"}

    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    named = set(parser["importlinter"]["root_packages"].split())

    assert packages == named == set(PACKAGES)


def loaded_by(code: str) -> set[str]:
    """Top names of the modules that a fresh interpreter holds after `code`."""
    done = run(
        "-c", f"{code}\nimport sys, json; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_authors_door_loads_no_django_no_celery_and_no_driver() -> None:
    loaded = loaded_by("import workflows")

    assert "workflows" in loaded
    assert not loaded & {"django", "rest_framework", "celery", "kombu", "psycopg", "redis", "sqlite3"}


def test_every_module_of_the_core_can_be_loaded_without_django() -> None:
    modules = sorted(f"workflows.core.{path.stem}" for path in (ROOT / "workflows/core").glob("*.py"))
    assert len(modules) > 10

    loaded = loaded_by("; ".join(f"import {name}" for name in modules if not name.endswith("__init__")))

    assert not loaded & {"django", "rest_framework", "celery", "psycopg", "redis"}


# --- Sources ---------------------------------------------------------------------------------------------------------


def sources() -> Iterator[Path]:
    for package in (*PACKAGES, "tests", "benchmarks"):
        yield from (path for path in sorted((ROOT / package).rglob("*.py")) if "migrations" not in path.parts)


def test_no_file_is_so_long_that_it_must_have_a_second_subject() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}

    assert {path: lines for path, lines in long.items() if lines > 500} == {}


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    silent = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if tree.body and not ast.get_docstring(tree):
            silent.append(str(path.relative_to(ROOT)))

    assert silent == []


def test_no_import_of_our_own_code_hides_behind_the_type_checker() -> None:
    """It would be an arrow that no contract sees."""
    hidden = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                imports = [inner for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)]
                own = [ast.unparse(inner) for inner in imports if any(name in ast.unparse(inner) for name in PACKAGES)]
                hidden += [f"{path}: {name}" for name in own]

    assert hidden == []
