"""The loan book: every loan with its terms, what was paid out, and what its binding schedule leaves of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from finaegis.shared.money import Money
from reporting.contracts import (
    BalanceLine,
    Cell,
    Chart,
    Content,
    DueInstalment,
    LoanPosition,
    Series,
    Table,
    Tie,
    Total,
)
from reporting.rules.trial_balance import balance_ties, currencies_of, sum_of, trial_balance_of

_LENDING, _BORROWER = "lending", "borrower"
_COLUMNS = (
    "borrower", "loan id", "status", "currency", "principal", "paid out", "in transit", "scheduled balance",
    "receivable", "rate % a year", "APR %", "months", "paid out on", "next due on", "next instalment",
)  # fmt: skip


def compose(loans: Sequence[LoanPosition], ledger: Sequence[BalanceLine], *, business_date: date) -> Content:
    """The report; what is paid out, in transit and receivable ties to the ledger's accounts of lending."""
    rows = [_row(loan, business_date) for loan in loans]
    currencies = sorted({loan.principal.currency for loan in loans} | currencies_of(ledger, group=_LENDING))
    return Content(
        title="Loan book",
        table=Table(title="Loans", columns=_COLUMNS, rows=rows),
        totals=tuple(total for currency in currencies for total in _totals(loans, currency, business_date)),
        ties=(*(tie for currency in currencies for tie in _ties(loans, ledger, currency)), *balance_ties(ledger)),
        charts=tuple(_ladder(loans, currency, business_date) for currency in currencies),
        trial_balance=trial_balance_of(ledger),
        notes=(
            "Status, terms and schedule are those of the moment of reading; money is that of the business day.",
            "The scheduled balance is what the binding schedule leaves after the instalments due by then.",
        ),
    )


def scheduled_balance(loan: LoanPosition, on: date) -> Money:
    """The principal that the binding schedule leaves after what is due up to a day; zero before the payout."""
    if not loan.schedule or not loan.paid_out:
        return Money.zero(loan.principal.currency)
    due = [entry for entry in loan.schedule if entry.due_on <= on]
    return due[-1].balance if due else loan.schedule[0].balance + loan.schedule[0].principal


def _row(loan: LoanPosition, on: date) -> tuple[Cell, ...]:
    following = next(_ahead(loan, on), None)
    return (
        loan.borrower,
        str(loan.loan_id),
        loan.status,
        loan.principal.currency,
        loan.principal,
        loan.paid_out,
        loan.in_transit,
        scheduled_balance(loan, on),
        loan.receivable,
        loan.annual_rate,
        loan.apr,
        loan.term_months,
        loan.disbursed_on,
        None if following is None else following.due_on,
        None if following is None else following.instalment,
    )


def _ahead(loan: LoanPosition, on: date) -> Iterator[DueInstalment]:
    return (entry for entry in loan.schedule if loan.paid_out and entry.due_on > on)


def _totals(loans: Sequence[LoanPosition], currency: str, on: date) -> Iterator[Total]:
    own = [loan for loan in loans if loan.principal.currency == currency]
    amounts = {
        "principal": [loan.principal for loan in own],
        "paid out": [loan.paid_out for loan in own if loan.paid_out],
        "in transit": [loan.in_transit for loan in own if loan.in_transit],
        "scheduled balance": [left for loan in own if (left := scheduled_balance(loan, on))],
        "receivable": [loan.receivable for loan in own if loan.receivable],
    }
    for label, found in amounts.items():
        yield Total(label=label, amount=Money.total(found, currency), count=len(found))


def _ties(loans: Sequence[LoanPosition], ledger: Sequence[BalanceLine], currency: str) -> Iterator[Tie]:
    own = [loan for loan in loans if loan.principal.currency == currency]
    transit = [line for line in ledger if line.group == _LENDING and line.kind == "in_transit"]
    # The report's side is what was captured less what was paid out, so a payout that is counted wrongly shows here.
    yield Tie(
        label="lending, in transit (captured less paid out)",
        reported=Money.total((loan.in_transit for loan in own), currency),
        ledger=sum_of(transit, currency, group=_LENDING),
    )
    owed = Money.total((loan.receivable for loan in own), currency)
    yield Tie(
        label="lending, receivable", reported=owed, ledger=sum_of(ledger, currency, group=_LENDING, kind="receivable")
    )
    yield Tie(label="borrowers, debt", reported=-owed, ledger=sum_of(ledger, currency, group=_BORROWER, kind="debt"))


def _ladder(loans: Sequence[LoanPosition], currency: str, on: date) -> Chart:
    """Principal that falls due, by year."""
    by: dict[int, Decimal] = defaultdict(Decimal)
    for loan in loans:
        if loan.principal.currency == currency:
            for entry in _ahead(loan, on):
                by[entry.due_on.year] += entry.principal.amount
    years = range(min(by), max(by) + 1) if by else range(on.year, on.year + 1)
    return Chart(
        title=f"Principal that falls due, {currency}",
        categories=tuple(str(year) for year in years),
        series=(Series(name=currency, values=tuple(by.get(year, Decimal(0)) for year in years)),),
    )
