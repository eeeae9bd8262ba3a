"""Assessments and measures as operations: one effect for each key, exact undo, and refusals that write nothing."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from tests.treasury.factories import TreasuryAccountFactory, balances
from tests.treasury.instrument_table import have_instruments
from tests.treasury.risky import make_risky
from treasury import errors, operations, queries
from treasury.contracts import RISK_FREEZE, HedgeStatus, RiskCause, RiskMeasure, Shift
from treasury.events import RiskAssessmentCompleted, RiskMeasureTaken, RiskMeasureUndone
from treasury.models import HedgePosition, RiskAssessment, StoredEvent, TreasuryAggregate
from workflows import clock

pytestmark = pytest.mark.django_db

NOBODY = uuid.UUID(int=7)


@pytest.fixture
def account():
    have_instruments()
    with clock.source(lambda: datetime(2026, 7, 15, tzinfo=UTC)):
        account = TreasuryAccountFactory(balance="10000000.00")
        make_risky(account)
        yield account


def assess(account, key="step-1", cause=RiskCause.REQUEST):
    return operations.assess_risk(key=key, account_id=account.id, cause=cause)


def usd(amount):
    return Money(Decimal(amount), "USD")


SALE = (Shift(kind="operating", amount=usd(100)), Shift(kind="allocated_equities", amount=usd(-100)))


def sell(account, key="step-1", shifts=SALE):
    operations.shift_money(key=key, account_id=account.id, measure=RiskMeasure.RAISE_LIQUIDITY, shifts=shifts)


def take_back(account, key="undo-1", undone_key="step-1"):
    return operations.reverse_shift(
        key=key, undone_key=undone_key, account_id=account.id, measure=RiskMeasure.RAISE_LIQUIDITY
    ).outcome


def hedge(account, notional="500.00", key="step-1"):
    return operations.open_hedge(key=key, account_id=account.id, notional=usd(notional))


def unhedge(account, key="undo-1", undone_key="step-1"):
    return operations.close_hedge(key=key, undone_key=undone_key, account_id=account.id).outcome


def events(account, *kinds):
    return [event for event in TreasuryAggregate.retrieve(account.id).recorded_events if isinstance(event, kinds)]


# --- Assessing -------------------------------------------------------------------------------------------------------


def test_an_assessment_is_recorded_with_what_it_was_judged_by(account):
    found = assess(account)

    assert found.score == Decimal("70.38")
    assert (found.inputs.cash, found.inputs.bonds, found.inputs.equities) == (
        usd(1_000_000), usd(2_000_000), usd(7_000_000),
    )  # fmt: skip
    assert (found.inputs.bond_duration, found.inputs.bond_liquid_share) == (Decimal("5.0225"), Decimal("0.5"))
    assert queries.page_assessments(account.id, limit=10) == ([found], None)
    (event,) = events(account, RiskAssessmentCompleted)
    assert (event.assessment_id, event.score, event.reasons) == (found.id, found.score, found.reasons)


def test_an_assessment_is_made_once_for_a_key(account):
    first = assess(account)
    sell(account, key="step-2")

    assert assess(account) == first
    assert RiskAssessment.objects.count() == 1
    with pytest.raises(errors.IdempotencyConflict):
        assess(account, cause=RiskCause.OPENING)
    with pytest.raises(errors.IdempotencyConflict):
        assess(TreasuryAccountFactory())


def test_a_currency_without_instruments_is_judged_all_the_same(account):
    other = TreasuryAccountFactory(currency="EUR")
    operations.allocate(key="a", account_id=other.id, strategy="balanced", amount=Money(1_000_000, "EUR"))

    found = assess(other, key="step-2")

    assert (found.inputs.bond_duration, found.inputs.bond_liquid_share) == (0, 1)
    assert found.score > 0


@pytest.mark.parametrize(
    "act",
    [
        lambda: operations.assess_risk(key="k", account_id=NOBODY, cause=RiskCause.REQUEST),
        lambda: operations.open_hedge(key="k", account_id=NOBODY, notional=usd(1)),
        lambda: operations.close_hedge(key="k", undone_key="l", account_id=NOBODY),
        lambda: operations.shift_money(key="k", account_id=NOBODY, measure=RiskMeasure.REBALANCE, shifts=SALE),
        lambda: queries.plan_mitigation(NOBODY),
        lambda: queries.get_risk_overview(NOBODY),
    ],
)
def test_an_unknown_account_is_refused(db, act):
    with pytest.raises(errors.UnknownAccount):
        act()


# --- Shifting money --------------------------------------------------------------------------------------------------


def test_a_shift_is_one_balanced_transfer_and_one_event(account):
    sell(account)
    sell(account)

    assert balances(account)["allocated_equities"] == "6999900.00"
    assert balances(account)["operating"] == "100.00"
    assert events(account, RiskMeasureTaken) == [
        RiskMeasureTaken(account_id=account.id, measure=RiskMeasure.RAISE_LIQUIDITY, shifts=SALE)
    ]
    assert ledger_queries.verify() == []


def test_its_undo_restores_every_balance_once(account):
    before = balances(account)
    sell(account)

    assert [take_back(account), take_back(account)] == ["undone", "undone"]

    assert balances(account) == before
    assert len(events(account, RiskMeasureUndone)) == 1


def test_undoing_a_shift_that_never_was_keeps_it_from_being_made(account):
    before = balances(account)

    assert take_back(account) == "void"

    with pytest.raises(Exception) as refused:
        sell(account)
    assert refused.value.code == "key_voided"
    assert balances(account) == before
    assert events(account, RiskMeasureTaken, RiskMeasureUndone) == []


@pytest.mark.parametrize(
    ("shifts", "code"),
    [
        ((), "invalid_measure"),
        (SALE[:1], "invalid_measure"),
        ((*SALE, SALE[0]), "invalid_measure"),
        ((Shift(kind="external", amount=usd(1)), Shift(kind="operating", amount=usd(-1))), "invalid_measure"),
        ((Shift(kind="operating", amount=Money(1, "EUR")), Shift(kind="allocated_cash", amount=Money(-1, "EUR"))),
         "currency_mismatch"),
        ((Shift(kind="operating", amount=usd(8_000_000)), Shift(kind="allocated_equities", amount=usd(-8_000_000))),
         "insufficient_funds"),
    ],
)  # fmt: skip
def test_a_shift_that_does_not_fit_is_refused_and_nothing_is_written(account, shifts, code):
    before, recorded = balances(account), StoredEvent.objects.count()

    with pytest.raises(Exception) as refused:
        sell(account, shifts=shifts)

    assert refused.value.code == code
    assert (balances(account), StoredEvent.objects.count()) == (before, recorded)


# --- Hedging ---------------------------------------------------------------------------------------------------------


def test_a_hedge_lowers_the_score_until_it_is_closed(account):
    before = assess(account, key="a-1").score
    hedge(account, notional="3000000.00")
    between = assess(account, key="a-2").score
    unhedge(account)

    assert between < before
    assert assess(account, key="a-3").score == before


def test_a_hedge_is_opened_and_closed_once_for_its_key(account):
    opened = hedge(account)

    assert hedge(account) == opened
    assert queries.list_hedges(account.id) == [opened]
    assert [unhedge(account), unhedge(account)] == ["undone", "undone"]
    assert HedgePosition.objects.get().status == HedgeStatus.CLOSED
    assert len(events(account, RiskMeasureTaken)) == len(events(account, RiskMeasureUndone)) == 1
    with pytest.raises(errors.IdempotencyConflict):
        hedge(account, notional="501.00")
    with pytest.raises(errors.IdempotencyConflict):
        unhedge(TreasuryAccountFactory())


def test_undoing_a_hedge_that_never_was_keeps_it_from_being_opened(account):
    assert [unhedge(account), unhedge(account)] == ["void", "void"]

    with pytest.raises(errors.HedgeVoided):
        hedge(account)
    assert queries.list_hedges(account.id) == []


@pytest.mark.parametrize(
    ("notional", "code"), [(usd(0), "invalid_measure"), (usd(-1), "invalid_measure"),
                           (Money(1, "EUR"), "currency_mismatch")]
)  # fmt: skip
def test_a_hedge_that_makes_no_sense_is_refused_and_nothing_is_written(account, notional, code):
    with pytest.raises(errors.TreasuryError) as refused:
        operations.open_hedge(key="k", account_id=account.id, notional=notional)

    assert refused.value.code == code
    assert HedgePosition.objects.count() == 0


# --- Planning --------------------------------------------------------------------------------------------------------


def test_a_freeze_of_another_cause_does_not_stand_in_for_one_of_risk(account):
    operations.freeze_account(key="f", account_id=account.id, cause="compliance")

    assert queries.plan_mitigation(account.id).freeze is True


def test_money_on_hold_is_not_at_hand():
    have_instruments()
    account = TreasuryAccountFactory(balance="100.00")
    before = queries.get_risk_inputs(account)
    own = ledger_queries.find_account(owner=account.ledger_owner, kind="operating", currency="USD")
    ledger.place_hold(key="all", account_id=own.id, amount=own.available)

    after = queries.get_risk_inputs(account)

    assert before.operating == own.available and after.operating == Money("0.00", "USD")


def test_an_account_that_is_frozen_for_its_risk_is_not_frozen_again(account):
    assert queries.plan_mitigation(account.id).freeze is True

    operations.freeze_account(key="f", account_id=account.id, cause=f"{RISK_FREEZE} 90.00")

    assert queries.plan_mitigation(account.id).freeze is False


def test_assessments_are_read_page_by_page(account):
    moment = iter(range(100))
    with clock.source(lambda: datetime(2026, 7, 16, 0, next(moment) % 60, tzinfo=UTC)):
        made = [assess(account, key=f"a-{number}").id for number in range(3)]

    first, after = queries.page_assessments(account.id, limit=2)
    rest, end = queries.page_assessments(account.id, limit=2, after=after)

    assert [item.id for item in (*first, *rest)] == made[::-1]
    assert end is None
