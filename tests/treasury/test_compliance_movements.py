"""Issue 10.4: money in and out as movements; large ones, alone or together, reach the account's saga in order."""

from datetime import timedelta

import pytest
from django.db import transaction

from finaegis.shared.money import Money
from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from tests.treasury.compliance import (
    NOW,
    cases_of,
    decide,
    kinds_of,
    move,
    only_case,
    open_account,
    saga_of,
    state_of,
)
from tests.treasury.factories import TreasuryAccountFactory, balances
from treasury import operations, queries
from treasury.contracts import CaseStatus
from treasury.errors import (
    AmountNotPositive,
    CurrencyMismatch,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidKey,
    InvalidMovement,
    TreasuryError,
    UnknownAccount,
    UnknownMovement,
)
from treasury.events import LargeMovementRecorded
from treasury.models import AmlThreshold, Movement
from treasury.sagas import compliance as saga_module
from workflows import events
from workflows import operations as engine
from workflows import queries as runs
from workflows.models import BusinessEvent

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def told() -> int:
    return BusinessEvent.objects.filter(type="treasury.LargeMovementRecorded").count()


def test_a_movement_moves_money_and_is_kept(workflow_env):
    account = open_account()

    into = move(account, "500.00", counterparty="Grace Hopper", country="US")
    out = move(account, "200.00", "out")

    assert balances(account)["operating"] == "300.00"
    assert [item.id for item in queries.page_movements(account_id=account.id, limit=10)[0]].count(into.id) == 1
    assert (out.recorded_by, into.counterparty, into.country) == ("teller", "Grace Hopper", "US")


def test_a_small_movement_is_not_examined(workflow_env):
    account = open_account()
    move(account, "10000.00")
    workflow_env.skip(NOW)

    assert (told(), state_of(account).examined, cases_of(account)) == (0, 0, [])


def test_a_movement_above_the_threshold_opens_a_case(workflow_env):
    account = open_account()
    movement = move(account, "10000.01")
    workflow_env.skip(NOW)

    case = only_case(account)
    assert (case.movement_id, kinds_of(case), case.involved) == (movement.id, ["above_threshold"], ("clerk", "teller"))
    assert state_of(account).examined == 1


def test_movements_that_add_up_within_the_window_open_a_case(workflow_env):
    account = open_account()
    for _ in range(3):
        move(account, "4000.00")
        workflow_env.skip(DAY)

    case = only_case(account)
    assert (kinds_of(case), told()) == (["structuring"], 1)


def test_movements_further_apart_than_the_window_open_none(workflow_env):
    account = open_account()
    for _ in range(3):
        move(account, "9000.00")
        workflow_env.skip(8 * DAY)

    assert cases_of(account) == []


def test_a_threshold_that_is_edited_holds_from_its_day(workflow_env):
    today = workflow_env.now.date()
    AmlThreshold.objects.create(
        currency="USD", reporting_minor=100_00, window_days=7, valid_from=today + DAY, source="a test"
    )
    account = open_account()
    move(account, "500.00")
    workflow_env.skip(DAY)
    assert cases_of(account) == []
    move(account, "500.00")
    workflow_env.skip(NOW)

    assert kinds_of(only_case(account)) == ["above_threshold"]


def test_a_currency_without_a_threshold_is_always_examined(workflow_env):
    AmlThreshold.objects.filter(currency="USD").delete()
    account = open_account()
    move(account, "0.01")
    workflow_env.skip(NOW)

    assert kinds_of(only_case(account)) == ["threshold_missing"]


def test_a_large_movement_with_a_listed_name_has_both_findings(workflow_env):
    account = open_account()
    move(account, "20000.00", counterparty="Kang Myong-hyok")
    workflow_env.skip(NOW)

    assert kinds_of(only_case(account)) == ["above_threshold", "sanctions_match"]


def test_a_counterparty_that_cannot_be_screened_is_left_to_an_officer(workflow_env):
    account = open_account()
    workflow_env.skip(NOW)
    impose(party="sanctions_screening", failure=Failure.NOT_TAKEN, times=None)
    move(account, "20000.00", counterparty="Grace Hopper")
    workflow_env.skip(timedelta(hours=1))

    assert kinds_of(only_case(account)) == ["above_threshold", "sanctions_unchecked"]


# --- Delivery --------------------------------------------------------------------------------------------------------


def test_movements_are_examined_in_their_order(workflow_env):
    account = open_account()
    moved = [move(account, "20000.00").id for _ in range(3)]
    workflow_env.skip(NOW)

    examined = [step for step in state_of(account).steps if step.startswith("movement")]
    assert examined == [f"movement {movement_id} examined" for movement_id in moved]


def test_a_movement_that_is_told_again_opens_no_second_case(workflow_env):
    account = open_account()
    movement = move(account, "20000.00")
    events.publish(LargeMovementRecorded(account_id=account.id, movement_id=movement.id))
    workflow_env.skip(NOW)
    events.publish(LargeMovementRecorded(account_id=account.id, movement_id=movement.id))
    workflow_env.skip(NOW)

    assert only_case(account).movement_id == movement.id


def test_a_movement_that_is_rolled_back_is_told_to_nobody(workflow_env):
    account = open_account()
    with pytest.raises(RuntimeError), transaction.atomic():
        move(account, "20000.00")
        raise RuntimeError("taken back")
    workflow_env.skip(NOW)

    assert (told(), cases_of(account), balances(account)["operating"]) == (0, [], "0.00")


