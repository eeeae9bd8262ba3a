"""Confirmation tokens: derived from a secret and from what they confirm, so that the same mail can be sent again.

At rest stand only the digest and a nonce. Whoever reads the database cannot make a token of them; whoever changes a
withdrawal's customer, amount or destination there voids the token that was sent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from wallet.contracts import Withdrawal


def derive(secret: bytes, *, withdrawal: Withdrawal, serial: int, nonce: str) -> str:
    """The token for these facts: 43 characters that are safe in an address."""
    facts = [
        str(withdrawal.id),
        serial,
        nonce,
        str(withdrawal.customer.id),
        withdrawal.amount.to_minor(),
        withdrawal.amount.currency,
        str(withdrawal.destination.id),
        withdrawal.destination.address,
    ]
    mac = hmac.digest(secret, json.dumps(facts).encode(), "sha256")
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def digest(token: str) -> str:
    """What is stored of a token, and found by it."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Whether two tokens are equal, in a time that tells nothing about where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
