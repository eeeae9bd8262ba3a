"""Workflows that the tests of each door look at: a family, a chain, a saga, runs with attributes."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from workflows import NonRetryable, Retry, Sensitive, Workflow, activity, on_event, signal

LOAN = uuid.UUID("6a3f2c1e-0000-4000-8000-000000000000")
SECRET = "078-05-1120-parcel"


@activity(name="kin.give_back")
def give_back(*, label: str) -> None:
    return None


@activity(name="kin.take", undo=give_back)
def take(*, label: str) -> str:
    return f"took {label}"


@activity(name="kin.carry", retry=Retry(max_attempts=1))
def carry(*, label: str) -> str:
    if label == "stone":
        raise NonRetryable("a stone is too heavy", code="too_heavy")
    return f"carried {label}"


class CarryWorkflow(Workflow[str]):
    """Take something and carry it; held when that fails."""

    name = "kin.Carry"
    on_failure = "hold"

    async def execute(self, label: str) -> str:
        await self.activity(take, label=label)
        return await self.activity(carry, label=label)


class MoveHouseWorkflow(Workflow[list[str]]):
    """Let each thing be carried by a child."""

    name = "kin.MoveHouse"

    async def execute(self, things: list[str]) -> list[str]:
        return await self.gather(*[self.child(CarryWorkflow, thing) for thing in things])


class MoveTownWorkflow(Workflow[None]):
    """Let a house be moved by a child."""

    name = "kin.MoveTown"

    async def execute(self, things: list[str]) -> None:
        await self.child(MoveHouseWorkflow, things)


class ReturnedWorkflow(Workflow[None]):
    """Fail after a child has completed, so that the child is undone."""

    name = "kin.Returned"

    async def execute(self, label: str) -> None:
        await self.child(CarryWorkflow, label)
        await self.activity(carry, label="stone")


class RoundsWorkflow(Workflow[str]):
    """Go on as new each hour until no round is left."""

    name = "kin.Rounds"

    async def execute(self, rounds: int) -> str:
        self.set_attributes(round=rounds)
        await self.sleep(timedelta(hours=1))
        if rounds == 0:
            return "home"
        if rounds < 0:
            raise NonRetryable("lost the way", code="lost")
        self.continue_as_new(rounds - 1)


class LabelledWorkflow(Workflow[None]):
    """Be found by what it is about."""

    name = "kin.Labelled"

    async def execute(self, customer: str, amount: Decimal) -> None:
        self.set_attributes(
            customer=customer, amount=amount, loan=LOAN, large=amount > 100, day=date(2026, 1, 5),
            at=datetime(2026, 1, 5, 12, tzinfo=UTC),
        )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ParcelSent:
    parcel: str
    weight: str
    sender: Sensitive[str] | None = None


@dataclasses.dataclass(frozen=True)
class ParcelSeen:
    parcel: str
    place: str


@on_event(ParcelSent, key="parcel:{parcel}")
class ParcelSagaWorkflow(Workflow[list[str]]):
    """Follow a parcel until it is there; one whose weight is no number is none that it takes."""

    name = "kin.ParcelSaga"

    def __init__(self) -> None:
        self.places: list[str] = []

    async def execute(self, parcel: str, weight: int) -> list[str]:
        await self.wait_for(lambda: "home" in self.places)
        return self.places

    @on_event(ParcelSeen, key="parcel:{parcel}")
    def seen(self, place: str) -> None:
        """It was seen somewhere."""
        self.places.append(place)

    @signal
    def lose(self) -> None:
        """It is lost."""
        self.places.append("home")
