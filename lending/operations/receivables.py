"""Cases of money that was spent before it was called back."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from lending import contracts
from lending.contracts import CaseStatus
from lending.errors import CaseClosed, UnknownCase
from lending.models import ReceivableCase
from lending.operations.rows import checked_reason, officer_name
from workflows import clock
from workflows import operations as engine


def close_case(case_id: UUID, *, reason: str, actor: engine.Actor) -> contracts.ReceivableCase:
    """Close a case with the officer's conclusion; what is paid or written off moves in the ledger, not here.

    Raises UnknownCase, CaseClosed, ReasonMissing, OfficerUnknown.
    """
    officer, why = officer_name(actor), checked_reason(reason)
    with transaction.atomic():
        rows = ReceivableCase.objects.select_for_update(of=("self",)).select_related("disbursement")
        row = rows.filter(pk=case_id).first()
        if row is None:
            raise UnknownCase(case_id)
        if row.status == CaseStatus.CLOSED:
            raise CaseClosed
        row.status, row.closed_at, row.closed_by, row.reason = CaseStatus.CLOSED, clock.now(), officer, why
        row.save(update_fields=["status", "closed_at", "closed_by", "reason"])
        return row.as_contract()
