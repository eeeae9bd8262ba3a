"""Pages for customers, reached by the links in their e-mails: confirm a withdrawal, see how it stands, call it off.

Nobody logs in: the address itself is the key, so it is told to no other site, kept in no cache and in no search index.
A GET only shows; a mail scanner that follows links confirms nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wallet import links, operations, queries
from wallet.contracts import CANCELLABLE_STATUSES, CONFIRMABLE_STATUSES, TokenState, Withdrawal
from wallet.errors import (
    ConfirmationExpired,
    NotAwaitingConfirmation,
    NotCancellable,
    ResentTooOften,
    TokenUnknown,
    TokenUsed,
    TokenVoid,
    UnknownWithdrawal,
    WalletError,
)
from wallet.rules.progress import amount_text, masked_address, masked_email, progress_of
from workflows import clock

View = Callable[..., HttpResponse]

#: What a status page says after a button was pressed, by the name in its address. No text comes out of the address.
_NOTES = {
    "confirmed": "Thank you. You confirmed this withdrawal.",
    "cancelled": "The withdrawal is cancelled.",
    "resent": "A new link is on its way. The one before it no longer works.",
    "already": "You confirmed this withdrawal before; nothing was done twice.",
    NotCancellable.code: "It can no longer be cancelled.",
    NotAwaitingConfirmation.code: "It does not wait for a confirmation any more.",
    ConfirmationExpired.code: "The time to confirm is over.",
    ResentTooOften.code: "The link was sent several times already. Look into your junk mail, or ask our support.",
}


def _private(view: View) -> View:
    """For pages whose address is a secret.

    They take posts without Django's CSRF token: no cookie of the browser gives any right here, only the address does,
    and under `no-referrer` a browser names no origin that could be checked.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return csrf_exempt(answer)


@_private
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the confirmation mail: GET shows the withdrawal, POST confirms it."""
    if request.method != "POST":
        return _show_confirmation(request, token)
    try:
        return _to_status(operations.confirm_withdrawal(token).id, "confirmed")
    except TokenUnknown:
        return _unknown(request)
    except (TokenUsed, TokenVoid, ConfirmationExpired, NotAwaitingConfirmation):
        return _show_confirmation(request, token)


@_private
@require_safe
def status(request: HttpRequest, reference: str) -> HttpResponse:
    """How a withdrawal stands: what happened, what comes next, until when."""
    try:
        withdrawal = queries.get_withdrawal(links.read_reference(reference))
    except UnknownWithdrawal:
        return _unknown(request)
    context = _context(withdrawal) | {"note": _NOTES.get(request.GET.get("note", ""))}
    return TemplateResponse(request, "wallet/status.html", context)


@_private
@require_POST
def cancel(request: HttpRequest, reference: str) -> HttpResponse:
    """Call the withdrawal off, if it is not being processed yet."""
    return _act(request, reference, operations.cancel_withdrawal, "cancelled")


@_private
@require_POST
def resend(request: HttpRequest, reference: str) -> HttpResponse:
    """Have a new confirmation link sent to the customer's address."""
    return _act(request, reference, operations.resend_confirmation, "resent")


def _act(request: HttpRequest, reference: str, operation: Callable[[UUID], Withdrawal], note: str) -> HttpResponse:
    try:
        withdrawal_id = links.read_reference(reference)
        operation(withdrawal_id)
    except UnknownWithdrawal:
        return _unknown(request)
    except WalletError as refusal:
        note = refusal.code
    return _to_status(withdrawal_id, note)


def _show_confirmation(request: HttpRequest, token: str) -> HttpResponse:
    try:
        reading = queries.read_token(token)
    except TokenUnknown:
        return _unknown(request)
    if reading.state == TokenState.USED:
        return _to_status(reading.withdrawal.id, "already")
    context = _context(reading.withdrawal) | {"state": reading.state}
    gone = reading.state in (TokenState.VOID, TokenState.EXPIRED)
    return TemplateResponse(request, "wallet/confirm.html", context, status=410 if gone else 200)


def _context(withdrawal: Withdrawal) -> dict[str, Any]:
    reference = links.status_reference(withdrawal.id)
    now = clock.now()
    late = withdrawal.deadline is not None and now > withdrawal.deadline
    return {
        "withdrawal": withdrawal,
        "amount": amount_text(withdrawal.amount),
        "address": masked_address(withdrawal.destination.address),
        "email": masked_email(withdrawal.customer.email),
        "progress": progress_of(withdrawal, now=now),
        "now": now,
        "status_url": reverse("wallet-status", args=[reference]),
        "cancel_url": reverse("wallet-cancel", args=[reference]),
        "resend_url": reverse("wallet-resend", args=[reference]),
        "may_cancel": withdrawal.status in CANCELLABLE_STATUSES,
        "may_resend": withdrawal.status in CONFIRMABLE_STATUSES and not late,
    }


def _to_status(withdrawal_id: UUID, note: str) -> HttpResponse:
    """On to the status page, so that a reload sends nothing again."""
    address = reverse("wallet-status", args=[links.status_reference(withdrawal_id)])
    return HttpResponseRedirect(f"{address}?note={note}", status=303)


def _unknown(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "wallet/unknown.html", status=404)
