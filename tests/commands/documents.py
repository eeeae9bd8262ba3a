"""The documents that tell people what to type, read so that tests can hold them to it."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = sorted([README, ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def module_of(source: str, *, name: str, path: Path) -> Any:
    """A block of Python as the module that it would be."""
    module = types.ModuleType(name)
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def section(path: Path, heading: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    level = len(heading.split(" ")[0])
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", path.read_text(), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{path.name} has no heading {heading!r}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """The first cell of each row of the tables in a text, without its code marks."""
    rows = re.findall(r"^\| *([^|]+?) *\|", text, re.MULTILINE)
    return [row.replace("`", "") for row in rows if set(row) - set("-: ")]


def names_of_tests(source: str) -> list[str]:
    """The test functions that a text defines."""
    return re.findall(r"^def (test_\w+)", source, re.MULTILINE)
