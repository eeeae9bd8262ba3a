"""Reporting in the console: the list, a report's page, the dialog that orders one, and the file."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from reporting import activities, operations, queries
from reporting.models import Download, Report
from tests.reporting import books
from workflows.models import Run

pytestmark = pytest.mark.django_db

LIST = reverse("admin:reporting_report_changelist")
ORDER = reverse("admin:reporting_report_order")
ONCE = re.compile(r'name="once" value="([^"]+)"')


def signed_in(role, name):
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def olga(env):
    return signed_in("operator", "olga")


@pytest.fixture
def vera(env):
    return signed_in("viewer", "vera")


def page_of(report):
    return reverse("admin:reporting_report_change", args=[report.id])


def file_of(report):
    return reverse("admin:reporting_report_file", args=[report.id])


def once(client):
    return ONCE.search(client.get(ORDER).content.decode())[1]


def send(client, **changes):
    given = {"kind": "loan_book", "format": "pdf", "business_date": "", "once": once(client), **changes}
    return client.post(ORDER, given, follow=True)


# --- Ordering --------------------------------------------------------------------------------------------------------


def test_the_list_offers_a_new_report_to_who_may_order_one(olga, vera) -> None:
    assert ORDER in olga.get(LIST).content.decode()
    assert ORDER not in vera.get(LIST).content.decode()


def test_the_dialog_orders_a_report_and_leads_to_its_page(env, olga, loans) -> None:
    response = send(olga)

    report = Report.objects.get()
    assert response.redirect_chain[-1][0] == page_of(report)
    assert (report.kind, report.format, report.requested_by) == ("loan_book", "pdf", "olga")
    assert "The order is accepted; the run is pending." in response.content.decode()


def test_opening_the_dialog_writes_nothing(env, olga) -> None:
    before = Run.objects.count()

    assert olga.get(ORDER).status_code == 200

    assert (Report.objects.count(), Run.objects.count()) == (0, before)


def test_a_dialog_that_is_sent_twice_orders_one_report(env, olga) -> None:
    key = once(olga)

    send(olga, once=key)
    again = send(olga, once=key)

    assert Report.objects.count() == 1
    assert "sent twice" in again.content.decode()


def test_a_dialog_without_its_key_orders_nothing(env, olga) -> None:
    response = send(olga, once="made up")

    assert Report.objects.count() == 0
    assert "send again" in response.content.decode()


@pytest.mark.parametrize(
    "changes",
    [{"kind": "everything"}, {"format": "doc"}, {"business_date": "soon"}, {"kind": ""}],
)
def test_a_dialog_that_does_not_fit_orders_nothing(env, olga, changes) -> None:
    response = send(olga, **changes)

    assert response.status_code == 200
    assert Report.objects.count() == 0


def test_a_day_that_has_not_begun_is_refused_in_words(env, olga) -> None:
    response = send(olga, business_date=(env.now.date() + timedelta(days=1)).isoformat())

    assert "business_date_ahead" in response.content.decode()
    assert Report.objects.count() == 0


def test_who_may_not_order_does_not_reach_the_dialog(vera) -> None:
    assert vera.get(ORDER).status_code == 403
    assert vera.post(ORDER, {"kind": "loan_book", "format": "pdf"}).status_code == 403
    assert Report.objects.count() == 0


def test_other_methods_are_refused(olga) -> None:
    assert olga.put(ORDER).status_code == 405


# --- Looking ---------------------------------------------------------------------------------------------------------


def test_a_reports_page_tells_its_file_totals_ties_and_run(env, vera, treasury) -> None:
    report = books.made(env)

    told = vera.get(page_of(report)).content.decode()

    for text in (report.file.sha256, report.metadata.code_version, "900,000.00", "ties", "reporting.ReportGeneration"):
        assert text in told, text
    assert "differs" not in told
    assert "completed" in told


def test_a_report_that_is_being_made_says_so(env, vera, treasury) -> None:
    told = vera.get(page_of(books.order())).content.decode()

    assert "The file is being made" in told
    assert "Download treasury" not in told


def test_a_report_whose_run_failed_says_that_it_has_no_file(env, vera, treasury) -> None:
    env.mock(activities.generate_report).raises(RuntimeError("away"))
    report = books.order()
    env.skip(timedelta(minutes=1))

    told = vera.get(page_of(report)).content.decode()

    assert "withdrawn" in told
    assert "The file is being made" not in told


def test_lists_and_pages_open_for_a_viewer(env, vera, treasury) -> None:
    report = books.made(env)
    vera.post(file_of(report))

    assert vera.get(LIST).status_code == 200
    assert vera.get(f"{LIST}?q={report.id}").status_code == 200
    downloads = reverse("admin:reporting_download_changelist")
    assert "vera" in vera.get(downloads).content.decode()
    change = reverse("admin:reporting_download_change", args=[Download.objects.get().pk])
    assert vera.get(change).status_code == 200


@pytest.mark.parametrize("address", ["3fa85f64-5717-4562-b3fc-2c963f66afa6", "nonsense"])
def test_a_page_that_is_not_there_leads_away(olga, address) -> None:
    assert olga.get(reverse("admin:reporting_report_change", args=[address])).status_code == 302
    assert olga.post(reverse("admin:reporting_report_file", args=[address])).status_code == 404


# --- The file --------------------------------------------------------------------------------------------------------


def test_the_button_sends_the_file_and_records_it(env, vera, treasury) -> None:
    report = books.made(env, format="pdf")
    assert f"Download {report.filename}" in vera.get(page_of(report)).content.decode()

    response = vera.post(file_of(report))

    assert b"".join(response.streaming_content) == books.content_of(report)
    assert response["Content-Type"] == "application/pdf"
    assert [(item.actor, item.door) for item in queries.list_downloads(report.id)] == [("vera", "console")]
    assert "vera" in vera.get(page_of(report)).content.decode()


def test_looking_at_the_file_by_get_gives_and_records_nothing(env, vera, treasury) -> None:
    report = books.made(env)

    assert vera.get(file_of(report)).status_code == 405
    assert queries.list_downloads(report.id) == []


def test_a_report_that_was_taken_back_sends_words_and_no_file(env, vera, treasury) -> None:
    report = books.made(env)
    operations.withdraw_report(report_id=report.id)

    response = vera.post(file_of(report), follow=True)

    assert "report_withdrawn" in response.content.decode()


def test_who_may_not_download_sees_no_button_and_gets_nothing(env, treasury) -> None:
    report = books.made(env)
    client = signed_in("viewer", "nina")
    Group.objects.get(name="viewer").permissions.remove(
        *Group.objects.get(name="viewer").permissions.filter(codename="download_report")
    )

    assert "Download treasury" not in client.get(page_of(report)).content.decode()
    assert client.post(file_of(report)).status_code == 403
    assert queries.list_downloads(report.id) == []
