"""What stands below the facts of an application and of a loan, as rows of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from lending.contracts import (
    CODES,
    ApplicationOverview,
    BureauReport,
    DocumentCheck,
    FraudCheck,
    LoanOverview,
    Terms,
)
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import run_link, shown

Rows = list[tuple[str, str]]


def application_context(application: ApplicationOverview) -> dict[str, Any]:
    """Checks, score, decisions, offer and letters of an application."""
    checks, score, offer = application.checks, application.score, application.offer
    return {
        "overview": application,
        "stated": list(_stated(application)),
        "documents": application.facts.documents,
        "checks": [
            ("Credit bureau", list(_credit(checks.credit))),
            ("Fraud", list(_fraud(checks.fraud))),
            ("Documents", list(_documents(checks.documents))),
        ],
        "causes": [cause.replace("_", " ") for cause in application.causes],
        "score": score,
        "decisions": [
            {
                "at": moment(item.decided_at),
                "verdict": item.verdict.value,
                "actor": item.actor,
                "reason": item.reason or ABSENT,
                "version": item.policy_version,
            }
            for item in application.decisions
        ],
        "offer": None
        if offer is None
        else {"status": offer.status.value, "until": moment(offer.expires_at), "terms": list(_terms(offer.terms))},
        "loan_url": None
        if application.loan_id is None
        else reverse("admin:lending_loan_change", args=[application.loan_id]),
        "letters": [
            {"subject": item.subject, "to": item.recipient, "sent": moment(item.sent_at)}
            for item in application.letters
        ],
    }


def loan_context(loan: LoanOverview) -> dict[str, Any]:
    """Terms, schedule, payouts and receivables of a loan."""
    return {
        "terms": list(_terms(loan.terms)),
        "binding": bool(loan.schedule),
        "schedule": [
            {
                "number": entry.number,
                "due": entry.due_on.isoformat(),
                "amounts": [shown(item) for item in (entry.instalment, entry.interest, entry.principal, entry.balance)],
            }
            for entry in loan.schedule
        ],
        "disbursements": [
            {
                "url": reverse("admin:lending_disbursement_change", args=[item.id]),
                "at": moment(item.created_at),
                "amount": shown(item.amount),
                "status": item.status.value,
                "run": run_link(item.run_id, short=True),
            }
            for item in loan.disbursements
        ],
        "receivables": [
            {
                "url": reverse("admin:lending_receivablecase_change", args=[item.id]),
                "at": moment(item.opened_at),
                "owed": shown(item.amount),
                "recovered": shown(item.recovered),
                "status": item.status.value,
            }
            for item in loan.receivables
        ],
    }


def _stated(application: ApplicationOverview) -> Iterator[tuple[str, str]]:
    for name, value in application.facts.attributes.model_dump(exclude_none=True).items():
        yield _words(name), _meaning(name, value)


def _credit(report: BureauReport | None) -> Iterator[tuple[str, str]]:
    if report is None:
        return
    yield "file", "found" if report.file_found else "none"
    for name in ("checking_account", "credit_history", "savings", "other_instalment_plans", "existing_credits"):
        value = getattr(report, name)
        if value is not None:
            yield _words(name), _meaning(name, value)
    yield "reference", report.reference


def _fraud(check: FraudCheck | None) -> Iterator[tuple[str, str]]:
    if check is None:
        return
    yield "hit", "yes" if check.hit else "no"
    if check.signals:
        yield "signals", ", ".join(_words(signal) for signal in check.signals)
    yield "reference", check.reference


def _documents(check: DocumentCheck | None) -> Iterator[tuple[str, str]]:
    if check is None:
        return
    yield "status", check.status.value
    for finding in check.findings:
        yield finding.reference, _words(finding.code)
    if check.reference:
        yield "reference", check.reference


def _terms(terms: Terms) -> Iterator[tuple[str, str]]:
    yield "principal", shown(terms.principal)
    yield "rate", f"{terms.annual_rate} % a year"
    yield "APR", f"{terms.apr} %"
    yield "term", f"{terms.term_months} months"
    yield "instalment", shown(terms.instalment)
    yield "prepaid fees", shown(terms.prepaid_fees)
    yield "amount financed", shown(terms.amount_financed)
    yield "total interest", shown(terms.total_interest)
    yield "total of payments", shown(terms.total_of_payments)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _meaning(name: str, value: object) -> str:
    """A code in words, with the code; a number as it is."""
    word = CODES.get(name, {}).get(str(value))
    return str(value) if word is None else f"{_words(word)} ({value})"
