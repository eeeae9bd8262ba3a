"""Addresses that customers get by e-mail: absolute, and each a key to one withdrawal."""

from __future__ import annotations

from urllib.parse import urljoin
from uuid import UUID

from django.core import signing
from django.urls import reverse

from wallet import conf
from wallet.errors import UnknownWithdrawal

_SALT = "wallet.status"


def confirmation_link(token: str) -> str:
    """Where the holder of this token confirms."""
    return _absolute(reverse("wallet-confirm", args=[token]))


def status_link(withdrawal_id: UUID) -> str:
    """Where the customer sees how the withdrawal stands, cancels it, and has the link sent again."""
    return _absolute(reverse("wallet-status", args=[status_reference(withdrawal_id)]))


def status_reference(withdrawal_id: UUID) -> str:
    """The name of a status page, which nobody can guess."""
    return signing.Signer(salt=_SALT, sep=".").sign(str(withdrawal_id))


def read_reference(reference: str) -> UUID:
    """The withdrawal of a status page; raises UnknownWithdrawal for a reference that we did not give."""
    try:
        return UUID(signing.Signer(salt=_SALT, sep=".").unsign(reference))
    except (signing.BadSignature, ValueError):
        raise UnknownWithdrawal(UUID(int=0)) from None


def _absolute(path: str) -> str:
    return urljoin(conf.wallet().public_url, path)
