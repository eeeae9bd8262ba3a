"""Letters to applicants: written once and kept, then handed to the mail system. Nothing here ever has an SSN."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from lending import conf, contracts, queries
from lending.contracts import SCORE_RANGE, ApplicationOverview, LetterKind, Verdict
from lending.errors import LetterRefused, NoOffer, NotInReview
from lending.models import Letter
from lending.operations.rows import locked_application
from lending.rules.notices import decline_reasons
from workflows import clock

_SUBJECTS = {
    LetterKind.OFFER: "Your loan is approved: our offer",
    LetterKind.DECLINE: "Notice of action taken on your application for credit",
}
#: Answers of a mail server from which on it says: never (RFC 5321, 4.2.1).
_PERMANENT = 500


def send_letter(*, application_id: UUID, kind: LetterKind) -> contracts.Letter:
    """Write the letter unless it was written, and send it unless it was sent; gives it as it stands now.

    After a crash between sending and noting that, it is sent again under the same Message-ID. Raises
    UnknownApplication, NoOffer, NotInReview (no officer declined), LetterRefused when the mail system says never, else
    what the mail system raises.
    """
    row = _written(application_id, kind)
    if row.sent_at is None:
        _send(row)
        row.sent_at = clock.now()
        row.save(update_fields=["sent_at"])
    return row.as_contract()


def _written(application_id: UUID, kind: LetterKind) -> Letter:
    with transaction.atomic():
        application = locked_application(application_id)
        row = Letter.objects.filter(application=application, kind=kind).first()
        if row is None:
            row = Letter.objects.create(
                application=application,
                kind=kind.value,
                recipient=application.email or conf.lending().letters_desk,
                subject=_SUBJECTS[kind],
                body=_body(queries.get_overview(application_id), kind),
                written_at=clock.now(),
            )
        return row


def _body(application: ApplicationOverview, kind: LetterKind) -> str:
    given: dict[str, Any] = {"application": application, "today": clock.now().date(), "settings": conf.lending()}
    if kind is LetterKind.OFFER:
        if application.offer is None:
            raise NoOffer
        given |= {"offer": application.offer, "terms": application.offer.terms}
    else:
        declined = [item for item in application.decisions if item.verdict is Verdict.DECLINE]
        if not declined:
            raise NotInReview("application", application.id, application.status)
        (decision,) = declined
        given |= {
            "decision": decision,
            "reasons": decline_reasons(decision.causes, decision.reasons),
            "range": SCORE_RANGE,
            "has_credit_file": application.checks.credit is not None and application.checks.credit.file_found,
        }
    return render_to_string(f"lending/letters/{kind}.txt", given)


def _send(row: Letter) -> None:
    sender = conf.lending().mail_from
    domain = sender.rpartition("@")[2].rstrip(">")
    mail = EmailMessage(
        subject=row.subject,
        body=row.body,
        from_email=sender,
        to=[row.recipient],
        headers={"Message-ID": f"<{row.application_id}.{row.kind}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        mail.send()
    except SMTPRecipientsRefused as refusal:
        if all(answer >= _PERMANENT for answer, _ in refusal.recipients.values()):
            raise LetterRefused("the mail server does not take mail for this applicant") from refusal
        raise
    except SMTPResponseException as refusal:
        if refusal.smtp_code >= _PERMANENT:
            raise LetterRefused(f"the mail server answered {refusal.smtp_code}") from refusal
        raise
