"""The page for frontend developers names every code that REST answers with, and the status it comes with."""

import json
import re
from pathlib import Path

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework import exceptions

import exchange.errors
import lending.errors
import reporting.errors
import treasury.errors
import wallet.errors
import workflows.api.errors
import workflows.core.errors
from finaegis import api_errors
from finaegis.shared import currencies, money
from tests.api.test_schema import routes

PAGE = (Path(api_errors.__file__).parent.parent / "docs" / "rest.md").read_text()
#: Of no refusal at a door: of steps and operations alone.
INSIDE = {
    "treasury_refused", "allocation_invalid", "undone_key_missing", "infeasible", "solver_failed", "invalid_money",
    "invalid_allocation", "invalid_asset", "unknown_message", "update_refused", "lending_refused", "invalid_schedule",
    "invalid_credit_file", "funds_missing", "payment_not_carried", "payment_unaccounted", "case_closed",
    "decision_unproven", "letter_refused", "wallet_refused", "unexpected_status", "sanctions_hit", "not_due",
    "not_accepted", "mail_refused", "rail_refused", "inquiry_refused", "not_recalled",
    "exchange_refused", "reporting_refused", "run_missing", "not_by_run", "invalid_instrument",
}  # fmt: skip
#: Told otherwise by their own doors: what a path names and is not there is 404, and who may not decide is 403.
BY_ITS_DOOR = {
    "unknown_application", "unknown_loan", "unknown_disbursement", "unknown_withdrawal", "unknown_case", "same_officer",
    "unknown_report", "source_forbidden",
    "unknown_order", "unknown_trade", "unknown_instrument",
}  # fmt: skip
REFUSALS = (
    workflows.core.errors.Refused, treasury.errors.TreasuryError, money.MoneyError, lending.errors.LendingError,
    wallet.errors.WalletError, exchange.errors.ExchangeError,
    reporting.errors.ReportingError,
)  # fmt: skip
OTHERS = [
    exceptions.NotAuthenticated(), exceptions.AuthenticationFailed(), exceptions.PermissionDenied(),
    exceptions.NotFound(), exceptions.MethodNotAllowed("PUT"), exceptions.NotAcceptable(),
    exceptions.UnsupportedMediaType("x"), exceptions.Throttled(1), SuspiciousOperation(), RequestDataTooBig(),
    OperationalError(), KeyError(),
]  # fmt: skip


def documented():
    """Code -> status, as the page's table has them."""
    return {code: int(status) for code, status in re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", PAGE, re.MULTILINE)}


def answered():
    """(code, status) of every error that a door may answer with."""
    found = {told(error) for error in OTHERS}
    domains = (treasury.errors, lending.errors, exchange.errors, wallet.errors, reporting.errors)
    for module in (workflows.core.errors, workflows.api.errors, *domains, money, currencies):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, REFUSALS) and kind.code not in INSIDE | BY_ITS_DOOR:
                found.add(told(kind.__new__(kind)))
    return found | {told(treasury.errors.ConcurrencyConflict.__new__(treasury.errors.ConcurrencyConflict))}


def told(error):
    response = api_errors.problem_response(error, {})
    return response.data["code"], response.status_code


def test_every_code_is_on_the_page_with_its_status():
    page = documented()

    assert {code: page.get(code) for code, _ in answered()} == dict(answered())


@pytest.mark.parametrize("path", sorted({path for path, _ in routes()}))
def test_every_path_is_on_the_page(path):
    words = re.sub(r"\{(?!kind\})\w+\}", "{id}", path.removeprefix("/api/v1/"))
    run_part = re.fullmatch(r"runs/\{id\}/([a-z-]+)/", words)

    assert words in PAGE or (run_part and run_part[1] in PAGE)


def test_the_problem_that_the_page_shows_is_one_that_is_answered(operator):
    (shown,) = (
        json.loads(example) for example in re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S) if "urn:" in example
    )

    assert operator.post("/api/v1/runs/", {}).json() == shown