def test_a_movement_that_comes_while_the_holder_is_checked_waits_for_its_turn(workflow_env):
    impose(party="document_verification", failure=Failure.NOT_TAKEN, times=2)
    account = open_account()
    move(account, "20000.00")
    workflow_env.skip(NOW)
    before = cases_of(account)
    workflow_env.skip(timedelta(minutes=1))

    assert before == []
    assert kinds_of(only_case(account)) == ["above_threshold"]


def test_a_movement_is_examined_while_a_case_waits(workflow_env):
    account = open_account()
    move(account, "20000.00")
    workflow_env.skip(10 * DAY)
    move(account, "30000.00")
    workflow_env.skip(NOW)

    assert [case.status for case in cases_of(account)] == [CaseStatus.OPEN] * 2


def test_an_account_without_a_saga_gets_one_by_hand(workflow_env):
    account = TreasuryAccountFactory()
    run = engine.start_run("treasury.ComplianceSaga", account.id, key=f"compliance:{account.id}")
    workflow_env.skip(NOW)
    operations.record_movement(key="k", account_id=account.id, direction="in", amount=Money("20000.00", "USD"))
    workflow_env.skip(NOW)

    assert [kinds_of(case) for case in cases_of(account)] == [["documents_incomplete"], ["above_threshold"]]
    assert runs.get_run(run.id).status == "waiting"


# --- A long life -----------------------------------------------------------------------------------------------------


def test_a_run_goes_on_as_new_and_takes_its_cases_along(workflow_env, monkeypatch):
    monkeypatch.setattr(saga_module, "_LINK_LENGTH", 2)
    account = open_account()
    for _ in range(5):
        move(account, "20000.00")
    workflow_env.skip(NOW)

    state = state_of(account)
    assert (saga_of(account).link, state.examined, len(state.cases)) == (3, 5, 5)
    assert {case.case_id for case in state.cases} == {case.id for case in cases_of(account)}


def test_a_case_of_an_earlier_link_is_decided_and_grows_overdue(workflow_env, monkeypatch):
    monkeypatch.setattr(saga_module, "_LINK_LENGTH", 1)
    account = open_account()
    move(account, "20000.00")
    move(account, "30000.00")
    workflow_env.skip(timedelta(days=31))
    first, second = cases_of(account)

    assert (first.overdue_at, second.overdue_at) != (None, None)
    assert decide(first.id, "clear").case.status is CaseStatus.CLEARED
    assert decide(second.id, "reject").case.status is CaseStatus.REJECTED
    workflow_env.skip(NOW)
    assert saga_of(account).status == "completed"


def test_the_undo_of_a_chain_reaches_the_cases_of_its_earlier_links(workflow_env, monkeypatch):
    monkeypatch.setattr(saga_module, "_LINK_LENGTH", 1)
    account = open_account()
    move(account, "20000.00")
    move(account, "30000.00")
    workflow_env.skip(NOW)

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(NOW)

    assert [case.status for case in cases_of(account)] == [CaseStatus.WITHDRAWN] * 2


# --- The door --------------------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_movement(workflow_env):
    account = open_account()
    facts = {"account_id": account.id, "direction": "in", "amount": Money("20000.00", "USD")}

    first = operations.record_movement(key="k", **facts)
    again = operations.record_movement(key="k", **facts)

    assert (first.id, first.created, again.created) == (again.id, True, False)
    assert (balances(account)["operating"], told()) == ("20000.00", 1)


@pytest.mark.parametrize(
    "change",
    [{"direction": "out"}, {"amount": Money("2.00", "USD")}, {"counterparty": "Grace"}, {"country": "US"}],
)
def test_a_key_with_other_facts_is_refused(workflow_env, change):
    account = open_account()
    facts = {"account_id": account.id, "direction": "in", "amount": Money("1.00", "USD")}
    operations.record_movement(key="k", **facts)

    with pytest.raises(IdempotencyConflict):
        operations.record_movement(key="k", **(facts | change))

    assert balances(account)["operating"] == "1.00"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"direction": "sideways"}, InvalidMovement),
        ({"amount": Money("0", "USD")}, AmountNotPositive),
        ({"amount": Money("-1", "USD")}, AmountNotPositive),
        ({"amount": Money("1", "EUR")}, CurrencyMismatch),
        ({"direction": "out", "amount": Money("1.01", "USD")}, InsufficientFunds),
        ({"counterparty": "x" * 201}, InvalidMovement),
        ({"counterparty": "a\x00b"}, InvalidMovement),
        ({"country": "usa"}, InvalidMovement),
        ({"country": "u1"}, InvalidMovement),
        ({"account_id": "00000000-0000-0000-0000-000000000000"}, UnknownAccount),
        ({"key": ""}, InvalidKey),
        ({"key": "x" * 241}, InvalidKey),
    ],
)
def test_a_movement_that_does_not_fit_is_refused_and_nothing_is_written(workflow_env, change, refusal):
    account = open_account(balance="1.00")
    facts = {"key": "k", "account_id": account.id, "direction": "in", "amount": Money("1.00", "USD")}

    with pytest.raises(refusal) as refused:
        operations.record_movement(**(facts | change))

    assert isinstance(refused.value, TreasuryError) and refused.value.code
    assert (Movement.objects.count(), balances(account)["operating"], told()) == (1, "1.00", 0)


def test_a_movement_that_there_is_not_is_not_judged(workflow_env):
    with pytest.raises(UnknownMovement):
        queries.judge_movement(open_account().id)
