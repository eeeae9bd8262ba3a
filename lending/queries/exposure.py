"""What one applicant owes or may come to owe."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from lending.contracts import LoanStatus, OfferStatus
from lending.models import Loan, Offer
from lending.rules.currencies import in_eur
from workflows import clock


def exposure_in_eur(applicant_id: UUID) -> Decimal:
    """The principal of the applicant's loans and of offers that still stand, in EUR.

    A loan that was not paid out before its offer expired never will be, and counts no more.

    Ask it under the applicant's lock, else two answers may both leave room for what only one may take.
    """
    now = clock.now()
    counted = Q(status=LoanStatus.ACTIVE) | Q(offer__expires_at__gt=now)
    loans = [loan.principal for loan in Loan.objects.filter(counted, applicant_id=applicant_id)]
    standing = Offer.objects.filter(application__applicant_id=applicant_id, status=OfferStatus.OPEN, expires_at__gt=now)
    return sum((in_eur(amount) for amount in (*loans, *(offer.principal for offer in standing))), Decimal(0))
