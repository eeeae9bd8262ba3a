"""Accounts to move money between, and the ledger's triggers kept out of the way of a flush."""

from __future__ import annotations

import pytest
from django.db import connection

from finaegis.shared.money import Money
from ledger import contracts, operations, triggers
from ledger.contracts import Leg
from workflows.testing import plugin

if (triggers.uninstall, triggers.install) not in plugin.TRIGGER_SETS:
    plugin.TRIGGER_SETS.append((triggers.uninstall, triggers.install))


def usd(amount: str) -> Money:
    return Money(amount, "USD")


def legs(source: contracts.Account, target: contracts.Account, amount: Money) -> list[Leg]:
    """From one account to the other."""
    return [Leg(source.id, -amount), Leg(target.id, amount)]


@pytest.fixture
def world(db: None) -> contracts.Account:
    """The outside: it may go negative."""
    return operations.open_account(owner="world", kind="external", currency="USD", may_go_negative=True)


@pytest.fixture
def alice(world: contracts.Account) -> contracts.Account:
    """An account with 100.00 USD."""
    account = operations.open_account(owner="alice", kind="operating", currency="USD")
    operations.transfer(key="opening:alice", legs=legs(world, account, usd("100.00")))
    return account


@pytest.fixture
def bob(db: None) -> contracts.Account:
    """An empty account in USD."""
    return operations.open_account(owner="bob", kind="operating", currency="USD")


@pytest.fixture
def postgres(db: None) -> None:
    """Only on Postgres."""
    if connection.vendor != "postgresql":
        pytest.skip("needs Postgres: set DATABASE_URL to one")
