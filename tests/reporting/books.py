"""Books with something in them, made by the domains' own operations and runs; and what tests ask of reports."""

import csv
import io
from datetime import timedelta

from django.core.files.storage import storages
from openpyxl import load_workbook
from pypdf import PdfReader

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger.contracts import Leg
from lending.workflows import LoanDisbursementWorkflow
from reporting import operations, queries
from reporting.contracts import ReportFormat, ReportKind
from reporting.models import Report
from tests.exchange import factories as exchange
from tests.lending.applying import Applicants, fund
from tests.treasury.factories import TreasuryAccountFactory
from tests.wallet import factories as wallet
from tests.wallet import flows
from treasury import operations as treasury_operations

DAY = timedelta(days=1)
KINDS = [str(kind) for kind in ReportKind]
FORMATS = [str(item) for item in ReportFormat]


def fill_treasury():
    """`Liquidity` with 1,000,000.00 USD, a tenth of it allocated, and `Reserve` with 5,000.00 EUR."""
    reserve = TreasuryAccountFactory(name="Reserve", currency="EUR", balance="5000.00")
    liquidity = TreasuryAccountFactory(name="Liquidity")
    treasury_operations.allocate(
        key="test:allocation", account_id=liquidity.id, strategy="balanced", amount=Money("100000.00", "USD")
    )
    return liquidity, reserve


def fill_lending(env):
    fund()
    applicants = Applicants()
    paid, waiting = applicants.lent(), applicants.lent()
    env.run(LoanDisbursementWorkflow, paid.id)
    return paid, waiting


def fill_activity(env):
    exchange.list_btc()
    ada, bob = exchange.open_account("ada"), exchange.open_account("bob")
    for price in ("30000", "30010"):
        exchange.submit(ada, "sell", "0.50", price)
        exchange.submit(bob, "buy", "0.50", price)
    exchange.settle_all()
    exchange.submit(ada, "sell", "0.25", "30020")
    exchange.submit(bob, "buy", "0.25", "30020")
    account = wallet.open_account()
    sent = flows.confirmed(env, account, wallet.add_destination(account))
    asked = flows.begin(env, account, wallet.add_destination(account), Money("50.00", "USD"))
    return flows.withdrawal_of(sent), flows.withdrawal_of(asked)


# --- Reports ---------------------------------------------------------------------------------------------------------


def order(kind="treasury_positions", format="csv", **options):
    """An order without an actor, whose run has not begun; gives the report."""
    return operations.order_report(kind=ReportKind(kind), format=ReportFormat(format), **options).report


def made(env, kind="treasury_positions", format="csv", **options):
    """A report whose run went to its end; gives it as it stands."""
    report = order(kind, format, **options)
    env.finish(report.run_id)
    return queries.get_report(report.id)


def stored():
    """The names of all files of all reports there are rows of."""
    kept = storages["reports"]
    names = []
    for report_id in Report.objects.values_list("id", flat=True):
        if kept.exists(str(report_id)):
            names += [f"{report_id}/{name}" for name in kept.listdir(str(report_id))[1]]
    return names


def content_of(report):
    """The bytes of a report's file."""
    with storages["reports"].open(report.file.name) as file:
        return file.read()


def csv_rows(report):
    """The rows of a CSV report, by column."""
    return list(csv.DictReader(io.StringIO(content_of(report).decode(), newline="")))


def workbook(report):
    return load_workbook(io.BytesIO(content_of(report)))


def sheet_rows(sheet):
    """The rows of a sheet below its head, by column."""
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def pdf_text(report):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content_of(report))).pages)


def ties(report):
    """What the report ties to the ledger: by label and currency, both sides as text."""
    return {
        (item.label, item.reported.currency): (item.reported.to_text(), item.ledger.to_text())
        for item in report.file.reconciliation
    }


def totals(report):
    """The totals by label and currency: amount and rows."""
    return {(item.label, item.amount.currency): (item.amount.to_text(), item.count) for item in report.file.totals}


# --- Money -----------------------------------------------------------------------------------------------------------


def allocate(account, amount):
    money = Money(amount, account.currency)
    treasury_operations.allocate(
        key=f"test:allocation:{amount}",
        account_id=account.id,
        strategy="balanced",
        amount=money,
    )


def pay_into(owner, money, kind="operating"):
    """Money from outside for an account of any owner."""
    outside = ledger.open_account(owner="external", kind="external", currency=money.currency, may_go_negative=True)
    account = ledger.open_account(owner=owner, kind=kind, currency=money.currency)
    ledger.transfer(key=f"test:{owner}:{money}", legs=[Leg(outside.id, -money), Leg(account.id, money)])
