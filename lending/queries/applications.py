"""Applications as they stand, and whether one may be handed in."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac
from pydantic import TypeAdapter

from lending import contracts
from lending.contracts import (
    OPEN_APPLICATIONS,
    PRODUCT,
    ApplicationForm,
    ApplicationStatus,
    BureauReport,
    CheckKind,
    Checks,
    DocumentCheck,
    FraudCheck,
    OfferStatus,
)
from lending.errors import ApplicationOpen, UnknownApplication
from lending.models import Application, Assessment, Check, Offer
from lending.rules.applications import facts_of
from lending.rules.identity import normalise_ssn
from workflows import clock

Place = tuple[datetime, UUID]

_SALT = "lending.applicant"
_FINDINGS: dict[str, TypeAdapter[Any]] = {
    CheckKind.CREDIT: TypeAdapter(BureauReport),
    CheckKind.FRAUD: TypeAdapter(FraudCheck),
    CheckKind.DOCUMENTS: TypeAdapter(DocumentCheck),
}


def identity_of(ssn: str) -> str:
    """The keyed hash of an SSN, hex: the same person is told without keeping the number. Raises InvalidSsn.

    Its key is derived from the installation's own, which is in no database: nine digits without a key would be found by
    trying all of them.
    """
    secret = settings.WORKFLOWS["HISTORY_KEY"]
    return salted_hmac(_SALT, normalise_ssn(ssn), secret=secret, algorithm="sha256").hexdigest()


def check_application(form: ApplicationForm) -> None:
    """Refuse what could not be taken now; taking it judges again, under the applicant's lock.

    Raises InvalidApplication, InvalidSsn, CurrencyNotLent, AmountNotPositive, InvalidTerm, ApplicationOpen.
    """
    facts_of(form)
    still_open = Application.objects.filter(
        applicant__identity=identity_of(form.ssn.reveal()), product=PRODUCT, status__in=OPEN_APPLICATIONS
    )
    stale = Q(status=ApplicationStatus.APPROVED, offer__expires_at__lte=clock.now())
    if still_open.exclude(stale).exists():
        raise ApplicationOpen(PRODUCT)


def get_application(application_id: UUID) -> contracts.Application:
    """The application as it stands; raises UnknownApplication."""
    return _contract(_row(application_id))


def find_by_run(run_id: UUID) -> contracts.Application | None:
    """The application that a run carries, if there is one yet."""
    row = _rows().filter(run_id=run_id).first()
    return None if row is None else _contract(row)


def page_applications(
    *, limit: int, status: str | None = None, after: Place | None = None
) -> tuple[list[contracts.Application], Place | None]:
    """Applications, newest first, and where the next page begins (None after the last)."""
    rows = _rows()
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        submitted_at, application_id = after
        rows = rows.filter(Q(submitted_at__lt=submitted_at) | Q(submitted_at=submitted_at, id__lt=application_id))
    found = list(rows.order_by("-submitted_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].submitted_at, page[-1].id) if len(found) > limit else None
    return [_contract(row) for row in page], following


def get_checks(application_id: UUID) -> Checks:
    """What the checks found; None for one that was not made, or could not be."""
    rows = Check.objects.filter(application_id=application_id)
    found = {row.kind: _FINDINGS[row.kind].validate_json(row.finding_json) for row in rows}
    return Checks(**{kind.value: found.get(kind) for kind in CheckKind})


def get_overview(application_id: UUID) -> contracts.ApplicationOverview:
    """The application with its checks, score, decisions, offer and letters; raises UnknownApplication."""
    row = _row(application_id)
    stands = _contract(row)
    assessment, offer = _assessment(row), _offer(row)
    return contracts.ApplicationOverview(
        **{field.name: getattr(stands, field.name) for field in fields(stands)},
        score=None if assessment is None else assessment.score,
        checks=get_checks(application_id),
        decisions=tuple(item.as_contract() for item in row.decisions.order_by("decided_at", "id")),
        offer=None if offer is None else offer.as_contract(),
        letters=tuple(item.as_contract() for item in row.letters.order_by("written_at", "id")),
    )


def _rows() -> QuerySet[Application]:
    return Application.objects.select_related("assessment", "offer__loan")


def _row(application_id: UUID) -> Application:
    row = _rows().filter(pk=application_id).first()
    if row is None:
        raise UnknownApplication(application_id)
    return row


def _assessment(row: Application) -> Assessment | None:
    found: Assessment | None = getattr(row, "assessment", None)
    return found


def _offer(row: Application) -> Offer | None:
    found: Offer | None = getattr(row, "offer", None)
    return found


def _contract(row: Application) -> contracts.Application:
    assessment, offer = _assessment(row), _offer(row)
    loan = getattr(offer, "loan", None) if offer is not None and offer.status == OfferStatus.ACCEPTED else None
    return contracts.Application(
        id=row.id,
        run_id=row.run_id,
        status=ApplicationStatus(row.status),
        facts=row.facts,
        entered_by=row.entered_by,
        submitted_at=row.submitted_at,
        email=row.email or None,
        risk_score=None if assessment is None else assessment.risk_score,
        causes=() if assessment is None else assessment.causes,
        review_deadline=row.review_deadline,
        closed_at=row.closed_at,
        loan_id=None if loan is None else loan.id,
    )
