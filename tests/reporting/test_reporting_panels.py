"""Reports on the pages of others: a report and its run find each other."""

from __future__ import annotations

import pytest

from tests.lending.doors import member
from tests.reporting import books
from workflows import queries as runs

pytestmark = pytest.mark.django_db


class Everybody:
    """A user who may see everything."""

    def has_perm(self, permission):
        return True


def test_a_run_names_its_report_and_the_report_its_run(env, treasury) -> None:
    report = books.made(env, format="pdf")

    found = runs.list_related([runs.get_run(report.run_id)], user=Everybody())

    assert [(record.kind, record.id, record.title, record.status) for record in found.records] == [
        ("reporting.report", report.id, "Treasury positions of 2026-01-05 as pdf", "ready")
    ]
    assert found.unread == ()
    assert [run.id for run in runs.list_runs_of("reporting.report", report.id, user=Everybody()).runs] == [
        report.run_id
    ]


def test_a_report_is_found_by_its_id(env, treasury) -> None:
    report = books.order()

    hits = member("viewer").get(f"/api/v1/search/?text={report.id}").json()

    assert "reporting.report" in str(hits)


def test_the_engines_path_tells_a_report_and_leads_to_its_own(env, treasury) -> None:
    report = books.made(env)

    body = member("viewer").get(f"/api/v1/records/reporting.report/{report.id}/").json()

    assert body["url"].endswith(f"/api/v1/reporting/reports/{report.id}/")
