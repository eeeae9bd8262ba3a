"""Which build this is, as it stands on what it makes: the version of the project and the commit of the checkout."""

from __future__ import annotations

import tomllib
from pathlib import Path

#: As many digits of a commit as people compare.
_DIGITS = 12


def code_version(root: Path) -> str:
    """`0.1.0+2a272eb0c1d2`, or the version alone where there is no checkout; it reads two small files, runs nothing."""
    with (root / "pyproject.toml").open("rb") as file:
        version = str(tomllib.load(file)["project"]["version"])
    commit = _commit(root / ".git")
    return f"{version}+{commit[:_DIGITS]}" if commit else version


def _commit(git: Path) -> str | None:
    try:
        if git.is_file():  # a work tree of a repository that lies elsewhere
            git = (git.parent / git.read_text().removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref:"):
            return head
        name = head.removeprefix("ref:").strip()
        common = git / "commondir"
        refs = (git / common.read_text().strip()).resolve() if common.exists() else git
        loose = refs / name
        if loose.exists():
            return loose.read_text().strip()
        packed = (refs / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except OSError:
        return None
