"""Issuing confirmation tokens; one of a withdrawal is live at a time."""

from __future__ import annotations

import secrets

from wallet import queries
from wallet.models import ConfirmationToken, Withdrawal
from wallet.operations.rows import void_tokens
from wallet.rules import tokens
from workflows import clock


def issue_token(row: Withdrawal, *, serial: int) -> ConfirmationToken:
    """The withdrawal's next token; the one before it is void from now on. The caller holds the withdrawal's lock."""
    void_tokens(row)
    issued = ConfirmationToken(
        withdrawal=row, serial=serial, nonce=secrets.token_hex(16), digest="", issued_at=clock.now()
    )
    issued.digest = tokens.digest(queries.derive_token(issued, row.as_contract()))
    issued.save(force_insert=True)
    return issued


def newest_token(row: Withdrawal) -> ConfirmationToken | None:
    """The token that was issued last, if any."""
    return ConfirmationToken.objects.filter(withdrawal=row).order_by("-serial").first()
