"""`manage.py seed_demo`: users, accounts and runs to look at, once, and in development only."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from finaegis.management import demo
from treasury import queries as treasury
from workflows import queries
from workflows.models import AuditEntry, Run


@pytest.fixture
def env(workflow_env):
    workflow_env.now = datetime(2026, 7, 15, tzinfo=UTC)  # the demo's instruments are valid then
    return workflow_env


def seed():
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def states():
    return {run.key: (run.status, run.hold_reason) for run in queries.list_runs()}


def test_demo_runs_complete_are_undone_and_wait_for_somebody(env):
    seed()
    env.skip(timedelta(minutes=1))

    assert states() == {
        "demo:cash:completed": ("completed", None),
        "demo:cash:compensated": ("compensated", None),
        "demo:cash:paused": ("held", "paused"),
        "demo:withdrawal:1": ("waiting", None),
    }


def test_demo_accounts_hold_what_their_runs_left(env):
    seed()
    env.skip(timedelta(minutes=1))

    accounts = {account.name: account for account in treasury.list_accounts()}
    used = treasury.get_overview(accounts["Operating liquidity"].id)
    assert {entry.kind: entry.balance.to_text() for entry in used.ledger_accounts} == {
        "operating": "900000.00",
        "allocated_cash": "20000.00",
        "allocated_bonds": "40000.00",
        "allocated_equities": "40000.00",
    }
    assert set(accounts) == {"Operating liquidity", "Strategic reserve", "European liquidity"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", demo.LOGINS)
def test_every_login_that_is_named_works_at_the_console(name):
    demo.make_users()

    user = authenticate(username=name, password=demo.PASSWORD)

    assert user is not None
    assert user.is_staff


@pytest.mark.django_db
def test_each_user_has_the_role_of_their_name():
    demo.make_users()

    roles = {user.username: [group.name for group in user.groups.all()] for user in User.objects.all()}
    assert roles == {name: [] if name == "admin" else [name] for name in demo.LOGINS}


def test_a_second_call_adds_nothing(env):
    seed()
    env.skip(timedelta(minutes=1))
    before = (User.objects.count(), Run.objects.count(), AuditEntry.objects.count(), states())

    seed()
    env.skip(timedelta(minutes=1))

    assert (User.objects.count(), Run.objects.count(), AuditEntry.objects.count(), states()) == before


def test_a_second_call_leaves_a_changed_password_and_a_resumed_run_alone(env):
    seed()
    user = User.objects.get(username="viewer")
    user.set_password("my own")
    user.save()
    (paused,) = queries.list_runs(key="demo:cash:paused")
    call_command("workflow", "resume", str(paused.id), "--reason", "seen enough", stdout=StringIO())
    env.skip(timedelta(minutes=1))

    seed()

    assert User.objects.get(username="viewer").check_password("my own")
    assert states()["demo:cash:paused"] == ("completed", None)


def test_it_names_the_logins(env):
    assert seed() == (
        "logins: admin operator approver viewer auditor, password finaegis\nruns: 3, of which one is held as paused\n"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("module", ["finaegis.settings.production", "finaegis.settings.base", "elsewhere.settings"])
def test_other_settings_than_development_are_refused(settings, module):
    settings.SETTINGS_MODULE = module

    with pytest.raises(CommandError, match="development settings only"):
        seed()

    assert (User.objects.count(), Run.objects.count()) == (0, 0)
