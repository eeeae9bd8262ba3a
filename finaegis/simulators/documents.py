"""A simulated document verification: the end of a document's reference decides.

| reference ends | answer |
|---|---|
| 9001 | failed, `not_genuine` |
| 9002 | outage: not taken, however often it is asked |
| 9003, 9004 | failed, `expired`, `other_person` |
| 9005 | incomplete, `unreadable` |
| anything else | verified |

Of several documents the worst decides; none at all are incomplete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from finaegis.shared.third_party import NotTaken

_OUTAGE = "9002"
_FAILED = {"9001": "not_genuine", "9003": "expired", "9004": "other_person"}
_INCOMPLETE = {"9005": "unreadable"}


class Standing(StrEnum):
    """What became of the documents."""

    VERIFIED = "verified"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the party says; `findings` are (reference, code)."""

    standing: Standing
    reference: str
    findings: tuple[tuple[str, str], ...]


def verify(*, party: str, key: str, references: Sequence[str]) -> Verification:
    """Read the references, each once; raises `NotTaken` where one stands for an outage."""
    endings = {reference: reference[-4:] for reference in references}
    if _OUTAGE in endings.values():
        raise NotTaken(party=party, call="verify", reason="it is out (simulated)")
    known = _FAILED | _INCOMPLETE
    found = tuple((reference, known[ending]) for reference, ending in endings.items() if ending in known)
    if any(ending in _FAILED for ending in endings.values()):
        standing = Standing.FAILED
    elif found or not references:
        standing = Standing.INCOMPLETE
    else:
        standing = Standing.VERIFIED
    number = f"DV-{hashlib.sha256(key.encode()).hexdigest()[:16].upper()}"
    return Verification(standing=standing, reference=number, findings=found)
