"""Issue 10.4: an opening starts compliance: documents, sanctions lists, opening balance; what is found is a case."""

from datetime import timedelta

import pytest
from django.db import transaction

from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from tests.treasury.compliance import (
    NOW,
    PROVEN,
    cases_of,
    holder,
    kinds_of,
    only_case,
    open_account,
    saga_of,
    state_of,
)
from tests.treasury.factories import balances
from treasury.contracts import CASE_PERIOD, CaseStatus, CaseTrigger, HolderFacts
from treasury.events import TreasuryAccountCreated
from treasury.models import ComplianceCase
from workflows import events, queries

pytestmark = pytest.mark.django_db

#: Longer than eight attempts of a call take.
OUTAGE = timedelta(minutes=30)


def test_an_account_about_which_nothing_is_found_is_monitored(workflow_env):
    account = open_account(balance="100.00")
    workflow_env.skip(NOW)

    state = state_of(account)
    assert (state.account_id, state.status) == (account.id, "monitoring")
    assert (state.cases, state.examined, state.steps) == ((), 0, ("holder checked",))
    assert cases_of(account) == []


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (HolderFacts(), "documents_incomplete"),
        (holder("9005"), "documents_incomplete"),
        (holder("9001"), "identity_not_proven"),
        (holder("9003"), "identity_not_proven"),
        (holder("9004"), "identity_not_proven"),
    ],
)
def test_documents_that_do_not_prove_the_holder_open_a_case(workflow_env, facts, kind):
    account = open_account(facts=facts)
    workflow_env.skip(NOW)

    case = only_case(account)
    assert (case.trigger, case.status, kinds_of(case)) == (CaseTrigger.OPENING, CaseStatus.OPEN, [kind])
    assert case.deadline - case.opened_at == CASE_PERIOD
    assert (case.involved, case.run_id) == (("clerk",), saga_of(account).id)
    assert state_of(account).status == "in_review"


def test_a_name_on_a_sanctions_list_opens_a_case_that_names_the_entry(workflow_env):
    account = open_account("Victor Malenkow")
    workflow_env.skip(NOW)

    (finding,) = only_case(account).findings
    assert finding.kind == "sanctions_match"
    assert "Viktor Andreyevich Malenkov [SYN-0001]" in finding.detail and "synthetic-2026-11" in finding.detail


def test_findings_of_both_checks_stand_in_one_case(workflow_env):
    account = open_account("Victor Malenkow", HolderFacts())
    workflow_env.skip(NOW)

    assert kinds_of(only_case(account)) == ["documents_incomplete", "sanctions_match"]


def test_a_large_opening_balance_is_examined_after_the_holder(workflow_env):
    account = open_account(balance="10000.01", facts=HolderFacts())
    workflow_env.skip(NOW)

    opening, movement = cases_of(account)
    assert (opening.trigger, movement.trigger) == (CaseTrigger.OPENING, CaseTrigger.MOVEMENT)
    assert kinds_of(movement) == ["above_threshold"]
    assert [len(state_of(account).cases), state_of(account).examined] == [2, 1]


@pytest.mark.parametrize(
    ("party", "kind"),
    [("document_verification", "identity_unchecked"), ("sanctions_screening", "sanctions_unchecked")],
)
def test_a_check_that_cannot_be_made_is_left_to_an_officer(workflow_env, party, kind):
    impose(party=party, failure=Failure.NOT_TAKEN, times=None)
    account = open_account()
    workflow_env.skip(OUTAGE)

    assert kinds_of(only_case(account)) == [kind]
    assert saga_of(account).status == "waiting"


@pytest.mark.parametrize("failure", [Failure.NOT_TAKEN, Failure.FAILED, Failure.CALL_LOST, Failure.ANSWER_LOST])
def test_a_check_that_fails_once_is_made_again(workflow_env, failure):
    impose(party="document_verification", failure=failure)
    impose(party="sanctions_screening", failure=failure)
    account = open_account()
    workflow_env.skip(OUTAGE)

    assert cases_of(account) == [] and state_of(account).status == "monitoring"


def test_an_outage_of_both_parties_gives_one_case(workflow_env):
    impose(party="document_verification", failure=Failure.NOT_TAKEN, times=None)
    impose(party="sanctions_screening", failure=Failure.NOT_TAKEN, times=None)
    account = open_account()
    workflow_env.skip(OUTAGE)

    assert kinds_of(only_case(account)) == ["identity_unchecked", "sanctions_unchecked"]


def test_the_state_before_the_holder_is_checked_is_checking(workflow_env):
    impose(party="document_verification", failure=Failure.NOT_TAKEN, times=None)
    account = open_account()
    workflow_env.skip(timedelta(seconds=3))

    assert state_of(account).status == "checking"


def test_an_opening_that_is_told_five_times_starts_one_run(workflow_env):
    account = open_account()
    told = TreasuryAccountCreated(account_id=account.id, account_type="operating", name="Ada Byron", currency="USD")
    for _ in range(4):
        events.publish(told)
    workflow_env.skip(NOW)

    assert len(queries.list_runs(workflow="treasury.ComplianceSaga")) == 1
    assert state_of(account).steps == ("holder checked",)


def test_an_opening_that_is_rolled_back_starts_nothing(workflow_env):
    with pytest.raises(RuntimeError), transaction.atomic():
        open_account(facts=HolderFacts())
        raise RuntimeError("taken back")
    workflow_env.skip(NOW)

    assert queries.list_runs(workflow="treasury.ComplianceSaga") == []
    assert ComplianceCase.objects.count() == 0


def test_an_opened_account_has_its_balance_while_it_is_looked_into(workflow_env):
    account = open_account(balance="20000.00", facts=HolderFacts())
    workflow_env.skip(NOW)

    assert balances(account)["operating"] == "20000.00"


def test_a_run_found_by_its_account_is_the_saga(workflow_env):
    account = open_account(facts=PROVEN)
    workflow_env.skip(NOW)

    found = queries.list_runs(attributes={"treasury_account": account.id})
    assert [run.id for run in found] == [saga_of(account).id]


def test_a_saga_survives_a_new_worker_with_its_case(workflow_env):
    account = open_account(facts=HolderFacts())
    workflow_env.skip(NOW)
    before = state_of(account)

    workflow_env.restart()
    workflow_env.skip(timedelta(hours=1))

    assert state_of(account) == before
