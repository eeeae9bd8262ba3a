"""Where a third party answers, as the settings say it. The only reader of `settings.THIRD_PARTIES`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A third party's address. `token`, if any, is sent as a bearer token and shown nowhere.

    `connect_timeout` bounds the wait for a connection, `timeout` the whole call from its first byte to its last.
    """

    party: str
    url: str
    token: str = field(repr=False)
    connect_timeout: timedelta
    timeout: timedelta


def endpoint_of(party: str) -> Endpoint | None:
    """Where this third party answers, or None: it has no address, so its simulator stands in."""
    given = settings.THIRD_PARTIES
    if party not in given:
        raise ImproperlyConfigured(f"THIRD_PARTIES knows no {party!r}; it knows {', '.join(sorted(given))}")
    address = given[party]
    if not address["URL"]:
        return None
    return Endpoint(
        party=party,
        url=address["URL"],
        token=address["TOKEN"],
        connect_timeout=settings.THIRD_PARTY_CONNECT_TIMEOUT,
        timeout=settings.THIRD_PARTY_TIMEOUT,
    )
