"""Issue 10.2: who hears an event: several methods, several versions side by side, runs that are being undone."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import timedelta
from typing import Annotated

import pytest
from pydantic import AfterValidator

from tests.workflows import effects
from tests.workflows.cast import NOW, Disturbed
from tests.workflows.improvised import state
from workflows import Retry, Sensitive, Workflow, activity, crypto, events, on_event, operations, queries, signal
from workflows.core.definitions import registry
from workflows.core.errors import DefinitionError
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@dataclasses.dataclass(frozen=True)
class DoorMoved:
    door: str
    other: str = ""


@dataclasses.dataclass(frozen=True)
class DoorLocked:
    door: str


@dataclasses.dataclass(frozen=True)
class DoorOwned:
    door: str
    owner: Sensitive[str]
    deputy: Sensitive[str] | None = None


class DoorWorkflow(Workflow[list[str]]):
    """Hears of a door's moves twice."""

    name = "listening.Door"

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def execute(self) -> list[str]:
        await self.wait_for(lambda: len(self.heard) > 1)
        return sorted(self.heard)

    @on_event(DoorMoved, key="door:{door}")
    def note(self, door: str) -> None:
        """Note it."""
        self.heard.append(f"noted {door}")

    @on_event(DoorMoved, key="door:{door}")
    def count(self, door: str) -> None:
        """Count it."""
        self.heard.append(f"counted {door}")


class OldLockWorkflow(Workflow[str]):
    """Hears of locks by a method of the old name; heard of doors that moved."""

    name = "listening.Lock"
    version = 1

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def execute(self) -> str:
        await self.wait_for(lambda: self.heard)
        return self.heard[0]

    @on_event(DoorLocked, key="lock:{door}")
    def locked(self, door: str) -> None:
        """Note it."""
        self.heard.append("by the old method")

    @on_event(DoorMoved, key="lock:{door}")
    def moved(self, door: str) -> None:
        """Note it."""
        self.heard.append("moved")


class NewLockWorkflow(Workflow[str]):
    """Hears of locks by a method of another name; of moves only from people."""

    name = "listening.Lock"
    version = 2

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def execute(self) -> str:
        await self.wait_for(lambda: self.heard)
        return self.heard[0]

    @on_event(DoorLocked, key="lock:{door}")
    def on_locked(self, door: str) -> None:
        """Note it."""
        self.heard.append("by the new method")

    @signal
    def moved(self, door: str) -> None:
        """Note it."""
        self.heard.append("moved")


@activity(name="listening.undo_slowly", retry=Retry(max_attempts=9, initial=600.0, maximum=600.0))
def undo_slowly() -> None:
    if not effects.count("repaired"):
        raise Disturbed("not yet")


@activity(name="listening.make", undo=undo_slowly)
def make() -> None:
    effects.write("made")


class FailingDoorWorkflow(Workflow[None]):
    """Fails once it has made something."""

    name = "listening.FailingDoor"

    async def execute(self) -> None:
        await self.activity(make)
        raise ValueError("it does not close")

    @on_event(DoorLocked, key="failing:{door}")
    def locked(self, door: str) -> None:
        """Nothing to do."""


def refuse_it(name: str) -> str:
    raise ValueError(f"{name} owns nothing")


@on_event(DoorOwned, key="owned:{door}")
class OwnedDoorWorkflow(Workflow[None]):
    """Takes no owner."""

    name = "listening.OwnedDoor"

    async def execute(self, owner: Sensitive[Annotated[str, AfterValidator(refuse_it)]]) -> None: ...


def statuses(workflow: str) -> list[tuple[str | None, str]]:
    """(method, status) of each delivery to a saga, in order."""
    return [(found.method, found.status) for found in reversed(queries.list_deliveries(workflow=workflow))]


