"""Roles: which permissions each begins with, and that later migrations respect what an administrator changed."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from finaegis import groups

pytestmark = pytest.mark.django_db

ACTS = {"start_run", "retry_run", "compensate_run", "cancel_run", "rerun_run", "pause_run", "resume_run"}


def held(role):
    return set(Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename"))


def of_app(role, app):
    return {codename for label, codename in held(role) if label == app}


def migrate_again():
    groups.make_groups(using="default")


def member(role):
    user = User.objects.create_user(f"a-{role}")
    user.groups.add(Group.objects.get(name=role))
    return user


def test_there_is_a_group_for_each_role():
    assert set(Group.objects.values_list("name", flat=True)) == {"operator", "approver", "viewer", "auditor"}


def test_an_operator_may_do_every_act_on_runs():
    assert of_app("operator", "workflows") >= ACTS


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_viewers_and_auditors_only_look(role):
    """A query of a run reads its state, and a report tells what one may see: both are looking."""
    done = {codename for _, codename in held(role) if not codename.startswith("view_")}

    assert done == {"query_run", "download_report"}


def test_an_approver_looks_and_decides():
    decided = {name for name in held("approver") if not name[1].startswith("view_")}

    assert decided == {
        ("workflows", "query_run"),
        ("reporting", "download_report"),
        ("lending", "decide_application"),
        ("treasury", "decide_compliancecase"),
        ("treasury", "add_amlthreshold"),
        ("treasury", "change_amlthreshold"),
        ("wallet", "change_case"),
        ("wallet", "add_limitset"),
        ("wallet", "change_limitset"),
    }


@pytest.mark.parametrize("role", ["operator", "approver", "viewer", "auditor"])
@pytest.mark.parametrize(
    "permission",
    ["workflows.view_run", "ledger.view_account", "ledger.view_transfer", "treasury.view_treasuryaccount"],
)
def test_every_role_sees_runs_and_money(role, permission):
    assert member(role).has_perm(permission)


def test_an_operator_edits_accounts_and_instruments_and_asks_for_assessments_and_nothing_else():
    edited = {name for name in held("operator") if not name[1].startswith("view_") and name[0] == "treasury"}

    assert edited == {
        ("treasury", "add_treasuryaccount"),
        ("treasury", "change_treasuryaccount"),
        ("treasury", "add_instrument"),
        ("treasury", "change_instrument"),
        ("treasury", "add_movement"),
        ("treasury", "add_riskassessment"),
        ("treasury", "change_riskassessment"),
    }


def test_an_operator_trades_and_nobody_else_does():
    traded = {name[1] for name in held("operator") if name[0] == "exchange" and not name[1].startswith("view_")}

    assert traded == {
        "add_tradingaccount", "add_instrument", "change_instrument", "add_order", "change_order", "change_trade",
    }  # fmt: skip
    for role in ("approver", "viewer", "auditor"):
        assert all(codename.startswith("view_") for codename in of_app(role, "exchange"))


@pytest.mark.parametrize(
    ("role", "sees"), [("operator", True), ("approver", True), ("viewer", False), ("auditor", True)]
)
def test_who_reads_the_audit_trail(role, sees):
    assert member(role).has_perm("workflows.view_auditentry") is sees


def test_an_auditor_sees_who_may_do_what():
    assert {("auth", "view_user"), ("auth", "view_group"), ("admin", "view_logentry")} <= held("auditor")


def test_a_permission_that_was_taken_away_stays_away():
    group = Group.objects.get(name="operator")
    group.permissions.remove(Permission.objects.get(codename="cancel_run"))

    migrate_again()

    assert "cancel_run" not in of_app("operator", "workflows")


def test_a_permission_that_was_given_by_hand_stays():
    group = Group.objects.get(name="viewer")
    group.permissions.add(Permission.objects.get(codename="pause_run"))

    migrate_again()

    assert "pause_run" in of_app("viewer", "workflows")


def test_a_permission_that_a_migration_brings_reaches_the_groups():
    """As if the act `pause` were new: neither the permission nor anybody who holds it."""
    Permission.objects.get(codename="pause_run").delete()

    migrate_again()

    assert "pause_run" in of_app("operator", "workflows")
    assert "pause_run" not in of_app("viewer", "workflows")


def test_a_group_that_was_deleted_is_made_again():
    Group.objects.get(name="viewer").delete()

    migrate_again()

    assert ("workflows", "view_run") in held("viewer")


def test_permissions_of_other_apps_are_not_given():
    content = ContentType.objects.get(app_label="auth", model="user")
    Permission.objects.create(codename="view_salary", name="x", content_type=content)

    migrate_again()

    assert all(("auth", "view_salary") not in held(role) for role in groups.ROLES)


@pytest.mark.django_db(transaction=True)
def test_groups_are_there_again_after_a_flush():
    call_command("flush", interactive=False, verbosity=0)

    assert of_app("operator", "workflows") >= ACTS
