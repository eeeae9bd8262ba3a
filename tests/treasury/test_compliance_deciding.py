"""Issue 10.4: an officer who is not involved clears or rejects a case, with a reason, once; a rejection freezes."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, User

from finaegis.shared.money import Money
from tests.treasury.compliance import (
    NOW,
    cases_of,
    decide,
    in_review,
    move,
    only_case,
    open_account,
    saga_of,
    state_of,
)
from treasury import operations, queries
from treasury.contracts import (
    CASE_PERIOD,
    AccountStatus,
    CaseStatus,
    ComplianceResult,
    ComplianceStatus,
    Finding,
    FindingKind,
    FreezeStatus,
    HolderFacts,
)
from treasury.errors import (
    AccountFrozen,
    CaseDecided,
    CaseDecisionInvalid,
    CaseRunHeld,
    DecisionUnproven,
    OfficerUnknown,
    ReasonMissing,
    SameOfficer,
    UnknownCase,
)
from treasury.models import Freeze
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_a_cleared_case_ends_and_the_account_is_monitored(workflow_env):
    account, case = in_review(workflow_env)

    decided = decide(case.id, "clear", "  passport seen ")
    workflow_env.skip(NOW)

    assert not decided.pending
    found = only_case(account)
    assert (found.status, found.decided_by, found.reason) == (CaseStatus.CLEARED, "os:olga", "passport seen")
    assert found.closed_at is not None
    assert state_of(account).status == "monitoring"
    assert queries.get_account(account.id).status is AccountStatus.ACTIVE


def test_a_rejected_case_freezes_the_account_and_ends_the_run(workflow_env):
    account, case = in_review(workflow_env)

    decide(case.id, "reject", "forged")
    workflow_env.skip(NOW)

    run = saga_of(account)
    assert (run.status, run.result) == (
        "completed",
        ComplianceResult(account_id=account.id, status=ComplianceStatus.REJECTED, case_id=case.id),
    )
    assert only_case(account).status is CaseStatus.REJECTED
    assert queries.get_account(account.id).status is AccountStatus.FROZEN
    assert state_of(account).status == "rejected"


def test_a_rejected_account_takes_no_allocation_and_no_movement(workflow_env):
    account = open_account(facts=HolderFacts(), balance="500.00")
    workflow_env.skip(NOW)
    decide(only_case(account).id, "reject", "forged")

    with pytest.raises(AccountFrozen):
        operations.allocate(key="a", account_id=account.id, strategy="balanced", amount=Money("100.00", "USD"))
    for direction in ("in", "out"):
        with pytest.raises(AccountFrozen):
            move(account, "1.00", direction)
    assert queries.get_available(queries.get_account(account.id)) == Money("500.00", "USD")


def test_a_freeze_of_another_cause_lets_money_move(workflow_env):
    account = open_account(balance="500.00")
    operations.freeze_account(key="risk", account_id=account.id, cause="risk")

    assert move(account, "1.00").created


def test_a_rejection_ends_the_other_cases_of_the_account(workflow_env):
    account = open_account(facts=HolderFacts(), balance="20000.00")
    workflow_env.skip(NOW)
    opening, movement = cases_of(account)

    decide(movement.id, "reject", "no source of funds")

    assert [case.status for case in cases_of(account)] == [CaseStatus.SUPERSEDED, CaseStatus.REJECTED]
    with pytest.raises(CaseDecided):
        decide(opening.id, "clear")


def test_cases_of_one_account_are_decided_one_by_one(workflow_env):
    account = open_account(facts=HolderFacts(), balance="20000.00")
    workflow_env.skip(NOW)
    opening, movement = cases_of(account)

    decide(movement.id, "clear", "salary")
    assert state_of(account).status == "in_review"
    decide(opening.id, "clear", "passport seen")

    assert state_of(account).status == "monitoring"
    assert [case.reason for case in cases_of(account)] == ["passport seen", "salary"]


# --- Who --------------------------------------------------------------------------------------------------------------


def test_who_opened_the_account_does_not_decide_its_case(workflow_env):
    account, case = in_review(workflow_env)

    with pytest.raises(SameOfficer):
        decide(case.id, "clear", actor="clerk")
    with pytest.raises(Exception) as refused:
        engine.update_run(saga_of(account).id, "decide", case.id, "clear", "because", "clerk", "forged")

    assert refused.value.code == "same_officer"
    assert only_case(account).status is CaseStatus.OPEN


def test_neither_who_opened_the_account_nor_who_recorded_the_movement_decides_about_it(workflow_env):
    account = open_account()
    move(account, "20000.00")
    workflow_env.skip(NOW)
    case = only_case(account)

    assert case.involved == ("clerk", "teller")
    for name in case.involved:
        with pytest.raises(SameOfficer):
            decide(case.id, "clear", actor=name)
    assert only_case(account).status is CaseStatus.OPEN


def test_a_decision_that_names_another_officer_by_another_door_counts_nothing(workflow_env):
    account, case = in_review(workflow_env)

    with pytest.raises(Exception) as refused:
        engine.update_run(saga_of(account).id, "decide", case.id, "clear", "because", "os:olga", "forged")

    assert refused.value.code == "decision_unproven"
    assert only_case(account).status is CaseStatus.OPEN
    decide(case.id, "clear")
    assert only_case(account).status is CaseStatus.CLEARED


def test_a_statement_counts_for_its_own_case_decision_officer_and_reason(workflow_env):
    _, case = in_review(workflow_env)

    with pytest.raises(DecisionUnproven):
        operations.conclude_case(
            key="k", case_id=case.id, decision="clear", reason="r", officer="os:olga", statement=""
        )

    assert queries.get_case(case.id).status is CaseStatus.OPEN


def test_a_users_name_is_the_officers(workflow_env):
    account, case = in_review(workflow_env)

    decide(case.id, "clear", actor=User.objects.create_user("olga"))

    assert only_case(account).decided_by == "olga"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": " "}, ReasonMissing),
        ({"reason": "x" * 2001}, ReasonMissing),
        ({"reason": "a\x00b"}, ReasonMissing),
        ({"decision": "maybe"}, CaseDecisionInvalid),
        ({"decision": ""}, CaseDecisionInvalid),
        ({"actor": None}, OfficerUnknown),
        ({"actor": " "}, OfficerUnknown),
        ({"actor": AnonymousUser()}, OfficerUnknown),
    ],
)
def test_a_decision_needs_a_word_a_reason_and_a_name(workflow_env, changes, refusal):
    account, case = in_review(workflow_env)
    before = state_of(account)

    with pytest.raises(refusal):
        decide(case.id, **({"decision": "clear"} | changes))

    assert only_case(account) == case and state_of(account) == before


def test_a_case_that_there_is_not_is_not_decided(workflow_env):
    account, _ = in_review(workflow_env)

    with pytest.raises(UnknownCase):
        decide(account.id, "clear")


# --- Once -------------------------------------------------------------------------------------------------------------


def test_the_same_decision_again_changes_nothing(workflow_env):
    account, case = in_review(workflow_env)

    first, again = decide(case.id, "reject"), decide(case.id, "reject")
    workflow_env.skip(NOW)

    assert first.case == again.case
    assert Freeze.objects.filter(account_id=account.id).count() == 1
    assert decide(case.id, "reject").case == first.case


def test_a_second_officer_comes_too_late(workflow_env):
    account, case = in_review(workflow_env)
    decide(case.id, "clear")

    with pytest.raises(CaseDecided):
        decide(case.id, "reject", actor="os:otto")

    assert only_case(account).status is CaseStatus.CLEARED


def test_a_held_run_takes_no_decision(workflow_env):
    account, case = in_review(workflow_env)
    engine.pause_run(saga_of(account).id, reason="looking")

    with pytest.raises(CaseRunHeld):
        decide(case.id, "clear")

    assert only_case(account).status is CaseStatus.OPEN


def test_a_case_without_a_run_is_decided_all_the_same(workflow_env):
    account = open_account()
    opened = operations.open_case(
        key="by hand",
        account_id=account.id,
        movement_id=None,
        findings=(Finding(kind=FindingKind.SANCTIONS_MATCH, detail="told by the police"),),
    )

    decide(opened.case_id, "reject")

    assert only_case(account).status is CaseStatus.REJECTED
    assert queries.get_account(account.id).status is AccountStatus.FROZEN


# --- Time -------------------------------------------------------------------------------------------------------------


def test_a_case_whose_time_is_over_is_overdue_and_stays_open(workflow_env):
    account, case = in_review(workflow_env)

    workflow_env.skip(CASE_PERIOD - timedelta(seconds=1))
    assert (only_case(account).overdue_at, state_of(account).status) == (None, "in_review")
    workflow_env.skip(timedelta(seconds=1))

    found = only_case(account)
    assert (found.status, found.overdue_at) == (CaseStatus.OPEN, case.deadline)
    assert state_of(account).status == "overdue"
    assert saga_of(account).status == "waiting"


def test_an_overdue_case_is_still_decided(workflow_env):
    account, case = in_review(workflow_env)
    workflow_env.skip(CASE_PERIOD + DAY)

    decide(case.id, "clear")

    assert only_case(account).status is CaseStatus.CLEARED
    assert state_of(account).status == "monitoring"


def test_each_case_has_its_own_time(workflow_env):
    account, _ = in_review(workflow_env)
    workflow_env.skip(10 * DAY)
    move(account, "20000.00")
    workflow_env.skip(CASE_PERIOD - 10 * DAY)

    assert [case.overdue_at is None for case in cases_of(account)] == [False, True]
    workflow_env.skip(10 * DAY)
    assert [case.overdue_at is None for case in cases_of(account)] == [False, False]


def test_a_decided_case_is_never_overdue(workflow_env):
    account, case = in_review(workflow_env)
    decide(case.id, "clear")
    workflow_env.skip(2 * CASE_PERIOD)

    assert only_case(account).overdue_at is None


# --- Undo -------------------------------------------------------------------------------------------------------------


def test_compensating_a_rejected_run_lifts_its_freeze_and_leaves_the_decision(workflow_env):
    account, case = in_review(workflow_env)
    decide(case.id, "reject")
    workflow_env.skip(NOW)

    engine.compensate_run(saga_of(account).id, reason="the wrong person")
    workflow_env.skip(NOW)

    assert saga_of(account).status == "compensated"
    assert queries.get_account(account.id).status is AccountStatus.ACTIVE
    assert only_case(account).status is CaseStatus.REJECTED
    assert move(account, "1.00").created


def test_the_plan_is_undone_from_the_newest_to_the_oldest(workflow_env):
    account = open_account(facts=HolderFacts(), balance="20000.00")
    workflow_env.skip(NOW)
    opening, movement = cases_of(account)
    decide(opening.id, "clear")
    decide(movement.id, "reject")
    workflow_env.skip(NOW)

    engine.compensate_run(saga_of(account).id, reason="the wrong person")
    workflow_env.skip(NOW)

    undone = [step.name for step in runs.list_steps(saga_of(account).id) if step.kind == "compensation"]
    assert undone == [
        "treasury.lift_rejection", "treasury.lift_rejection", "treasury.withdraw_case", "treasury.withdraw_case",
    ]  # fmt: skip
    assert [item.status for item in Freeze.objects.filter(account_id=account.id)] == [FreezeStatus.LIFTED]


def test_another_freeze_stays_when_a_rejection_is_undone(workflow_env):
    account, case = in_review(workflow_env)
    operations.freeze_account(key="risk", account_id=account.id, cause="risk")
    decide(case.id, "reject")
    workflow_env.skip(NOW)

    engine.compensate_run(saga_of(account).id, reason="the wrong person")
    workflow_env.skip(NOW)

    assert queries.get_account(account.id).status is AccountStatus.FROZEN


def test_a_cancelled_saga_withdraws_its_open_case(workflow_env):
    account, case = in_review(workflow_env)

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(NOW)

    assert saga_of(account).status == "cancelled"
    assert only_case(account).status is CaseStatus.WITHDRAWN
    with pytest.raises(CaseDecided):
        decide(case.id, "clear")


def test_a_cancelled_saga_leaves_a_cleared_case_as_it_is(workflow_env):
    account, case = in_review(workflow_env)
    decide(case.id, "clear")

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(NOW)

    assert only_case(account).status is CaseStatus.CLEARED