def test_each_method_that_listens_to_an_event_hears_it(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(DoorWorkflow, key="door:a")

    events.publish(DoorMoved("a"))
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == ["counted a", "noted a"]


@pytest.mark.parametrize(
    ("version", "told"), [(1, "by the old method"), (2, "by the new method")], ids=["the old one", "the new one"]
)
def test_a_run_hears_by_the_methods_of_its_version_alone(
    workflow_env: WorkflowEnvironment, version: int, told: str
) -> None:
    run = workflow_env.start("listening.Lock", key="lock:a", version=version)
    workflow_env.skip(NOW)

    events.publish(DoorLocked("a"))
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == told
    assert sorted(status for _, status in statuses("listening.Lock")) == ["delivered", "undeliverable"]


def test_a_signal_of_the_same_name_is_no_listener(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start("listening.Lock", key="lock:a")
    workflow_env.skip(NOW)

    events.publish(DoorMoved("a"))
    workflow_env.skip(NOW)

    assert statuses("listening.Lock") == [("moved", "undeliverable")]
    assert state(run.id) == "waiting"


def test_an_event_for_a_run_whose_code_another_worker_has_waits_for_that_one(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = workflow_env.start("listening.Lock", key="lock:a", version=1)
    workflow_env.skip(NOW)

    with monkeypatch.context() as elsewhere:
        elsewhere.delitem(registry.workflows["listening.Lock"], 1)
        events.publish(DoorLocked("a"))
        events.deliver_due()
    assert ("locked", "pending") in statuses("listening.Lock")
    workflow_env.skip(timedelta(seconds=1))

    assert queries.get_run(run.id).result == "by the old method"


def test_an_event_for_a_run_that_is_being_undone_is_undeliverable(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(FailingDoorWorkflow, key="failing:a")
    workflow_env.skip(NOW)
    assert state(run.id) == "compensating"

    events.publish(DoorLocked("a"))
    workflow_env.skip(NOW)

    assert statuses("listening.FailingDoor") == [("locked", "undeliverable")]
    effects.write("repaired")
    workflow_env.skip(timedelta(hours=1))
    assert state(run.id) == "compensated"


def test_a_saga_that_somebody_starts_by_hand_in_the_same_moment_is_the_one(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    @on_event(DoorMoved, key="raced:{door}")
    class RacedWorkflow(Workflow[str]):
        """Takes a door."""

        name = "listening.Raced"

        async def execute(self, door: str, other: str = "") -> str:
            return other

    started: list[uuid.UUID] = []
    digest = crypto.input_digest

    def after_another(text: str) -> str:
        """Called once the key was found free, and before the run is written."""
        monkeypatch.undo()
        started.append(operations.start_run(RacedWorkflow, "a", "by hand", key="raced:a").id)
        return digest(text)

    monkeypatch.setattr(crypto, "input_digest", after_another)
    events.publish(DoorMoved("a", "by event"))
    workflow_env.skip(NOW)

    assert statuses("listening.Raced") == [(None, "delivered")]
    assert queries.get_run(started[0]).result == "by hand"


def test_the_newest_version_says_by_which_key_it_listens(workflow_env: WorkflowEnvironment) -> None:
    @on_event(DoorLocked, key="keyed:{door}")
    class NewKeyedWorkflow(Workflow[str]):
        """Declared first."""

        name = "listening.Keyed"
        version = 2

        async def execute(self, door: str) -> str:
            return door

    @on_event(DoorLocked, key="old:{door}")
    class OldKeyedWorkflow(Workflow[str]):
        """Declared last."""

        name = "listening.Keyed"

        async def execute(self, door: str) -> str:
            return door

    events.publish(DoorLocked("a"))
    workflow_env.skip(NOW)

    assert [delivery.key for delivery in queries.list_deliveries(workflow="listening.Keyed")] == ["keyed:a"]


def test_an_event_that_the_newest_version_no_longer_begins_with_starts_nothing(
    workflow_env: WorkflowEnvironment,
) -> None:
    @on_event(DoorLocked, key="left:{door}")
    class BegunWorkflow(Workflow[str]):
        """Begins with the event."""

        name = "listening.Left"

        async def execute(self, door: str) -> str:
            return door

    class StartedWorkflow(Workflow[str]):
        """Is started by hand."""

        name = "listening.Left"
        version = 2

        async def execute(self, door: str) -> str:
            return door

    events.publish(DoorLocked("a"))
    workflow_env.skip(NOW)

    assert queries.list_deliveries(workflow="listening.Left") == []
    assert queries.list_runs(workflow="listening.Left") == []


def test_no_error_of_a_delivery_holds_a_sensitive_value(
    workflow_env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    events.publish(DoorOwned("a", Sensitive("Ada Lovelace")))
    workflow_env.skip(NOW)

    (parked,) = queries.list_deliveries(status="parked")
    assert parked.error is not None and "owns nothing" in parked.error["message"]
    assert "Ada" not in parked.error["message"] and "Ada" not in caplog.text


class TestDeclaring:
    """What registration refuses."""

    @pytest.mark.parametrize("key", ["owned:{owner}", "owned:{door}:{deputy}"])
    def test_a_key_that_names_a_sensitive_field(self, key: str) -> None:
        with pytest.raises(DefinitionError, match="sensitive"):
            on_event(DoorOwned, key=key)

    def test_a_method_that_listens_to_one_event_by_two_keys(self) -> None:
        with pytest.raises(DefinitionError, match="twice"):

            class BetweenWorkflow(Workflow[None]):
                """Stands between two doors."""

                name = "listening.Between"

                async def execute(self) -> None: ...

                @on_event(DoorMoved, key="{door}")
                @on_event(DoorMoved, key="{other}")
                def moved(self, door: str) -> None: ...

    def test_a_saga_that_one_event_would_start_by_two_keys(self) -> None:
        class TwiceWorkflow(Workflow[None]):
            """Would be started twice."""

            name = "listening.Twice"

            async def execute(self, door: str) -> None: ...

        with pytest.raises(DefinitionError, match="twice"):
            on_event(DoorMoved, key="{other}")(on_event(DoorMoved, key="{door}")(TwiceWorkflow))
