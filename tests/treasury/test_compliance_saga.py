"""Issue 10.4: compliance when steps fail, when it is cancelled, and what an operator can do about it."""

from datetime import timedelta

import pytest

from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from tests.treasury.compliance import (
    NOW,
    PROVEN,
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
from treasury.activities import (
    check_identity,
    conclude_case,
    escalate_case,
    judge_movement,
    lift_rejection,
    open_case,
    screen_counterparty,
    screen_holder,
    withdraw_case,
)
from treasury.contracts import CASE_PERIOD, AccountStatus, CaseStatus, Finding, FindingKind, HolderFacts, OpenedCase
from treasury.errors import CaseVoided, IdempotencyConflict, TreasuryError, UndoneKeyMissing, UnknownCase
from treasury.models import ComplianceCase, Freeze
from workflows import NonRetryable
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db
BROKEN = NonRetryable("it is broken", code="broken")
FOUND = (Finding(kind=FindingKind.SANCTIONS_MATCH, detail="told by the police"),)


def held(account):
    run = saga_of(account)
    return run.status, run.hold_reason


# --- Steps that fail -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "kind"),
    [(check_identity, "identity_unchecked"), (screen_holder, "sanctions_unchecked")],
)
def test_a_check_of_the_holder_that_fails_for_good_is_a_finding(workflow_env, step, kind):
    workflow_env.mock(step).raises(BROKEN)
    account = open_account()
    workflow_env.skip(NOW)

    (finding,) = only_case(account).findings
    assert (finding.kind, finding.detail) == (kind, "the check could not be made: broken")


def test_a_screening_of_a_counterparty_that_fails_for_good_is_a_finding(workflow_env):
    workflow_env.mock(screen_counterparty).raises(BROKEN)
    account = open_account()
    move(account, "20000.00", counterparty="Grace Hopper")
    workflow_env.skip(NOW)

    assert [item.kind for item in only_case(account).findings] == ["above_threshold", "sanctions_unchecked"]


@pytest.mark.parametrize("step", [judge_movement, open_case])
def test_a_step_of_ours_that_fails_holds_the_run_and_clears_nobody(workflow_env, step):
    workflow_env.mock(step).raises(BROKEN)
    account = open_account()
    move(account, "20000.00")
    workflow_env.skip(NOW)

    assert held(account)[0] == "held" and cases_of(account) == []


def test_an_operator_retries_a_held_run_and_the_case_is_opened(workflow_env):
    workflow_env.mock(judge_movement).raises(BROKEN).returns(FOUND)
    account = open_account()
    move(account, "20000.00")
    workflow_env.skip(NOW)

    engine.retry_run(saga_of(account).id, reason="mended")
    workflow_env.skip(NOW)

    assert only_case(account).status is CaseStatus.OPEN
    assert saga_of(account).status == "waiting"


def test_a_mark_that_cannot_be_written_holds_the_run_and_the_case_stays_open(workflow_env):
    workflow_env.mock(escalate_case).raises(BROKEN)
    account, _ = in_review(workflow_env)
    workflow_env.skip(CASE_PERIOD)

    assert held(account)[0] == "held"
    assert only_case(account).status is CaseStatus.OPEN


def test_a_decision_that_cannot_be_recorded_is_refused_and_can_be_taken_again(workflow_env):
    workflow_env.mock(conclude_case).raises(BROKEN)
    account, case = in_review(workflow_env)

    with pytest.raises(TreasuryError) as refused:
        decide(case.id, "clear")

    assert refused.value.code == "broken"
    assert only_case(account).status is CaseStatus.OPEN
    assert state_of(account).status == "in_review"


def test_an_attempt_at_a_case_that_failed_is_undone_as_a_recorded_no_op(workflow_env):
    workflow_env.mock(open_case).raises(BROKEN)
    workflow_env.expect_compensation(withdraw_case)
    account = open_account(facts=HolderFacts())
    workflow_env.skip(NOW)

    engine.compensate_run(saga_of(account).id, reason="give up")
    workflow_env.skip(NOW)

    assert saga_of(account).status == "compensated"
    assert cases_of(account) == []
    assert ComplianceCase.objects.get().status == CaseStatus.VOID


def test_an_undo_that_fails_holds_the_run(workflow_env):
    account, case = in_review(workflow_env)
    decide(case.id, "reject")
    workflow_env.skip(NOW)
    workflow_env.mock(lift_rejection).raises(BROKEN)

    engine.compensate_run(saga_of(account).id, reason="the wrong person")
    workflow_env.skip(NOW)

    assert held(account)[0] == "held"
    assert queries.get_account(account.id).status is AccountStatus.FROZEN


# --- Cancelled at each await -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("party", ["document_verification", "sanctions_screening"])
def test_cancelled_while_the_holder_is_checked(workflow_env, party):
    impose(party=party, failure=Failure.NOT_TAKEN, times=None)
    account = open_account(facts=HolderFacts() if party == "sanctions_screening" else PROVEN)
    workflow_env.skip(timedelta(seconds=3))

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(timedelta(hours=1))

    assert saga_of(account).status == "cancelled" and cases_of(account) == []


