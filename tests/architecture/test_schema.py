"""The schema is what the models say, and nothing asks the system for the time but the clock."""

from __future__ import annotations

import ast
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.architecture.test_contracts import PACKAGES, ROOT


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    told = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=told)

    assert "No changes detected" in told.getvalue()


def test_no_model_orders_its_rows_by_default() -> None:
    """An order that nobody asked for is paid for in every query."""
    own = [
        model
        for package in PACKAGES
        if apps.is_installed(package)
        for model in apps.get_app_config(package).get_models()
    ]

    assert own
    assert [model for model in own if model._meta.ordering] == []


#: Where the system's time may be asked for: the clock; leases, which run on the database's time; and tokens, whose
#: library compares their expiry with the system's time itself.
MAY_ASK = {
    "workflows/clock.py",
    "workflows/store/database_time.py",
    "workflows/api/authentication.py",
    "workflows/api/tokens.py",
}


def calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_only_the_clock_asks_the_system_for_the_time() -> None:
    asking = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "time.time"}

    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if calls(path) & asking
    }

    assert found == MAY_ASK


#: What a model or a file says when work hides behind a save.
HOOKS = ("post_save", "pre_save", "post_delete", "pre_delete")


def test_no_work_hides_behind_a_save() -> None:
    """Writes stand in operations, where they can be read."""
    hidden = []
    for path in [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        hidden += [f"{path}: {word}" for word in HOOKS if word in text]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and any("models.Model" in ast.unparse(base) for base in node.bases):
                methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
                hidden += [f"{path}: {node.name}.{name}" for name in methods & {"save", "delete"}]

    assert hidden == []
