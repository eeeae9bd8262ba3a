"""Issue 10.4: movements and compliance cases over REST: permissions, bad input, and one run from door to end."""

import uuid

import pytest
from django.contrib.auth.models import Group, Permission, User

from tests.api.conftest import assert_problem, client_of
from tests.treasury.compliance import NOW, cases_of, in_review, move, only_case, open_account, saga_of
from tests.treasury.factories import balances
from treasury import queries
from treasury.contracts import AccountStatus, CaseStatus
from treasury.models import AccountHolder, Movement, TreasuryAccount
from workflows.models import AuditEntry

pytestmark = pytest.mark.django_db
ACCOUNTS = "/api/v1/treasury/accounts/"
CASES = "/api/v1/treasury/compliance/cases/"
DECIDE = ("treasury.decide_compliancecase", "treasury.view_compliancecase")


def key(value=None):
    return {"HTTP_IDEMPOTENCY_KEY": value or str(uuid.uuid4())}


@pytest.fixture
def approver(db):
    user = User.objects.create_user("otto", password="x")
    user.groups.add(Group.objects.get(name="approver"))
    return client_of(user)


def movements(account):
    return f"{ACCOUNTS}{account.id}/movements/"


# --- Opening and moving ----------------------------------------------------------------------------------------------


def test_from_the_opening_to_the_rejection(workflow_env, operator, approver):
    body = {
        "name": "Ada Byron",
        "currency": "USD",
        "initial_balance": "12000.00",
        "country": "GB",
        "documents": [{"kind": "passport", "reference": "P-9001"}],
    }
    opened = operator.post(ACCOUNTS, body, **key())
    assert opened.status_code == 201, opened.json()
    workflow_env.skip(NOW)

    listed = approver.get(CASES, {"account_id": opened.json()["id"], "status": "open"}).json()["results"]
    assert sorted(item["trigger"] for item in listed) == ["movement", "opening"]
    first = next(item for item in listed if item["trigger"] == "opening")
    assert first["findings"] == [{"kind": "identity_not_proven", "detail": "P-9001: not_genuine"}]
    assert first["involved"] == ["operator"]
    refused = operator.post(f"{CASES}{first['id']}/decision/", {"decision": "clear", "reason": "mine"})
    assert_problem(refused, 403, "permission_denied")

    decided = approver.post(f"{CASES}{first['id']}/decision/", {"decision": "reject", "reason": "forged"})
    assert (decided.status_code, decided.json()["status"], decided.json()["decided_by"]) == (200, "rejected", "otto")
    workflow_env.skip(NOW)
    account = queries.get_account(opened.json()["id"])
    assert (account.status, saga_of(account).status) == (AccountStatus.FROZEN, "completed")
    assert_problem(
        operator.post(movements(account), {"direction": "in", "amount": "1.00"}, **key()), 422, "account_frozen"
    )


def test_the_same_opening_with_other_documents_is_a_conflict(workflow_env, operator):
    body = {"name": "Ada", "currency": "USD", "documents": [{"kind": "passport", "reference": "P-1"}]}
    operator.post(ACCOUNTS, body, **key("k"))

    assert operator.post(ACCOUNTS, body, **key("k")).status_code == 200
    other = body | {"documents": [{"kind": "passport", "reference": "P-2"}]}
    assert_problem(operator.post(ACCOUNTS, other, **key("k")), 409, "idempotency_conflict")
    assert AccountHolder.objects.count() == 1


@pytest.mark.parametrize(
    "told", [{"country": "gb"}, {"documents": "P-1"}, {"documents": [{"kind": "passport"}]}, {"documents": [None]}]
)
def test_a_holder_that_does_not_fit_is_refused_and_nothing_is_opened(workflow_env, operator, told):
    answer = operator.post(ACCOUNTS, {"name": "Ada", "currency": "USD"} | told, **key())

    assert_problem(answer, 422, "invalid_holder")
    assert TreasuryAccount.objects.count() == 0


def test_a_movement_is_recorded_once_and_listed(workflow_env, operator):
    account = open_account()
    body = {"direction": "in", "amount": "20000.00", "counterparty": "Grace Hopper", "country": "US"}

    first = operator.post(movements(account), body, **key("k"))
    again = operator.post(movements(account), body, **key("k"))
    workflow_env.skip(NOW)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["amount"] == {"amount": "20000.00", "currency": "USD"}
    assert [item["id"] for item in operator.get(movements(account)).json()["results"]] == [first.json()["id"]]
    assert only_case(account).involved == ("clerk", "operator")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"direction": "up", "amount": "1.00"}, 422, "invalid_movement"),
        ({"direction": "in", "amount": "0"}, 422, "amount_not_positive"),
        ({"direction": "out", "amount": "1.00"}, 422, "insufficient_funds"),
        ({"direction": "in", "amount": "1.001"}, 422, None),
        ({"direction": "in", "amount": "NaN"}, 422, None),
        ({"direction": "in", "amount": 1}, 422, "invalid_input"),
        ({"direction": "in"}, 422, "invalid_input"),
        ({"direction": "in", "amount": "1.00", "more": 1}, 422, "invalid_input"),
        ({"direction": "in", "amount": "1.00", "country": "us"}, 422, "invalid_movement"),
        ([], 422, "invalid_input"),
    ],
)
def test_a_movement_that_does_not_fit_writes_nothing(workflow_env, operator, body, status, code):
    account = open_account()

    answer = operator.post(movements(account), body, **key())

    assert_problem(answer, status, code or answer.json()["code"])
    assert (Movement.objects.count(), balances(account)["operating"]) == (0, "0.00")


