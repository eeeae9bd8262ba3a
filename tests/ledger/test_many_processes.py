"""Eight processes transfer between the same two accounts: nothing is lost, nothing doubles, nobody deadlocks.

Seen to fail: with `posting.lock_accounts` taking its locks in another order than that of the ids, writers end with
errors of the database; with the rows read there without a lock, the balances are wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from ledger import operations, queries
from ledger.models import Transfer
from tests.ledger.conftest import legs, usd

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

PROCESSES = 8
TRANSFERS = 25


def _database_url() -> str:
    settings = connection.settings_dict
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    return f"postgres://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"


def test_eight_processes_on_two_accounts_lose_nothing_and_deadlock_nobody(postgres, world, alice, bob):
    operations.transfer(key="opening:bob", legs=legs(world, bob, usd("100.00")))
    command = [sys.executable, "-m", "tests.ledger.writer", str(alice.id), str(bob.id)]
    environment = os.environ | {"DATABASE_URL": _database_url(), "DJANGO_SETTINGS_MODULE": "finaegis.settings.test"}
    writers = [
        subprocess.Popen(
            [*command, str(number), str(TRANSFERS)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip

    ends = []
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        ends.append((writer.returncode, errors))

    assert ends == [(0, "")] * PROCESSES
    # Each process makes one more transfer in one direction; four do so in either. What is left are the shared ones.
    assert queries.get_account(alice.id).balance == usd(f"{100 - TRANSFERS}.00")
    assert queries.get_account(bob.id).balance == usd(f"{100 + TRANSFERS}.00")
    assert Transfer.objects.count() == 2 + (PROCESSES + 1) * TRANSFERS
    assert queries.verify() == []
