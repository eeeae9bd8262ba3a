"""A report is read at one moment: what others write meanwhile is in it whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.utils import InternalError

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from reporting import operations
from reporting.contracts import ReportFormat, ReportKind
from reporting.queries import sources
from tests.reporting import books
from tests.treasury.factories import TreasuryAccountFactory
from treasury import operations as treasury_operations

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs Postgres: set DATABASE_URL"),
]


def meanwhile(act):
    """Somebody else does this, in a connection of their own, and is done."""

    def alone():
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(alone).result(timeout=30)


@pytest.fixture
def account():
    return TreasuryAccountFactory(name="Liquidity")


def make(report, progress=lambda stage, done: None):
    return operations.generate_report(
        report_id=report.id, kind=report.kind, format=report.format, business_date=report.business_date, attempt=1,
        progress=progress,
    )  # fmt: skip


@pytest.fixture
def report(account):
    return operations.order_report(kind=ReportKind.TREASURY_POSITIONS, format=ReportFormat.CSV).report


def test_an_allocation_between_two_reads_is_not_in_the_report(account, report, monkeypatch) -> None:
    """The trial balance is read before the accounts; the writer commits between the two."""
    read = ledger_queries.read_trial_balance

    def read_and_write(**options):
        lines = read(**options)
        meanwhile(
            lambda: treasury_operations.allocate(
                key="meanwhile", account_id=account.id, strategy="balanced", amount=Money("100000.00", "USD")
            )
        )
        return lines

    monkeypatch.setattr(sources.ledger, "read_trial_balance", read_and_write)

    file = make(report)

    assert file.ties
    assert file.as_of.transfers == 1
    assert ledger_queries.read_position().transfers == 2
    operating = [item.amount.to_text() for item in file.totals if item.label == "operating"]
    assert operating == ["1000000.00"]


def test_an_account_that_is_opened_meanwhile_is_not_in_the_report(account, report, monkeypatch) -> None:
    read = ledger_queries.read_position

    def read_and_open():
        position = read()
        meanwhile(lambda: TreasuryAccountFactory(name="Late"))
        return position

    monkeypatch.setattr(sources.ledger, "read_position", read_and_open)

    file = make(report)

    assert (file.rows, file.as_of.transfers) == (4, 1)
    assert file.ties


def test_many_writers_do_not_make_a_report_differ(account, report) -> None:
    """Money goes back and forth between two treasury accounts while reports are made: each of them ties."""
    other = TreasuryAccountFactory(name="Other")
    first, second = (
        ledger_queries.find_account(owner=f"treasury:{item.id}", kind="operating", currency="USD")
        for item in (account, other)
    )
    over = []

    def write(number):
        try:
            count = 0
            while not over:
                count += 1
                one, two = (first, second) if count % 2 else (second, first)
                money = Money("7.00", "USD")
                ledger.transfer(key=f"{number}:{count}", legs=[Leg(one.id, -money), Leg(two.id, money)])
            return count
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, number) for number in range(3)]
        try:
            files = [make(report) for _ in range(8)]
        finally:
            over.append(True)
        written = sum(writer.result(timeout=30) for writer in writers)

    assert all(file.ties for file in files)
    assert written > len(writers)
    assert {item.amount.to_text() for file in files for item in file.totals if item.label == "all positions"} == {
        "2000000.00"
    }
    positions = [file.as_of.transfers for file in files]
    assert positions == sorted(positions)
    assert positions[-1] > positions[0]  # they wrote while reports were read


def test_nothing_can_be_written_inside_the_snapshot(account) -> None:
    with pytest.raises(InternalError, match="read-only"), ledger_queries.snapshot():
        books.pay_into("treasury:nobody", Money("1.00", "USD"))


def test_the_making_is_heard_of_outside_the_snapshot(account, report) -> None:
    """A heartbeat writes: inside a read-only transaction it would end the report."""
    inside = []

    make(report, progress=lambda stage, done: inside.append(connection.in_atomic_block))

    assert inside
    assert not any(inside)
