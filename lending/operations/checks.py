"""The three checks of an application. Each third party is asked under one key and its finding kept, once.

Calls stand outside any transaction: no lock waits for a third party.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from lending import queries
from lending.contracts import (
    BureauReport,
    CheckKind,
    DocumentCheck,
    DocumentStatus,
    FraudCheck,
    Subject,
)
from lending.models import Check
from lending.ports import chosen
from lending.rules.identity import normalise_ssn
from workflows import Sensitive, clock

Finding = TypeVar("Finding", BureauReport, FraudCheck, DocumentCheck)


def pull_credit(*, application_id: UUID, ssn: Sensitive[str]) -> BureauReport:
    """The applicant's credit file, pulled once for the application however often this is called.

    Raises UnknownApplication, InvalidSsn, and the errors of `finaegis.shared.third_party`.
    """
    application = queries.get_application(application_id)

    def ask(key: str) -> BureauReport:
        return chosen.credit_bureau().pull(key=key, subject=_subject(application.facts.applicant, ssn))

    return _once(application_id, CheckKind.CREDIT, BureauReport, ask)


def screen_fraud(*, application_id: UUID, ssn: Sensitive[str]) -> FraudCheck:
    """Whether there are signs of fraud. Raises as `pull_credit`."""
    application = queries.get_application(application_id)

    def ask(key: str) -> FraudCheck:
        return chosen.fraud_scoring().screen(
            key=key, subject=_subject(application.facts.applicant, ssn), amount=application.facts.amount
        )

    return _once(application_id, CheckKind.FRAUD, FraudCheck, ask)


def verify_documents(*, application_id: UUID) -> DocumentCheck:
    """Whether the documents are genuine; without any the application is incomplete and nobody is asked.

    Raises UnknownApplication, and the errors of `finaegis.shared.third_party`.
    """
    facts = queries.get_application(application_id).facts

    def ask(key: str) -> DocumentCheck:
        if not facts.documents:
            return DocumentCheck(status=DocumentStatus.INCOMPLETE)
        return chosen.document_verification().verify(key=key, applicant=facts.applicant, documents=facts.documents)

    return _once(application_id, CheckKind.DOCUMENTS, DocumentCheck, ask)


def _subject(name: str, ssn: Sensitive[str]) -> Subject:
    return Subject(name=name, ssn=Sensitive(normalise_ssn(ssn.reveal())))


def _once(application_id: UUID, kind: CheckKind, form: type[Finding], ask: Callable[[str], Finding]) -> Finding:
    """The finding on record, or what the third party says now. Two who ask at once ask under the same key."""
    adapter: TypeAdapter[Finding] = TypeAdapter(form)
    known = Check.objects.filter(application_id=application_id, kind=kind).first()
    if known is None:
        found = ask(f"lending:{application_id}/{kind}")
        row = Check(
            application_id=application_id,
            kind=kind.value,
            finding_json=adapter.dump_json(found).decode(),
            made_at=clock.now(),
        )
        Check.objects.bulk_create([row], ignore_conflicts=True)
        known = Check.objects.get(application_id=application_id, kind=kind)
    return adapter.validate_json(known.finding_json)
