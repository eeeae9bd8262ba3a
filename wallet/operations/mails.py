"""E-mails to customers, as text and HTML. Each may be sent twice; two of one thing carry the same Message-ID."""

from __future__ import annotations

from collections.abc import Mapping
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from wallet import conf, links, queries
from wallet.contracts import CONFIRMABLE_STATUSES, Withdrawal
from wallet.errors import MailRefused
from wallet.models import ConfirmationToken
from wallet.rules.progress import amount_text, masked_address, progress_of
from workflows import clock

#: Answers of a mail server from which on it says: never (RFC 5321, 4.2.1).
_PERMANENT = 500


def send_confirmation(withdrawal_id: UUID) -> bool:
    """Send the confirmation link of the withdrawal's live token; False where none is waited for any more.

    Raises UnknownWithdrawal, MailRefused when the server says never, else what the mail system raises.
    """
    withdrawal = queries.get_withdrawal(withdrawal_id)
    token = ConfirmationToken.objects.filter(
        withdrawal_id=withdrawal_id, used_at__isnull=True, voided_at__isnull=True
    ).first()
    if token is None or withdrawal.status not in CONFIRMABLE_STATUSES:
        return False
    link = links.confirmation_link(queries.derive_token(token, withdrawal))
    _send(
        withdrawal,
        template="confirm",
        subject=f"Please confirm your withdrawal of {amount_text(withdrawal.amount)}",
        number=f"confirm.{token.serial}",
        context={"link": link, "deadline": withdrawal.deadline},
    )
    return True


def send_notice(withdrawal_id: UUID) -> None:
    """Tell the customer how the withdrawal stands now. Raises as `send_confirmation`."""
    withdrawal = queries.get_withdrawal(withdrawal_id)
    progress = progress_of(withdrawal, now=clock.now())
    _send(
        withdrawal,
        template="notice",
        subject=f"Your withdrawal of {amount_text(withdrawal.amount)}: {progress.headline.lower()}",
        number=str(withdrawal.status),
        context={"progress": progress},
    )


def _send(withdrawal: Withdrawal, *, template: str, subject: str, number: str, context: Mapping[str, Any]) -> None:
    sender = conf.wallet().mail_from
    given = {
        "withdrawal": withdrawal,
        "amount": amount_text(withdrawal.amount),
        "address": masked_address(withdrawal.destination.address),
        "status_link": links.status_link(withdrawal.id),
        **context,
    }
    domain = sender.rpartition("@")[2].rstrip(">")
    mail = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"wallet/mails/{template}.txt", given),
        from_email=sender,
        to=[withdrawal.customer.email],
        headers={"Message-ID": f"<{withdrawal.id}.{number}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_to_string(f"wallet/mails/{template}.html", given), "text/html")
    try:
        mail.send()
    except SMTPRecipientsRefused as refusal:
        if all(answer >= _PERMANENT for answer, _ in refusal.recipients.values()):
            raise MailRefused("the mail server does not take mail for this customer") from refusal
        raise
    except SMTPResponseException as refusal:
        if refusal.smtp_code >= _PERMANENT:
            raise MailRefused(f"the mail server answered {refusal.smtp_code}") from refusal
        raise
