"""reporting.ReportGeneration: each report in each format, from the order to a file that ties to the ledger."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from finaegis.settings.base import REPORTING
from ledger import queries as ledger
from reporting import queries
from reporting.contracts import ReportFormat, ReportKind, ReportResult, ReportStatus
from reporting.workflows import ReportGenerationWorkflow
from tests.reporting import books
from workflows import NonRetryable
from workflows import queries as runs

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("format", books.FORMATS)
@pytest.mark.parametrize("kind", books.KINDS)
def test_each_report_is_made_in_each_format_and_ties_to_the_ledger(env, everything, kind, format) -> None:
    report = books.made(env, kind, format)

    content = books.content_of(report)
    assert report.status is ReportStatus.READY
    assert report.file.ties
    assert report.file.rows >= 2
    assert (report.file.size, report.file.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_result_is_the_file_and_the_metadata(env, treasury) -> None:
    result = env.run(ReportGenerationWorkflow, ReportKind.TREASURY_POSITIONS, ReportFormat.CSV)

    assert isinstance(result, ReportResult)
    assert set(result.model_dump()) == {"report", "metadata"}
    report = queries.get_report(result.metadata.report_id)
    assert (report.file, report.metadata) == (result.report, result.metadata)


def test_a_report_records_from_where_and_by_which_code_it_was_made(env, treasury) -> None:
    report = books.made(env)

    position = ledger.read_position()
    assert report.file.as_of.transfers == position.transfers == 3
    assert (report.file.as_of.newest, report.file.as_of.posted_at) == (position.newest, position.posted_at)
    assert report.metadata.code_version == REPORTING["CODE_VERSION"]
    assert report.metadata.time_zone == "UTC"
    assert report.metadata.business_date == report.business_date == env.now.date()


def test_the_metadata_are_collected_while_the_file_is_made(env, treasury) -> None:
    report = books.order()
    env.finish(report.run_id)

    order = [
        (entry.kind, entry.data.get("name", "").removeprefix("reporting."))
        for entry in runs.get_history(report.run_id)
        if entry.kind == "StepScheduled"
    ]
    completed = [entry.data["seq"] for entry in runs.get_history(report.run_id) if entry.kind == "StepCompleted"]
    assert [name for _, name in order] == [
        "register_report", "generate_report", "collect_metadata", "publish_report",
    ]  # fmt: skip
    assert completed.index(3) < completed.index(2) < completed.index(4)


def test_a_run_that_was_started_by_itself_makes_a_report_too(env, treasury) -> None:
    run = env.start("reporting.ReportGeneration", "loan_book", "xlsx")
    env.finish(run.id)

    report = queries.find_by_run(run.id)
    assert report.status is ReportStatus.READY
    assert report.requested_by == "system"


def test_a_key_orders_one_report(env, treasury) -> None:
    first = books.order(key="report:1")
    env.finish(first.run_id)

    again = books.order(key="report:1")

    assert (first.created, again.created, again.id) == (True, False, first.id)
    assert again.status is ReportStatus.READY
    assert len(books.stored()) == 1


def test_an_empty_platform_has_reports_too(env) -> None:
    for kind in books.KINDS:
        for format in books.FORMATS:
            report = books.made(env, kind, format)
            assert (report.status, report.file.rows, report.file.ties) == (ReportStatus.READY, 0, True)


def test_a_report_of_a_day_that_has_not_begun_is_refused_and_nothing_is_written(env, treasury) -> None:
    with pytest.raises(Exception) as refused:
        books.order(business_date=env.now.date() + timedelta(days=1))

    assert refused.value.code == "business_date_ahead"
    assert isinstance(refused.value.__cause__, NonRetryable)
    assert runs.list_runs() == []
