"""The treasury's rows: accounts, allocations, instruments and event streams."""

from treasury.models.account import TreasuryAccount
from treasury.models.aggregate import TreasuryAggregate
from treasury.models.allocation import Allocation
from treasury.models.freeze import Freeze
from treasury.models.instrument import Instrument
from treasury.models.stored_event import StoredEvent

__all__ = ["Allocation", "Freeze", "Instrument", "StoredEvent", "TreasuryAccount", "TreasuryAggregate"]
