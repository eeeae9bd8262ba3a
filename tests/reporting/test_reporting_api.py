"""Reports over REST: ordered, listed, read; and what is refused leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reporting import activities, queries
from reporting.models import Report
from tests.api.conftest import assert_problem
from tests.reporting import books
from workflows.models import AuditEntry, HistoryEvent, Run

pytestmark = pytest.mark.django_db

REPORTS = "/api/v1/reporting/reports/"
BODY = {"report": "treasury_positions", "format": "csv"}


def order(client, body=None, **headers):
    return client.post(REPORTS, BODY if body is None else body, headers=headers)


def written():
    return [model.objects.count() for model in (Report, Run, HistoryEvent, AuditEntry)]


def test_an_order_answers_at_once_with_a_report_that_can_be_read(env, treasury, operator) -> None:
    response = order(operator)

    body = response.json()
    assert response.status_code == 201
    assert (body["status"], body["report"], body["format"]) == ("pending", "treasury_positions", "csv")
    assert (body["business_date"], body["requested_by"], body["download_url"]) == ("2026-01-05", "operator", None)
    assert response["Location"] == f"http://testserver{REPORTS}{body['id']}/"
    assert operator.get(response["Location"]).json()["run_id"] == body["run_id"]


def test_an_order_that_waits_answers_with_the_report_that_is_ready(env, treasury, operator) -> None:
    response = order(operator, Prefer="wait=10")

    body = response.json()
    assert (response.status_code, body["status"]) == (201, "ready")
    assert response["Preference-Applied"] == "wait=10"
    assert operator.get(body["download_url"]).status_code == 200


def test_an_order_that_waits_in_vain_is_accepted_and_open(env, treasury, operator) -> None:
    env.mock(activities.generate_report).raises(RuntimeError("slow"))

    response = order(operator, Prefer="wait=0")

    assert (response.status_code, response.json()["status"]) == (202, "pending")


def test_the_same_key_gives_the_same_report(env, treasury, operator) -> None:
    first = order(operator, **{"Idempotency-Key": "r1"})
    again = order(operator, **{"Idempotency-Key": "r1"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Report.objects.count() == 1


def test_the_same_key_for_another_report_is_a_conflict(env, treasury, operator) -> None:
    order(operator, **{"Idempotency-Key": "r1"})
    before = written()

    response = order(operator, {**BODY, "format": "pdf"}, **{"Idempotency-Key": "r1"})

    assert_problem(response, 409, "key_conflict")
    assert written() == before


def test_a_day_that_is_over_can_be_asked_for(env, treasury, operator) -> None:
    env.now += books.DAY

    body = order(operator, {**BODY, "business_date": "2026-01-05"}).json()

    assert body["business_date"] == "2026-01-05"


def test_a_day_that_has_not_begun_is_refused(env, treasury, operator) -> None:
    before = written()
    tomorrow = (env.now.date() + timedelta(days=1)).isoformat()

    assert_problem(order(operator, {**BODY, "business_date": tomorrow}), 422, "business_date_ahead")
    assert written() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"report": "treasury_positions"},
        {"format": "csv"},
        {**BODY, "report": "everything"},
        {**BODY, "report": "TREASURY_POSITIONS"},
        {**BODY, "report": 1},
        {**BODY, "report": None},
        {**BODY, "report": ["loan_book"]},
        {**BODY, "format": "xls"},
        {**BODY, "format": True},
        {**BODY, "business_date": "yesterday"},
        {**BODY, "business_date": "2026-02-30"},
        {**BODY, "business_date": "2026-01-05T00:00:00Z"},
        {**BODY, "business_date": 20260105},
        {**BODY, "business_date": ""},
        {**BODY, "more": 1},
        [],
        "loan_book",
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_nothing_is_written(env, operator, body) -> None:
    before = written()

    assert order(operator, body).json()["code"] == "invalid_input"
    assert written() == before


def test_a_date_of_null_is_no_date(env, treasury, operator) -> None:
    assert order(operator, {**BODY, "business_date": None}).status_code == 201


def test_without_a_login_nothing_is_ordered(env, anonymous) -> None:
    assert_problem(order(anonymous), 401, "not_authenticated")


def test_who_may_only_read_orders_nothing(env, viewer) -> None:
    before = written()

    assert_problem(order(viewer), 403, "permission_denied")
    assert written() == before


def test_who_may_not_see_what_it_is_made_of_orders_nothing(env, client_with) -> None:
    client = client_with("reporting.add_report", "workflows.start_run", "ledger.view_account", "lending.view_loan")
    before = written()

    assert_problem(order(client), 403, "source_forbidden")
    assert written() == before
    assert order(client, {**BODY, "report": "loan_book"}).status_code == 201


def test_who_may_not_start_runs_orders_nothing(env, client_with) -> None:
    client = client_with("reporting.add_report", "ledger.view_account", "treasury.view_treasuryaccount")
    before = written()

    assert_problem(order(client), 403, "permission_denied")
    assert written() == before


def test_a_report_tells_what_was_recorded_with_its_file(env, treasury, viewer) -> None:
    report = books.made(env)

    body = viewer.get(f"{REPORTS}{report.id}/").json()

    assert body["status"] == "ready"
    assert body["download_url"] == f"http://testserver{REPORTS}{report.id}/download/"
    file = body["file"]
    assert (file["sha256"], file["size"], file["rows"]) == (report.file.sha256, report.file.size, 8)
    assert (file["as_of"]["transfers"], file["ties"]) == (3, True)
    assert {
        "label": "operating", "amount": {"amount": "900000.00", "currency": "USD"}, "count": 1
    } in file["totals"]  # fmt: skip
    assert file["reconciliation"][-1]["difference"] == {"amount": "0.00", "currency": "USD"}
    assert body["metadata"]["code_version"] == report.metadata.code_version
    assert "name" not in file
    assert [run["id"] for run in body["runs"]] == [str(report.run_id)]


def test_a_pending_report_has_no_file_yet(env, treasury, viewer) -> None:
    report = books.order()

    body = viewer.get(f"{REPORTS}{report.id}/").json()

    assert (body["status"], body["file"], body["metadata"], body["published_at"]) == ("pending", None, None, None)


@pytest.mark.parametrize("address", ["3fa85f64-5717-4562-b3fc-2c963f66afa6", "nonsense"])
def test_a_report_that_is_not_there_is_not_found(viewer, address) -> None:
    assert_problem(viewer.get(f"{REPORTS}{address}/"), 404, "not_found")


def test_reports_are_listed_newest_first_page_by_page(env, treasury, viewer) -> None:
    made = []
    for _ in range(5):
        made.append(books.order())
        env.now += timedelta(seconds=1)

    first = viewer.get(f"{REPORTS}?limit=3").json()
    second = viewer.get(first["next"]).json()

    assert [item["id"] for item in first["results"] + second["results"]] == [str(item.id) for item in reversed(made)]
    assert second["next"] is None


def test_reports_are_found_by_kind_and_day(env, treasury, viewer) -> None:
    old = books.order()
    env.now += books.DAY
    book = books.order("loan_book")

    def found(query):
        return [item["id"] for item in viewer.get(f"{REPORTS}?{query}").json()["results"]]

    assert found("report=loan_book") == [str(book.id)]
    assert found("business_date=2026-01-05") == [str(old.id)]


@pytest.mark.parametrize("query", ["report=nothing", "business_date=soon", "status=ready", "limit=0", "cursor=x"])
def test_a_filter_that_does_not_fit_is_refused(viewer, query) -> None:
    assert viewer.get(f"{REPORTS}?{query}").status_code == 400


def test_who_may_not_view_reports_sees_none(env, treasury, client_with) -> None:
    report = books.order()
    client = client_with("ledger.view_account")

    assert_problem(client.get(REPORTS), 403, "permission_denied")
    assert_problem(client.get(f"{REPORTS}{report.id}/"), 403, "permission_denied")


def test_a_list_costs_the_same_however_many_are_ready(env, treasury, viewer, django_assert_num_queries) -> None:
    for _ in range(4):
        books.made(env)
    viewer.get(REPORTS)  # permissions are read once

    with django_assert_num_queries(1):
        queries.page_reports(limit=50)
