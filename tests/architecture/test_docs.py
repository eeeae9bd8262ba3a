"""The documents agree with the code and with each other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.test_contracts import ROOT
from workflows.core.status import HoldReason, RunStatus

DOCS = sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)")


def all_text() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *DOCS] if "adr" not in path.parts
    )


def decisions() -> list[Path]:
    return sorted((ROOT / "docs/adr").glob("*.md"))


def test_every_decision_is_numbered_in_order_and_says_its_parts() -> None:
    assert [int(path.name[:4]) for path in decisions()] == list(range(1, len(decisions()) + 1))
    for path in decisions():
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        assert all(part in text for part in ("Status:", "## Context", "## Decision", "## Consequences")), path.name


def test_every_decision_is_named_in_the_documents() -> None:
    text = all_text()

    assert [path.name for path in decisions() if path.name not in text] == []


def test_every_link_leads_somewhere() -> None:
    missing = []
    for path in [ROOT / "README.md", *DOCS]:
        links = LINK.findall(path.read_text(encoding="utf-8"))
        missing += [f"{path.name}: {link}" for link in links if not (path.parent / link.strip()).exists()]

    assert missing == []


def test_the_documents_know_every_state_and_every_reason_to_hold() -> None:
    text = all_text()
    words = [*map(str, RunStatus), *map(str, HoldReason)]

    assert [word for word in words if not re.search(rf"\b{re.escape(word)}\b", text)] == []
