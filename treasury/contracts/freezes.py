"""Freezes: why an account takes no new allocations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

#: How the cause of a freeze begins that risk management placed; the score follows.
RISK_FREEZE = "risk score"


class FreezeStatus(StrEnum):
    """A freeze stands until it is lifted; a void one was undone before it was ever placed."""

    PLACED = "placed"
    LIFTED = "lifted"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """One reason for which an account is frozen; the account is frozen while any of them stands."""

    id: UUID
    account_id: UUID
    cause: str
    status: FreezeStatus
    run_id: UUID | None
    placed_at: datetime
    lifted_at: datetime | None
