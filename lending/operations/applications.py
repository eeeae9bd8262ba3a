"""Taking applications in, and giving them up again."""

from __future__ import annotations

from dataclasses import fields, replace
from uuid import UUID

from django.db import IntegrityError, transaction

from lending import contracts, queries
from lending.contracts import (
    OPEN_APPLICATIONS,
    PRODUCT,
    ApplicationForm,
    ApplicationStatus,
    OfferStatus,
    Registered,
)
from lending.errors import ApplicationOpen, WrongStatus
from lending.models import Applicant, Application, Offer
from lending.operations.rows import locked_application
from lending.rules.applications import facts_of
from workflows import clock
from workflows import operations as engine
from workflows import queries as runs

#: The workflow that carries an application, by its registered name.
WORKFLOW = "lending.LoanApplication"


def submit_application(
    form: ApplicationForm,
    *,
    key: str | None = None,
    version: int | None = None,
    actor: engine.Actor = None,
    reason: str = "",
) -> contracts.Application:
    """Take an application in and start its run, together (`created`: by this call).

    The same key with the same form gives the application that exists. `version` starts an older form of the process.
    Raises what `engine.start_run` raises: KeyConflict, PermissionRefused, InvalidInput, and StartRefused with the code
    of what `queries.check_application` raises; also ApplicationOpen, where another application came a moment earlier.
    """
    given = {item.name: getattr(form, item.name) for item in fields(form)}
    with transaction.atomic():
        run = engine.start_run(WORKFLOW, key=key, version=version, actor=actor, reason=reason, **given)
        row = Application.objects.filter(run_id=run.id).first() or _insert(run.id, form, entered_by=run.actor)
    return replace(queries.get_application(row.id), created=run.created)


def register_application(form: ApplicationForm, *, run_id: UUID) -> Registered:
    """The application that the run carries; inserted unless it was taken in together with the run.

    Raises what `queries.check_application` raises.
    """
    with transaction.atomic():
        row = Application.objects.filter(run_id=run_id).first()
        if row is None:
            row = _insert(run_id, form, entered_by=runs.get_run(run_id).actor)
        return Registered(application_id=row.id, entered_by=row.entered_by)


def withdraw_application(*, application_id: UUID) -> None:
    """Close an application that is still open, and the offer it led to; one that was closed before stays as it is.

    Raises UnknownApplication, and WrongStatus for an accepted one: its loan stands.
    """
    with transaction.atomic():
        row = locked_application(application_id)
        if row.status == ApplicationStatus.ACCEPTED:
            raise WrongStatus("application", row.id, row.status)
        if not row.is_open:
            return
        _close(row, ApplicationStatus.WITHDRAWN, OfferStatus.WITHDRAWN)


def _insert(run_id: UUID, form: ApplicationForm, *, entered_by: str) -> Application:
    facts = facts_of(form)
    identity = queries.identity_of(form.ssn.reveal())
    now = clock.now()
    Applicant.objects.bulk_create([Applicant(identity=identity, known_since=now)], ignore_conflicts=True)
    applicant = Applicant.objects.select_for_update().get(identity=identity)
    _expire_offers(applicant)
    row = Application(
        run_id=run_id,
        applicant=applicant,
        product=PRODUCT,
        name=facts.applicant,
        email=form.email or "",
        currency=form.currency,
        income_minor=facts.income.to_minor(),
        amount_minor=facts.amount.to_minor(),
        term_months=facts.term_months,
        documents_json=Application.documents.dump(facts.documents),
        attributes_json=Application.attributes.dump(facts.attributes),
        entered_by=entered_by,
        submitted_at=now,
    )
    if Application.objects.filter(applicant=applicant, product=PRODUCT, status__in=OPEN_APPLICATIONS).exists():
        raise ApplicationOpen(PRODUCT)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise ApplicationOpen(PRODUCT) from None
    return row


def _expire_offers(applicant: Applicant) -> None:
    """An offer whose time is over no longer keeps its application open."""
    stale = Application.objects.select_for_update().filter(
        applicant=applicant, status=ApplicationStatus.APPROVED, offer__expires_at__lte=clock.now()
    )
    for row in stale:
        _close(row, ApplicationStatus.EXPIRED, OfferStatus.EXPIRED)


def _close(row: Application, status: ApplicationStatus, offer_status: OfferStatus) -> None:
    row.status = status
    row.closed_at = clock.now()
    row.save(update_fields=["status", "closed_at"])
    Offer.objects.filter(application=row, status=OfferStatus.OPEN).update(status=offer_status)