@pytest.mark.parametrize("step", [open_case, judge_movement])
def test_cancelled_while_a_step_is_tried_again(workflow_env, step):
    workflow_env.mock(step).raises(TimeoutError("busy"))
    account = open_account(facts=HolderFacts())
    if step is judge_movement:
        move(account, "20000.00")
    workflow_env.skip(NOW)

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(timedelta(hours=1))

    assert saga_of(account).status == "cancelled"
    assert {case.status for case in cases_of(account)} <= {CaseStatus.WITHDRAWN}


def test_cancelled_while_a_counterparty_is_screened(workflow_env):
    account = open_account()
    workflow_env.skip(NOW)
    impose(party="sanctions_screening", failure=Failure.NOT_TAKEN, times=None)
    move(account, "20000.00", counterparty="Grace Hopper")
    workflow_env.skip(timedelta(seconds=3))

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(timedelta(hours=1))

    assert saga_of(account).status == "cancelled" and cases_of(account) == []


def test_cancelled_while_it_monitors(workflow_env):
    account = open_account()
    workflow_env.skip(NOW)

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(NOW)

    assert saga_of(account).status == "cancelled"


def test_cancelled_when_a_case_is_overdue(workflow_env):
    account, _ = in_review(workflow_env)
    workflow_env.skip(CASE_PERIOD)

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(NOW)

    assert only_case(account).status is CaseStatus.WITHDRAWN


def test_cancelled_while_a_mark_is_tried_again(workflow_env):
    workflow_env.mock(escalate_case).raises(TimeoutError("busy"))
    account, _ = in_review(workflow_env)
    workflow_env.skip(CASE_PERIOD)

    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(NOW)

    assert (saga_of(account).status, only_case(account).status) == ("cancelled", CaseStatus.WITHDRAWN)


# --- Operations ------------------------------------------------------------------------------------------------------


def test_a_case_is_opened_once_for_its_key(workflow_env):
    account, other = open_account(), open_account("Bo")
    told = {"account_id": account.id, "movement_id": None, "findings": FOUND}

    first, again = operations.open_case(key="k", **told), operations.open_case(key="k", **told)

    assert first == again and isinstance(first, OpenedCase)
    with pytest.raises(IdempotencyConflict):
        operations.open_case(key="k", **(told | {"account_id": other.id}))
    assert len(cases_of(account)) == 1


def test_a_movement_of_another_account_gives_no_case(workflow_env):
    account, other = open_account(), open_account("Bo")
    movement = move(other, "1.00")

    with pytest.raises(IdempotencyConflict):
        operations.open_case(key="k", account_id=account.id, movement_id=movement.id, findings=FOUND)

    assert ComplianceCase.objects.count() == 0


def test_a_case_that_was_undone_before_it_was_opened_is_not_opened_later(workflow_env):
    account = open_account()
    operations.withdraw_case(key="u", undone_key="k", account_id=account.id)
    operations.withdraw_case(key="u", undone_key="k", account_id=account.id)

    with pytest.raises(CaseVoided):
        operations.open_case(key="k", account_id=account.id, movement_id=None, findings=FOUND)

    assert cases_of(account) == []
    assert ComplianceCase.objects.count() == 1


def test_a_case_of_another_account_is_not_withdrawn(workflow_env):
    account, other = open_account(), open_account("Bo")
    operations.open_case(key="k", account_id=account.id, movement_id=None, findings=FOUND)

    with pytest.raises(IdempotencyConflict):
        operations.withdraw_case(key="u", undone_key="k", account_id=other.id)

    assert only_case(account).status is CaseStatus.OPEN


def test_a_case_without_findings_is_none(workflow_env):
    with pytest.raises(ValueError, match="findings"):
        operations.open_case(key="k", account_id=open_account().id, movement_id=None, findings=())


def test_a_case_that_there_is_not_is_not_escalated(workflow_env):
    with pytest.raises(UnknownCase):
        operations.escalate_case(open_account().id)


def test_undos_run_only_as_undos(workflow_env):
    account = open_account()

    with pytest.raises(UndoneKeyMissing):
        withdraw_case(account_id=account.id)
    with pytest.raises(UndoneKeyMissing):
        lift_rejection(account_id=account.id, decision="reject")


def test_a_cleared_case_leaves_no_freeze_behind_when_it_is_undone(workflow_env):
    account, case = in_review(workflow_env)
    decide(case.id, "clear")
    engine.cancel_run(saga_of(account).id, reason="opened by mistake")
    workflow_env.skip(NOW)

    assert Freeze.objects.count() == 0


def test_every_steps_history_is_sound(workflow_env):
    _, case = in_review(workflow_env)
    decide(case.id, "reject")
    workflow_env.skip(NOW)

    assert list(runs.verify_all()) == []
