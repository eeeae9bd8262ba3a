"""Offers, and the loans that come of them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.db import transaction

from lending import contracts
from lending.contracts import (
    CURRENT,
    OFFER_TIME,
    ApplicationStatus,
    OfferStatus,
    Score,
)
from lending.errors import NoOffer, OfferExpired, WrongStatus
from lending.models import Application, Loan, Offer
from lending.operations.rows import borrower_account, locked_application
from lending.rules import terms
from workflows import clock


def make_offer(row: Application, score: Score) -> Offer:
    """Approve the application, whose lock the caller holds, with an offer at the rate of its risk."""
    offered = terms.terms_for(score=score.score, principal=row.amount, term_months=row.term_months)
    now = clock.now()
    offer = Offer.objects.create(
        application=row,
        currency=row.currency,
        principal_minor=offered.principal.to_minor(),
        terms_json=Offer.terms.dump(offered),
        offered_at=now,
        expires_at=now + OFFER_TIME,
    )
    row.status = ApplicationStatus.APPROVED
    row.save(update_fields=["status"])
    return offer


def accept_offer(*, application_id: UUID, accepted_by: str) -> contracts.Loan:
    """The applicant takes the offer: the application closes and its loan waits for its money (`created`: by this call).

    Accepting again gives the same loan. Raises UnknownApplication, NoOffer, WrongStatus, OfferExpired.
    """
    with transaction.atomic():
        row = locked_application(application_id)
        offer = Offer.objects.select_for_update().filter(application=row).first()
        if offer is None:
            raise NoOffer
        if offer.status == OfferStatus.ACCEPTED:
            return Loan.objects.select_related("offer").get(offer=offer).as_contract()
        now = clock.now()
        if offer.status == OfferStatus.EXPIRED or offer.expires_at <= now:
            raise OfferExpired(offer.id, offer.expires_at)
        if offer.status != OfferStatus.OPEN or row.status != ApplicationStatus.APPROVED:
            raise WrongStatus("offer", offer.id, offer.status)
        offer.status, offer.accepted_at = OfferStatus.ACCEPTED, now
        offer.save(update_fields=["status", "accepted_at"])
        row.status, row.closed_at = ApplicationStatus.ACCEPTED, now
        row.save(update_fields=["status", "closed_at"])
        loan = Loan.objects.create(
            offer=offer,
            applicant_id=row.applicant_id,
            borrower=row.name,
            currency=offer.currency,
            principal_minor=offer.principal_minor,
            terms_json=offer.terms_json,
            accepted_at=now,
            accepted_by=accepted_by,
        )
        borrower_account(loan, CURRENT)
        return replace(loan.as_contract(), created=True)