def test_a_movement_needs_a_key_an_account_and_the_permission(workflow_env, operator, viewer, anonymous):
    account = open_account()
    body = {"direction": "in", "amount": "1.00"}

    assert_problem(operator.post(movements(account), body), 400, "idempotency_key_required")
    assert_problem(operator.post(f"{ACCOUNTS}{uuid.uuid4()}/movements/", body, **key()), 404, "not_found")
    assert_problem(operator.get(f"{ACCOUNTS}{uuid.uuid4()}/movements/"), 404, "not_found")
    assert_problem(viewer.post(movements(account), body, **key()), 403, "permission_denied")
    assert anonymous.post(movements(account), body, **key()).status_code == 401
    assert Movement.objects.count() == 0


# --- Cases -----------------------------------------------------------------------------------------------------------


def test_a_case_is_shown_with_its_run(workflow_env, approver):
    account, case = in_review(workflow_env)

    shown = approver.get(f"{CASES}{case.id}/").json()

    assert (shown["id"], shown["account_id"], shown["status"]) == (str(case.id), str(account.id), "open")
    assert [run["id"] for run in shown["runs"]] == [str(saga_of(account).id)]


def test_cases_are_paged_and_filtered(workflow_env, approver):
    account, _ = in_review(workflow_env)
    for _ in range(3):
        move(account, "20000.00")
    workflow_env.skip(NOW)

    first = approver.get(CASES, {"limit": 3}).json()
    rest = approver.get(CASES, {"limit": 3, "cursor": first["next"].split("cursor=")[1].split("&")[0]}).json()

    ids = [item["id"] for item in [*first["results"], *rest["results"]]]
    assert sorted(ids) == sorted(str(case.id) for case in cases_of(account))
    assert approver.get(CASES, {"status": "rejected"}).json()["results"] == []
    assert_problem(approver.get(CASES, {"status": "void"}), 400, "invalid_query")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"decision": "maybe", "reason": "x"}, 422, "invalid_decision"),
        ({"decision": "clear"}, 400, "reason_required"),
        ({"decision": "clear", "reason": "  "}, 400, "reason_required"),
        ({"reason": "x"}, 422, "invalid_input"),
        ({"decision": "clear", "reason": "x", "officer": "otto"}, 422, "invalid_input"),
        ({"decision": None, "reason": "x"}, 422, "invalid_input"),
        ([], 422, "invalid_input"),
    ],
)
def test_a_decision_that_does_not_fit_changes_nothing(workflow_env, approver, body, status, code):
    account, case = in_review(workflow_env)
    before = AuditEntry.objects.count()

    assert_problem(approver.post(f"{CASES}{case.id}/decision/", body), status, code)

    assert only_case(account) == case and AuditEntry.objects.count() == before


def test_a_case_is_decided_once(workflow_env, approver):
    account, case = in_review(workflow_env)
    path = f"{CASES}{case.id}/decision/"

    first = approver.post(path, {"decision": "clear", "reason": "seen"})
    again = approver.post(path, {"decision": "clear", "reason": "seen"})
    other = approver.post(path, {"decision": "reject", "reason": "seen"})

    assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
    assert_problem(other, 409, "case_decided")
    assert only_case(account).status is CaseStatus.CLEARED


def test_who_is_involved_is_forbidden_to_decide(workflow_env, client_with):
    _, case = in_review(workflow_env)
    clerk = User.objects.create_user("clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="decide_compliancecase"))

    answer = client_of(clerk).post(f"{CASES}{case.id}/decision/", {"decision": "clear", "reason": "mine"})

    assert_problem(answer, 403, "same_officer")


def test_a_case_that_there_is_not(workflow_env, approver):
    for path in (f"{CASES}{uuid.uuid4()}/",):
        assert_problem(approver.get(path), 404, "not_found")
        assert_problem(approver.post(f"{path}decision/", {"decision": "clear", "reason": "x"}), 404, "not_found")


def test_cases_are_seen_and_decided_by_permission(workflow_env, viewer, anonymous, client_with):
    _, case = in_review(workflow_env)
    body = {"decision": "clear", "reason": "x"}

    assert viewer.get(f"{CASES}{case.id}/").status_code == 200
    assert_problem(viewer.post(f"{CASES}{case.id}/decision/", body), 403, "permission_denied")
    assert_problem(client_with().get(CASES), 403, "permission_denied")
    assert anonymous.get(CASES).status_code == 401
    assert client_with(*DECIDE).post(f"{CASES}{case.id}/decision/", body).status_code == 200
