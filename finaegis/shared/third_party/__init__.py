"""Third parties: what a call to one can come to, and the HTTP client that every adapter uses.

A port is a protocol in a domain's `contracts.py`. Its adapter speaks HTTP through `Client`; its simulator raises the
same errors. Nothing here retries: the engine counts attempts, and an attempt that hid three others could not be read
from a history.
"""

from finaegis.shared.third_party.client import Client, segment
from finaegis.shared.third_party.endpoints import Endpoint, endpoint_of
from finaegis.shared.third_party.errors import NotTaken, OutcomeUnknown, Refused, ThirdPartyError, Unavailable

__all__ = [
    "Client",
    "Endpoint",
    "NotTaken",
    "OutcomeUnknown",
    "Refused",
    "ThirdPartyError",
    "Unavailable",
    "endpoint_of",
    "segment",
]
