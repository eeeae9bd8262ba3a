"""The wallet's settings, typed, with their defaults: keys of `settings.WALLET` in capitals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class WalletSettings:
    """What the wallet can be told."""

    #: Where customers reach the platform; links in e-mails begin with it.
    public_url: str = "http://127.0.0.1:8000"
    #: The sender of e-mails.
    mail_from: str = "FinAegis <no-reply@finaegis.example>"
    #: Currency -> code of the business calendar of its rail; a currency without one settles after elapsed hours.
    calendars: Mapping[str, str] = field(default_factory=dict)


def wallet() -> WalletSettings:
    """The settings as they stand now; a key of `WALLET` that is not the wallet's own belongs to its ports."""
    given: dict[str, Any] = dict(getattr(settings, "WALLET", {}))
    known = WalletSettings.__dataclass_fields__
    return WalletSettings(**{name.lower(): value for name, value in given.items() if name.lower() in known})
