"""What the reports say: of loans, of a day, of a day that is over; and what ties to the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from tests.reporting import books
from tests.wallet import factories as wallet
from tests.wallet import flows
from wallet import operations as wallet_operations

pytestmark = pytest.mark.django_db


def test_the_loan_book_tells_terms_payout_and_schedule(env, loans) -> None:
    paid, waiting = loans

    rows = {row["loan id"]: row for row in books.csv_rows(books.made(env, "loan_book"))}

    told = ("status", "paid out", "scheduled balance", "next due on")
    assert [rows[str(paid.id)][name] for name in told] == ["active", "2096.00", "2096.00", "2026-02-05"]
    assert [rows[str(waiting.id)][name] for name in told] == ["accepted", "0.00", "0.00", ""]


def test_the_day_tells_what_was_traded_and_withdrawn(env, activity) -> None:
    report = books.made(env, "daily_activity")

    assert sorted((row["entry"], row["event"], row["amount"]) for row in books.csv_rows(report)) == [
        ("trade", "matched", "7505.00"),
        ("trade", "settled", "15000.00"),
        ("trade", "settled", "15005.00"),
        ("withdrawal", "handed to the rail", "100.00"),
        ("withdrawal", "requested", "50.00"),
    ]
    assert books.ties(report)["exchange, fees", "USD"] == ("90.01", "90.01")
    assert books.ties(report)["wallet, into transit", "USD"] == ("100.00", "100.00")


def test_a_withdrawal_that_settles_and_comes_back_is_told_on_each_of_its_days(env) -> None:
    account = wallet.open_account()
    run = flows.confirmed(env, account, wallet.add_destination(account))
    first = env.now.date()
    env.finish(run.id)
    wallet_operations.record_return(
        key="return:1", withdrawal_id=flows.withdrawal_of(run).id, reason="closed account", actor="os:olga"
    )
    last = env.now.date()

    told = {day: books.made(env, "daily_activity", business_date=day) for day in (first, last)}

    assert [row["event"] for row in books.csv_rows(told[first])] == ["handed to the rail"]
    assert {row["event"] for row in books.csv_rows(told[last])} == {"settled", "returned by the rail"}
    assert all(report.file.ties for report in told.values())
    assert books.ties(told[last])["wallet, out of transit", "USD"] == ("100.00", "100.00")


def test_totals_add_up_by_currency(env, treasury) -> None:
    totals = books.totals(books.made(env))

    assert totals["all positions", "USD"] == ("1000000.00", 4)
    assert totals["all positions", "EUR"] == ("5000.00", 4)
    assert sum(Decimal(amount) for (label, code), (amount, _) in totals.items() if code == "USD") == 2 * 1000000


def test_a_day_that_is_over_is_told_as_it_stood(env, treasury) -> None:
    liquidity, _ = treasury
    then = env.now.date()
    env.skip(books.DAY)
    books.allocate(liquidity, "50000.00")

    old, new = books.made(env, business_date=then), books.made(env)

    assert books.totals(old)["operating", "USD"] == ("900000.00", 1)
    assert books.totals(new)["operating", "USD"] == ("850000.00", 1)
    assert {row["held"] for row in books.csv_rows(old)} == {""}
    assert {row["held"] for row in books.csv_rows(new)} == {"0.00"}


def test_a_ledger_account_that_no_treasury_account_knows_does_not_tie(env, treasury) -> None:
    """An orphan's money would be missing from the report: it is told, not hidden."""
    books.pay_into("treasury:nobody", Money("3.00", "USD"))

    report = books.made(env, "treasury_positions", "pdf")

    assert not report.file.ties
    assert books.ties(report)["treasury, operating", "USD"] == ("900000.00", "900003.00")
    assert "DIFFERS" in books.pdf_text(report)
