"""Issue 10.2: events published in the transaction that makes them true start sagas and reach them, in order by key."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.workflows import effects
from tests.workflows.cast import NOW, write
from tests.workflows.improvised import HOUR, state
from tests.workflows.views import entries
from workflows import (
    NonRetryable,
    Sensitive,
    Workflow,
    activity,
    events,
    on_event,
    operations,
    queries,
    query,
    signal,
)
from workflows.core.errors import DefinitionError, NotFound, NotParked, PayloadError, PermissionRefused, ReasonRequired
from workflows.models import BusinessEvent, EventDelivery
from workflows.runtime import faults, starts
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@dataclasses.dataclass(frozen=True)
class ShopOpened:
    shop: str
    size: int = 0
    owner: Sensitive[str] | None = None


@dataclasses.dataclass(frozen=True)
class ShopSold:
    shop: str
    price: int


@dataclasses.dataclass(frozen=True)
class RoundsBegun:
    shop: str
    size: int = 0


@dataclasses.dataclass(frozen=True)
class RoundsSold:
    shop: str
    price: int


@dataclasses.dataclass(frozen=True)
class SizeTold:
    shop: str
    size: str


@activity(name="events.never_asked")
def never_asked(*, size: int) -> None:
    effects.write("asked")
    raise NonRetryable("no")


@on_event(ShopOpened, key="shop:{shop}")
class ShopSagaWorkflow(Workflow[list[int]]):
    """Follows a shop until it closes."""

    name = "events.ShopSaga"
    start_checks = (never_asked,)

    def __init__(self) -> None:
        self.prices: list[int] = []
        self.closed = False

    async def execute(self, shop: str, size: int) -> list[int]:
        await self.activity(write, label=f"opened {shop} {size}")
        await self.wait_for(lambda: self.closed)
        return self.prices

    @on_event(ShopSold, key="shop:{shop}")
    def sold(self, price: int) -> None:
        """Note a sale."""
        self.prices.append(price)

    @signal
    def close(self) -> None:
        """The shop closes."""
        self.closed = True

    @query
    def seen(self) -> list[int]:
        """Prices so far."""
        return self.prices


@on_event(SizeTold, key="size:{shop}")
class SizeSagaWorkflow(Workflow[int]):
    """Takes a size that may be no number."""

    name = "events.SizeSaga"

    async def execute(self, size: int) -> int:
        return size


def saga(key: str) -> uuid.UUID:
    (run,) = queries.list_runs(key=key)
    return run.id


def statuses(**filters: Any) -> list[str]:
    return [delivery.status for delivery in reversed(queries.list_deliveries(**filters))]


# --- Starting --------------------------------------------------------------------------------------------------------


def test_an_event_starts_the_saga_of_its_key_with_the_fields_it_names(workflow_env: WorkflowEnvironment) -> None:
    events.publish(ShopOpened("a", 3))
    workflow_env.skip(NOW)

    assert queries.get_run(saga("shop:a")).input == {"shop": "a", "size": 3}
    assert effects.count("opened a 3") == 1
    (delivery,) = queries.list_deliveries()
    assert (delivery.status, delivery.run_id, delivery.event) == ("delivered", saga("shop:a"), "tests.ShopOpened")


def test_a_saga_starts_once_for_a_key_however_often_the_event_comes(workflow_env: WorkflowEnvironment) -> None:
    for size in (3, 3, 5):
        events.publish(ShopOpened("a", size))
        workflow_env.skip(NOW)

    assert len(queries.list_runs(workflow="events.ShopSaga")) == 1
    assert effects.count("opened a 3") == 1
    assert statuses() == ["delivered"] * 3


def test_start_checks_are_not_asked(workflow_env: WorkflowEnvironment) -> None:
    events.publish(ShopOpened("a"))
    workflow_env.skip(NOW)

    assert effects.count("asked") == 0


def test_a_rolled_back_event_starts_nothing(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        events.publish(ShopOpened("a"))
        raise RuntimeError("taken back")
    workflow_env.skip(NOW)

    assert queries.list_runs() == [] and BusinessEvent.objects.count() == 0


def test_an_event_that_nobody_listens_to_is_kept(workflow_env: WorkflowEnvironment) -> None:
    @dataclasses.dataclass(frozen=True)
    class Unheard:
        word: str

    events.publish(Unheard("x"))
    workflow_env.skip(NOW)

    assert BusinessEvent.objects.get().type == "tests.Unheard"
    assert queries.list_deliveries() == []


def test_sensitive_fields_of_an_event_are_encrypted_and_masked(workflow_env: WorkflowEnvironment) -> None:
    events.publish(ShopOpened("a", owner=Sensitive("Ada Lovelace")))
    workflow_env.skip(NOW)

    assert "Lovelace" not in BusinessEvent.objects.get().data
    (delivery,) = queries.list_deliveries()
    assert delivery.data["owner"] == "•••"


# --- Reaching --------------------------------------------------------------------------------------------------------


def test_an_event_reaches_a_method_of_the_live_run_in_order(workflow_env: WorkflowEnvironment) -> None:
    events.publish(ShopOpened("a"))
    for price in (5, 7, 6):
        events.publish(ShopSold("a", price))
    workflow_env.skip(NOW)

    assert operations.query_run(saga("shop:a"), "seen") == [5, 7, 6]
    assert statuses() == ["delivered"] * 4


def test_an_event_without_a_live_run_is_undeliverable_and_dropped(workflow_env: WorkflowEnvironment) -> None:
    events.publish(ShopSold("nobody", 5))
    workflow_env.skip(NOW)

    (delivery,) = queries.list_deliveries()
    assert (delivery.status, delivery.method, delivery.run_id) == ("undeliverable", "sold", None)


def test_an_event_for_a_run_that_has_closed_is_undeliverable(workflow_env: WorkflowEnvironment) -> None:
    events.publish(ShopOpened("a"))
    workflow_env.skip(NOW)
    operations.signal_run(saga("shop:a"), "close")
    workflow_env.skip(NOW)

    events.publish(ShopSold("a", 5))
    workflow_env.skip(NOW)

    assert statuses(event="tests.ShopSold") == ["undeliverable"]
    assert queries.get_run(saga("shop:a")).result == []


def test_an_event_that_is_delivered_again_reaches_the_method_once(workflow_env: WorkflowEnvironment) -> None:
    events.publish(ShopOpened("a"))
    events.publish(ShopSold("a", 5))
    workflow_env.skip(NOW)
    EventDelivery.objects.update(status="pending")  # as if nobody had noted that it was made

    workflow_env.skip(NOW)

    assert operations.query_run(saga("shop:a"), "seen") == [5]
    assert len(entries(saga("shop:a"), "SignalReceived")) == 1


def test_an_event_reaches_the_link_that_goes_on(workflow_env: WorkflowEnvironment) -> None:
    @on_event(RoundsBegun, key="rounds:{shop}")
    class RoundsSagaWorkflow(Workflow[list[int]]):
        """Goes on as new each hour."""

        name = "events.RoundsSaga"

        def __init__(self) -> None:
            self.prices: list[int] = []

        async def execute(self, shop: str, size: int, rounds: int = 1) -> list[int]:
            await self.sleep(HOUR)
            if rounds:
                self.continue_as_new(shop, size, rounds - 1)
            return self.prices

        @on_event(RoundsSold, key="rounds:{shop}")
        def sold(self, price: int) -> None:
            """Note a sale."""
            self.prices.append(price)

    events.publish(RoundsBegun("a"))
    workflow_env.skip(HOUR)
    events.publish(RoundsSold("a", 5))
    workflow_env.skip(HOUR)

    first = next(run for run in queries.list_runs(key="rounds:a") if run.link == 1)
    assert first.result == [5]


# --- What cannot be delivered ----------------------------------------------------------------------------------------


def test_a_poison_event_is_parked_and_visible_while_others_go_on(workflow_env: WorkflowEnvironment) -> None:
    events.publish(SizeTold("a", "enormous"))
    events.publish(SizeTold("b", "4"))
    events.publish(ShopOpened("a"))
    workflow_env.skip(NOW)

    (parked,) = queries.list_deliveries(status="parked")
    assert (parked.workflow, parked.key, parked.error["code"]) == ("events.SizeSaga", "size:a", "invalid_input")  # type: ignore[index]
    assert queries.count_parked() == 1
    assert queries.get_run(saga("size:b")).result == 4
    assert state(saga("shop:a")) == "waiting"


def test_later_events_of_the_same_saga_and_key_wait_behind_a_parked_one(workflow_env: WorkflowEnvironment) -> None:
    events.publish(SizeTold("a", "enormous"))
    events.publish(SizeTold("a", "7"))
    workflow_env.skip(timedelta(days=1))

    assert statuses() == ["parked", "pending"]
    (parked,) = queries.list_deliveries(status="parked")
    assert parked.behind == 1


def test_a_parked_event_is_replayed_once_it_can_be_delivered(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(new: Any) -> Any:
        raise PayloadError("not today")

    with monkeypatch.context() as patched:
        patched.setattr(starts, "insert_or_read", broken)
        events.publish(SizeTold("a", "3"))
        events.publish(SizeTold("a", "4"))
        workflow_env.skip(NOW)
    (parked,) = queries.list_deliveries(status="parked")

    again = operations.replay_delivery(parked.id, actor="os:ada", reason="mended")
    assert again.status == "pending"
    workflow_env.skip(NOW)

    assert queries.get_run(saga("size:a")).result == 3
    assert statuses() == ["delivered", "delivered"]
    assert [entry.act for entry in queries.list_audit()] == ["replay_event"]


def test_a_dropped_event_lets_those_behind_it_go_on(workflow_env: WorkflowEnvironment) -> None:
    events.publish(SizeTold("a", "enormous"))
    events.publish(SizeTold("a", "7"))
    workflow_env.skip(NOW)
    (parked,) = queries.list_deliveries(status="parked")

    operations.drop_delivery(parked.id, reason="a typing error")
    workflow_env.skip(NOW)

    assert statuses() == ["dropped", "delivered"]
    assert queries.get_run(saga("size:a")).result == 7


def test_only_a_parked_delivery_is_replayed_and_only_with_reason_and_permission(
    workflow_env: WorkflowEnvironment, django_user_model: Any
) -> None:
    events.publish(SizeTold("a", "1"))
    events.publish(SizeTold("b", "enormous"))
    workflow_env.skip(NOW)
    parked, delivered = queries.list_deliveries()
    nobody = django_user_model.objects.create_user("nobody")

    with pytest.raises(NotParked):
        operations.replay_delivery(delivered.id, reason="again")
    with pytest.raises(NotFound):
        operations.drop_delivery(0, reason="again")
    with pytest.raises(ReasonRequired):
        operations.replay_delivery(parked.id, reason=" ")
    with pytest.raises(PermissionRefused):
        operations.replay_delivery(parked.id, actor=nobody, reason="again")
    with pytest.raises(PermissionRefused):
        operations.drop_delivery(parked.id, actor=nobody, reason="again")
    assert statuses() == ["delivered", "parked"] and queries.list_audit() == []


def test_a_failure_that_may_pass_is_tried_again_and_parked_after_five(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def broken(new: Any) -> Any:
        tried.append(workflow_env.now)
        raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr(starts, "insert_or_read", broken)
        events.publish(SizeTold("a", "3"))
        workflow_env.skip(timedelta(hours=1))

    assert [(later - tried[0]).total_seconds() for later in tried] == [0, 1, 3, 7, 15]
    assert statuses() == ["parked"]


def test_a_death_between_taking_an_event_and_starting_loses_nothing(workflow_env: WorkflowEnvironment) -> None:
    faults.local["event.taken@events.ShopSaga"] = "raise"
    try:
        events.publish(ShopOpened("a"))
        workflow_env.skip(NOW)
        assert queries.list_runs() == [] and statuses() == ["pending"]
    finally:
        faults.local.clear()

    workflow_env.skip(NOW)

    assert statuses() == ["delivered"] and effects.count("opened a 0") == 1


# --- What is refused -------------------------------------------------------------------------------------------------


def test_workflow_code_may_not_publish(workflow_env: WorkflowEnvironment) -> None:
    class PublishingWorkflow(Workflow[None]):
        """Publishes in its own code."""

        name = "events.Publishing"

        async def execute(self) -> None:
            events.publish(ShopOpened("a"))

    run = workflow_env.start(PublishingWorkflow)
    workflow_env.skip(NOW)

    assert state(run.id) == "held (nondeterminism)" and BusinessEvent.objects.count() == 0
    operations.resume_run(run.id, reason="it stays so")


def test_values_that_do_not_fit_are_refused(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(PayloadError):
        events.publish(ShopOpened("a", "big"))  # type: ignore[arg-type]
    assert BusinessEvent.objects.count() == 0


def test_a_key_too_long_is_refused(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(PayloadError, match="key"):
        events.publish(ShopOpened("a" * 300))
    assert BusinessEvent.objects.count() == 0


@dataclasses.dataclass
class Mutable:
    word: str


class TestDeclaring:
    """What registration refuses."""

    def test_an_event_that_can_change(self) -> None:
        with pytest.raises(DefinitionError, match="frozen dataclass"):
            on_event(Mutable, key="x:{word}")

    def test_a_key_that_names_no_field(self) -> None:
        with pytest.raises(DefinitionError, match="no field colour"):
            on_event(ShopSold, key="shop:{colour}")

    def test_a_key_that_is_no_template(self) -> None:
        with pytest.raises(DefinitionError, match="no template"):
            on_event(ShopSold, key="shop:{shop")

    def test_a_parameter_that_is_no_field(self) -> None:
        with pytest.raises(DefinitionError, match="colour"):

            @on_event(ShopSold, key="shop:{shop}")
            class PaintedWorkflow(Workflow[None]):
                """Asks for a colour."""

                name = "events.Painted"

                async def execute(self, colour: str) -> None: ...

    def test_a_method_that_asks_for_more(self) -> None:
        with pytest.raises(DefinitionError, match="colour"):

            class AskingWorkflow(Workflow[None]):
                """Asks for a colour later."""

                name = "events.Asking"

                async def execute(self) -> None: ...

                @on_event(ShopSold, key="shop:{shop}")
                def painted(self, colour: str) -> None: ...

    def test_what_is_no_workflow(self) -> None:
        with pytest.raises(DefinitionError, match="stands on a workflow"):
            on_event(ShopSold, key="shop:{shop}")(dict)

    def test_publishing_what_is_no_event(self, workflow_env: WorkflowEnvironment) -> None:
        with pytest.raises(DefinitionError):
            events.publish({"shop": "a"})
