"""The event stream of an account: appended in versions, by one writer at a time."""

import uuid
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from finaegis.shared.money import Money
from treasury.contracts import AssetClass, ClassAmount
from treasury.errors import ConcurrencyConflict
from treasury.events import AllocationReversed, CashAllocated, TreasuryAccountCreated
from treasury.models import StoredEvent, TreasuryAggregate

pytestmark = pytest.mark.django_db

AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
ACCOUNT = uuid.UUID(int=1)
TEN = Money(10, "USD")
PARTS = (ClassAmount(type=AssetClass.CASH, amount=TEN),)


def created(account_id=ACCOUNT):
    return TreasuryAccountCreated(account_id=account_id, account_type="operating", name="Main", currency="USD")


def allocated(number):
    return CashAllocated(
        account_id=ACCOUNT,
        allocation_id=uuid.UUID(int=number),
        strategy="balanced",
        allocations=PARTS,
        total_allocated=TEN,
        run_id=uuid.UUID(int=9),
    )


def test_events_come_back_as_they_were_recorded_and_in_order():
    events = [created(), allocated(1), allocated(2)]
    aggregate = TreasuryAggregate.retrieve(ACCOUNT)
    for number, event in enumerate(events):
        aggregate.record(event, key=f"k{number}")
    aggregate.persist(at=AT)

    again = TreasuryAggregate.retrieve(ACCOUNT)

    assert again.recorded_events == aggregate.recorded_events == events
    assert again.version == 3
    assert list(StoredEvent.objects.order_by("version").values_list("version", "name")) == [
        (1, "TreasuryAccountCreated"),
        (2, "CashAllocated"),
        (3, "CashAllocated"),
    ]


def test_events_carry_the_run_that_made_them_true():
    TreasuryAggregate.retrieve(ACCOUNT).record(created(), key="a").record(allocated(1), key="b").persist(at=AT)

    assert list(StoredEvent.objects.order_by("version").values_list("run_id", flat=True)) == [None, uuid.UUID(int=9)]


def test_nothing_is_stored_before_it_is_persisted():
    TreasuryAggregate.retrieve(ACCOUNT).record(created(), key="a")

    assert TreasuryAggregate.retrieve(ACCOUNT).recorded_events == []


def test_the_second_writer_of_a_version_is_refused_and_writes_nothing():
    first, second = TreasuryAggregate.retrieve(ACCOUNT), TreasuryAggregate.retrieve(ACCOUNT)
    first.record(created(), key="a").persist(at=AT)

    with pytest.raises(ConcurrencyConflict) as refused:
        second.record(allocated(1), key="b").record(allocated(2), key="c").persist(at=AT)

    assert (refused.value.code, refused.value.version) == ("concurrency_conflict", 1)
    assert TreasuryAggregate.retrieve(ACCOUNT).recorded_events == [created()]


def test_after_reading_again_the_second_writer_goes_on():
    TreasuryAggregate.retrieve(ACCOUNT).record(created(), key="a").persist(at=AT)

    TreasuryAggregate.retrieve(ACCOUNT).record(allocated(1), key="b").persist(at=AT)

    assert TreasuryAggregate.retrieve(ACCOUNT).version == 2


def test_one_cause_is_stored_once():
    TreasuryAggregate.retrieve(ACCOUNT).record(created(), key="a").persist(at=AT)

    with pytest.raises(ConcurrencyConflict):
        TreasuryAggregate.retrieve(ACCOUNT).record(allocated(1), key="a").persist(at=AT)


def test_the_database_itself_refuses_a_version_twice():
    TreasuryAggregate.retrieve(ACCOUNT).record(created(), key="a").persist(at=AT)
    row = StoredEvent.objects.get()
    row.pk, row.key = None, "b"

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_stream_takes_only_events_of_its_own_account():
    with pytest.raises(ValueError, match="the event is of account"):
        TreasuryAggregate.retrieve(ACCOUNT).record(created(uuid.UUID(int=2)), key="a")


def test_reversed_allocations_are_no_longer_active():
    undone = AllocationReversed(
        account_id=ACCOUNT, allocation_id=uuid.UUID(int=1), allocations=PARTS, total_reversed=TEN
    )
    aggregate = TreasuryAggregate.retrieve(ACCOUNT)
    aggregate.record(allocated(1), key="a").record(allocated(2), key="b").record(undone, key="c").persist(at=AT)

    assert list(TreasuryAggregate.retrieve(ACCOUNT).active_allocations) == [uuid.UUID(int=2)]
