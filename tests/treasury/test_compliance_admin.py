"""Issue 10.4: compliance in the console and at the command line: cases are looked at and decided, thresholds edited."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.treasury.compliance import NOW, cases_of, in_review, move, only_case, open_account, saga_of
from treasury import queries
from treasury.contracts import CASE_PERIOD, AccountStatus, CaseStatus, HolderFacts
from treasury.models import AmlThreshold, ComplianceCase, Movement
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db


def url(model, page, *args):
    return reverse(f"admin:treasury_{model._meta.model_name}_{page}", args=args)


def signed_in(role, name):
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def approver(workflow_env):
    return signed_in("approver", "otto")


@pytest.fixture
def viewer(workflow_env):
    return signed_in("viewer", "vera")


@pytest.fixture
def account(workflow_env):
    """An account with a case about its opening and one about a movement."""
    opened = open_account(facts=HolderFacts())
    move(opened, "20000.00", counterparty="Kang Myong-hyok")
    workflow_env.skip(NOW)
    return opened


@pytest.mark.parametrize("model", [ComplianceCase, Movement])
def test_lists_and_rows_open(viewer, account, model):
    assert viewer.get(url(model, "changelist")).status_code == 200
    assert viewer.get(url(model, "change", model.objects.first().pk)).status_code == 200


@pytest.mark.parametrize("model", [ComplianceCase, Movement])
def test_what_operations_write_cannot_be_added_changed_or_deleted(admin_client, account, model):
    row = model.objects.first()
    before = list(model.objects.order_by("pk").values())

    answers = [
        admin_client.get(url(model, "add")),
        admin_client.post(url(model, "change", row.pk), {"reason": "changed"}),
        admin_client.post(url(model, "delete", row.pk), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(model.objects.order_by("pk").values()) == before


def test_a_case_shows_what_was_found_and_who_may_not_decide(viewer, account):
    movement = cases_of(account)[1]

    page = viewer.get(url(ComplianceCase, "change", movement.id)).content.decode()

    assert "above threshold" in page and "Kang Myong-hyok [SYN-0004]" in page
    assert "clerk, teller" in page and str(saga_of(account).id) in page


def test_a_void_case_is_not_shown(viewer, account):
    row = ComplianceCase.objects.first()
    ComplianceCase.objects.filter(pk=row.pk).update(status=CaseStatus.VOID, closed_at=row.opened_at)

    assert str(row.pk) not in viewer.get(url(ComplianceCase, "changelist")).content.decode()


def test_a_dialog_changes_nothing_when_it_is_only_opened(approver, account):
    case = cases_of(account)[0]
    before = cases_of(account)

    page = approver.get(url(ComplianceCase, "decide", case.id))

    assert page.status_code == 200 and "documents incomplete" in page.content.decode()
    assert cases_of(account) == before


def test_an_approver_rejects_in_the_dialog(workflow_env, approver, account):
    case = cases_of(account)[0]
    assert (
        url(ComplianceCase, "decide", case.id) in approver.get(url(ComplianceCase, "change", case.id)).content.decode()
    )

    answer = approver.post(
        url(ComplianceCase, "decide", case.id), {"decision": "reject", "reason": "forged"}, follow=True
    )

    assert "The case is rejected." in answer.content.decode()
    assert (queries.get_case(case.id).status, queries.get_case(case.id).decided_by) == (CaseStatus.REJECTED, "otto")
    assert queries.get_account(account.id).status is AccountStatus.FROZEN


@pytest.mark.parametrize("form", [{"decision": "clear"}, {"reason": "x"}, {"decision": "maybe", "reason": "x"}, {}])
def test_a_dialog_that_is_not_filled_in_decides_nothing(approver, account, form):
    case = cases_of(account)[0]

    assert approver.post(url(ComplianceCase, "decide", case.id), form).status_code == 200
    assert queries.get_case(case.id).status is CaseStatus.OPEN


def test_who_may_not_decide_is_kept_out(viewer, account):
    case = cases_of(account)[0]
    path = url(ComplianceCase, "decide", case.id)

    assert viewer.get(path).status_code == 403
    assert viewer.post(path, {"decision": "clear", "reason": "x"}).status_code == 403
    assert path not in viewer.get(url(ComplianceCase, "change", case.id)).content.decode()


def test_who_is_involved_gets_no_button_and_a_refusal(workflow_env, account):
    clerk = signed_in("approver", "clerk")
    case = cases_of(account)[0]
    path = url(ComplianceCase, "decide", case.id)

    assert path not in clerk.get(url(ComplianceCase, "change", case.id)).content.decode()
    assert "same_officer" in clerk.post(path, {"decision": "clear", "reason": "x"}).content.decode()
    assert queries.get_case(case.id).status is CaseStatus.OPEN


def test_a_refusal_is_told_in_the_dialog(approver, account):
    case = cases_of(account)[0]
    path = url(ComplianceCase, "decide", case.id)
    approver.post(path, {"decision": "clear", "reason": "x"})

    assert "case_decided" in approver.post(path, {"decision": "reject", "reason": "y"}).content.decode()


def test_the_queue_counts_open_and_overdue_cases(workflow_env, account):
    workflow_env.skip(CASE_PERIOD + timedelta(days=1))
    user = User.objects.create_superuser("root")

    (view,) = [item for item in runs.list_work_queues(user=user) if item.queue.name == "treasury.compliancecases"]
    assert (view.count.number, view.count.overdue) == (2, 2)


def test_a_threshold_is_added_by_an_approver_and_not_by_a_viewer(approver, viewer, workflow_env):
    form = {
        "currency": "SEK", "reporting_minor": "10000000", "window_days": "7", "valid_from": "2026-11-01",
        "source": "a policy",
    }  # fmt: skip

    assert viewer.post(url(AmlThreshold, "add"), form).status_code == 403
    assert approver.post(url(AmlThreshold, "add"), form).status_code == 302
    assert AmlThreshold.objects.get(currency="SEK").reporting.to_text() == "100000.00"


@pytest.mark.parametrize(
    "change",
    [{"currency": "XXQ"}, {"reporting_minor": "0"}, {"window_days": "0"}, {"valid_to": "2026-10-01"}, {"source": ""}],
)
def test_a_threshold_that_makes_no_sense_is_refused(approver, change):
    before = AmlThreshold.objects.count()
    form = {
        "currency": "SEK", "reporting_minor": "1", "window_days": "7", "valid_from": "2026-11-01", "source": "a policy",
    }  # fmt: skip

    answer = approver.post(url(AmlThreshold, "add"), form | change)

    assert answer.status_code == 200 and AmlThreshold.objects.count() == before


# --- Command line ----------------------------------------------------------------------------------------------------


def command(*arguments):
    out = StringIO()
    call_command("decide_case", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_command_decides(workflow_env):
    account, case = in_review(workflow_env)

    assert command(case.id, "clear", "--reason", "seen") == f"case {case.id} is cleared\n"
    assert only_case(account).decided_by.startswith("os:")


def test_the_command_decides_as_a_user_with_the_permission(workflow_env):
    account, case = in_review(workflow_env)
    user = User.objects.create_user("olga")
    user.user_permissions.add(Permission.objects.get(codename="decide_compliancecase"))

    command(case.id, "clear", "--reason", "seen", "--user", "olga")

    assert only_case(account).decided_by == "olga"


def test_refusals_of_the_command_have_their_exit_codes(workflow_env):
    account, case = in_review(workflow_env)
    User.objects.create_user("vera")
    User.objects.create_superuser("clerk")

    def code(*arguments):
        with pytest.raises(CommandError) as refused:
            command(*arguments)
        return refused.value.returncode

    assert code(account.id, "clear", "--reason", "x") == 3
    assert code(case.id, "clear", "--reason", " ") == 2
    assert code(case.id, "clear", "--reason", "x", "--user", "nobody") == 2
    assert code(case.id, "clear", "--reason", "x", "--user", "vera") == 5
    assert code(case.id, "clear", "--reason", "x", "--user", "clerk") == 5
    engine.pause_run(saga_of(account).id, reason="looking")
    assert code(case.id, "clear", "--reason", "x") == 4
    engine.resume_run(saga_of(account).id, reason="looked")
    command(case.id, "clear", "--reason", "x")
    assert code(case.id, "reject", "--reason", "x") == 4
    assert only_case(account).status is CaseStatus.CLEARED
