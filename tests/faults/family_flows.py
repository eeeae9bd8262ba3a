"""Parents, children, chains and sagas that real workers run while they are killed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.faults import effects
from workflows import NonRetryable, Retry, Workflow, activity, on_event, query, signal


@dataclass(frozen=True)
class FamilyFounded:
    name: str
    size: int


@dataclass(frozen=True)
class MemberBorn:
    name: str
    member: str


@activity(name="families.undo_make", transactional=True)
def undo_make(*, label: str) -> None:
    effects.write(f"undo {label}")


@activity(name="families.make", transactional=True, undo=undo_make)
def make(*, label: str) -> str:
    effects.write(label)
    return label


@activity(name="families.fail", retry=Retry(max_attempts=1))
def fail(*, label: str) -> None:
    raise NonRetryable(f"no to {label}")


class ChildWorkflow(Workflow[str]):
    """Makes something; fails, or waits for a word and a short time, if it is told to."""

    name = "families.Child"

    def __init__(self) -> None:
        self.words: list[str] = []

    async def execute(self, label: str, fails: bool = False, listens: bool = False) -> str:
        await self.activity(make, label=label)
        if fails:
            await self.activity(fail, label=label)
        if listens:
            await self.gather(self.sleep(timedelta(seconds=1)), self.wait_for(lambda: self.words))
        return ",".join([label, *self.words])

    @signal
    def say(self, word: str) -> None:
        """Note a word."""
        self.words.append(word)


class ParentWorkflow(Workflow[list[str]]):
    """Has children side by side."""

    name = "families.Parent"

    async def execute(self, label: str, number: int, failing: list[int], listens: bool = False) -> list[str]:
        await self.activity(make, label=f"{label}-parent")
        members = [self.child(ChildWorkflow, f"{label}-{index}", index in failing, listens) for index in range(number)]
        results: list[str] = await self.gather(*members)
        return results


class ChainWorkflow(Workflow[int]):
    """Makes something in each link; counts the words it was told along the chain."""

    name = "families.Chain"

    def __init__(self) -> None:
        self.words = 0

    async def execute(self, label: str, links: int, words: int = 0, fails: bool = False) -> int:
        self.words = words
        await self.activity(make, label=f"{label}-{links}")
        if links:
            self.continue_as_new(label, links - 1, self.words, fails)
        if fails:
            await self.activity(fail, label=label)
        await self.sleep(timedelta(milliseconds=200))
        return self.words

    @signal
    def say(self) -> None:
        """One word more."""
        self.words += 1


@on_event(FamilyFounded, key="family:{name}")
class FamilySagaWorkflow(Workflow[list[str]]):
    """Follows a family until it has all its members."""

    name = "families.Saga"

    def __init__(self) -> None:
        self.members: list[str] = []

    async def execute(self, name: str, size: int) -> list[str]:
        await self.activity(make, label=f"{name}-founded")
        await self.wait_for(lambda: len(self.members) >= size)
        return self.members

    @on_event(MemberBorn, key="family:{name}")
    def born(self, member: str) -> None:
        """Note a member."""
        self.members.append(member)

    @query
    def known(self) -> list[str]:
        """Members so far."""
        return self.members


FLOWS: tuple[type[Workflow[Any]], ...] = (ChildWorkflow, ParentWorkflow, ChainWorkflow, FamilySagaWorkflow)
