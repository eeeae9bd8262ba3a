"""The wallet on the pages of others: a withdrawal, its account, its case and its run find each other."""

from datetime import timedelta

import pytest

from tests.wallet.factories import RETURNED_LATE, add_destination
from tests.wallet.flows import AMOUNT, begin, confirmed, withdrawal_of
from wallet import operations, panels
from wallet.contracts import Resolution
from wallet.workflows import WithdrawalWorkflow
from workflows import queries as runs

pytestmark = pytest.mark.django_db


class Everybody:
    """A user who may see everything."""

    def has_perm(self, permission):
        return True


def kinds_of(run):
    found = runs.list_related([runs.get_run(run.id)], user=Everybody())
    assert found.unread == ()
    return {record.kind: record.id for record in found.records}


def runs_of(kind, record_id):
    return [run.id for run in runs.list_runs_of(kind, record_id, user=Everybody()).runs]


def test_a_withdrawal_and_its_account_know_the_run_and_are_known_by_it(env, account, destination):
    run = begin(env, account, destination)

    assert kinds_of(run) == {"wallet.withdrawal": withdrawal_of(run).id, "wallet.walletaccount": account.id}
    assert runs_of("wallet.withdrawal", withdrawal_of(run).id) == [run.id]
    assert runs_of("wallet.walletaccount", account.id) == [run.id]


def test_a_run_that_was_refused_before_it_wrote_a_withdrawal_is_the_accounts_too(env, account, destination):
    run = env.start(WithdrawalWorkflow, account.id, AMOUNT, destination.id)
    operations.freeze_account(account.id, actor="olga", reason="asked by the court")
    env.skip(timedelta(minutes=1))

    assert withdrawal_of(run) is None
    assert kinds_of(run) == {"wallet.walletaccount": account.id}
    assert runs_of("wallet.walletaccount", account.id) == [run.id]


def test_an_open_case_waits_in_its_queue_and_is_its_runs(env, account):
    run = confirmed(env, account, add_destination(account, ending=RETURNED_LATE))
    env.finish(run.id)
    case = operations.record_return(key="r", withdrawal_id=withdrawal_of(run).id, reason="closed", actor="desk")
    env.skip(timedelta(hours=2))

    count = panels._open_cases()

    assert (count.number, count.oldest_at) == (1, env.now - timedelta(hours=2))
    assert kinds_of(run)["wallet.case"] == case.id
    assert runs_of("wallet.case", case.id) == [run.id]
    operations.resolve_case(case.id, resolution=Resolution.CREDITED, reason="looked into it", actor="officer")
    assert panels._open_cases().number == 0


def test_the_money_of_a_withdrawal_is_its_hold_and_then_its_capture(env, account, destination, viewer):
    run = begin(env, account, destination)
    path = f"/api/v1/records/wallet.withdrawal/{withdrawal_of(run).id}/"

    (held,) = viewer.get(path).json()["money"]["holds"]

    assert (held["status"], held["amount"]["amount"]) == ("held", "100.00")
    assert held["account"]["owner_title"] == account.customer.name


def test_after_confirmation_the_money_is_in_transit(env, account, destination, viewer):
    run = confirmed(env, account, destination)

    money = viewer.get(f"/api/v1/runs/{run.id}/money/").json()

    net = {item["account"]["kind"]: item["balance"]["amount"] for item in money["net"]}
    assert net == {"wallet": "-100.00", "in_transit": "100.00"}
    assert [item["kind"] for item in money["transfers"]] == ["capture"]


def test_a_withdrawals_and_an_accounts_detail_tell_the_run(env, account, destination, viewer):
    run = begin(env, account, destination)

    for path in (f"withdrawals/{withdrawal_of(run).id}", f"accounts/{account.id}"):
        assert [item["id"] for item in viewer.get(f"/api/v1/wallet/{path}/").json()["runs"]] == [str(run.id)]


def test_an_address_or_an_id_finds_the_account_and_no_part_of_one(env, account):
    def hits(term):
        return [record.id for record in runs.search_records(term, user=Everybody()).records]

    assert hits(account.customer.email) == hits(str(account.id)) == [account.id]
    assert hits(account.customer.email[:-1]) == []


def test_the_key_of_its_hold_finds_a_withdrawal(env, account, destination):
    run = begin(env, account, destination)
    (hold,) = runs.money_of([run.id], user=Everybody()).money.holds

    found = {record.kind for record in runs.search_records(hold.key, user=Everybody()).records}

    assert found == {"wallet.withdrawal", "ledger.hold"}
