"""What goes wrong while a report is made: retries, time-outs, silence, cancels, deaths; and nobody sees half a file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile

from reporting import activities, operations, queries
from reporting.contracts import ReportStatus
from reporting.errors import ReportWithdrawn
from reporting.operations import generating
from reporting.operations.files import storage
from tests.reporting import books
from tests.workflows.sent_out_acts import begin, codes, die, drive, row, state, sweep, work
from workflows import activity_info
from workflows import operations as engine
from workflows import queries as runs
from workflows.models import Step

pytestmark = pytest.mark.django_db

NOW = timedelta(0)
INSTANT = timedelta(microseconds=1)
BACK_OFF = timedelta(seconds=3)
#: The step of a run that makes the file.
MAKING = 2


class Outage(Exception):
    """The storage or the database is away for a moment."""


def ordered(env, **options):
    """A report whose run waits for a worker that makes the file."""
    report = books.order(**options)
    drive(report.run_id)
    return report


def stands(report):
    return queries.get_report(report.id).status


def steps(run_id):
    return {step.name.removeprefix("reporting."): step.status for step in runs.list_steps(run_id)}


def undone(run_id):
    done = [step for step in runs.list_steps(run_id) if step.kind == "compensation" and step.status == "completed"]
    return [step.name.removeprefix("reporting.") for step in done]


# --- Retries ---------------------------------------------------------------------------------------------------------


def test_an_outage_is_tried_again_after_one_and_two_seconds(env, treasury) -> None:
    file = operations.generate_report(
        report_id=(report := ordered(env)).id, kind=report.kind, format=report.format,
        business_date=report.business_date, attempt=0, progress=lambda stage, done: None,
    )  # fmt: skip
    env.mock(activities.generate_report).raises(Outage("away")).raises(Outage("away")).returns(file)
    began = env.now

    env.finish(report.run_id)

    assert stands(report) is ReportStatus.READY
    assert len(env.calls(activities.generate_report)) == 3
    waited = (env.now - began).total_seconds()
    assert 3.0 <= waited <= 3.0 * 1.05  # 1 s, 2 s, and the jitter of a twentieth


def test_after_three_failures_the_run_undoes_what_it_did_and_the_report_is_withdrawn(env, treasury) -> None:
    env.mock(activities.generate_report).raises(Outage("away"))
    env.expect_compensation(activities.discard_files)
    report = books.order()

    with pytest.raises(Exception) as failed:
        env.finish(report.run_id)

    assert "away" in str(failed.value)
    assert codes(report.run_id, MAKING) == ["error"] * 3
    assert state(report.run_id)[0] == "compensated"
    assert stands(report) is ReportStatus.WITHDRAWN
    assert books.stored() == []


@pytest.mark.parametrize("broken", ["collect_metadata", "publish_report"])
def test_a_step_that_fails_for_good_leaves_no_file(env, treasury, broken) -> None:
    env.mock(getattr(activities, broken)).raises(Outage("away"))
    report = books.order()

    with pytest.raises(Exception):
        env.finish(report.run_id)

    assert state(report.run_id)[0] == "compensated"
    assert undone(report.run_id) == ["discard_files", "withdraw_report"]
    assert stands(report) is ReportStatus.WITHDRAWN
    assert books.stored() == []


def test_an_attempt_that_dies_between_file_and_word_leaves_nothing_that_anybody_sees(
    env, treasury, monkeypatch
) -> None:
    report = ordered(env)
    recorded = generating._recorded

    def die_once(*args, **options):
        monkeypatch.setattr(generating, "_recorded", recorded)
        raise Outage("killed")

    monkeypatch.setattr(generating, "_recorded", die_once)
    work(report.run_id, MAKING)
    [left] = books.stored()
    assert stands(report) is ReportStatus.PENDING

    env.finish(report.run_id)

    made = queries.get_report(report.id)
    assert made.status is ReportStatus.READY
    assert made.file.name != left
    assert made.file.name in books.stored()
    assert [attempt.number for attempt in runs.list_steps(report.run_id)[MAKING - 1].tries] == [1, 2]


def test_what_died_attempts_left_is_deleted_once_the_report_is_published(
    env, treasury, django_capture_on_commit_callbacks
) -> None:
    report = ordered(env)
    storage().save(f"{report.id}/1-of-a-dead-attempt.csv", ContentFile(b"half a re"))

    with django_capture_on_commit_callbacks(execute=True):
        env.finish(report.run_id)

    assert books.stored() == [queries.get_report(report.id).file.name]


# --- Silence and time-outs -------------------------------------------------------------------------------------------


def test_the_making_tells_how_far_it_is(env, treasury) -> None:
    report = ordered(env)
    begin(report.run_id, MAKING, where="member.begun")
    told = []

    class Listener:
        attempt = 1

        def heartbeat(self, details):
            told.append((details["stage"], details["done"]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activities, "activity_info", Listener)
        activities.generate_report(
            report_id=report.id, report=report.kind, format=report.format, business_date=report.business_date
        )

    assert [stage for stage, _ in told] == ["reading", "rendering", "stored"]
    assert told[-1][1] > 0


def test_a_long_report_is_heard_of_page_by_page(env, treasury) -> None:
    told = []

    operations.generate_report(
        report_id=(report := ordered(env, format="pdf")).id, kind=report.kind, format=report.format,
        business_date=report.business_date, attempt=1, progress=lambda stage, done: told.append((stage, done)),
    )  # fmt: skip

    assert ("pages", 1) in told
    assert ("pages", 2) in told


def test_a_making_that_falls_silent_is_tried_again(env, treasury) -> None:
    report = ordered(env)
    begin(report.run_id, MAKING)

    env.now += activities.SILENCE
    assert sweep() == 0
    env.now += INSTANT
    assert sweep() == 1
    env.finish(report.run_id)

    assert codes(report.run_id, MAKING) == ["heartbeat_lost", None]
    assert stands(report) is ReportStatus.READY


def test_a_making_that_takes_half_an_hour_is_given_up(env, treasury) -> None:
    report = ordered(env)
    begin(report.run_id, MAKING)
    step = row(report.run_id, MAKING)
    assert step.deadline_at - env.now == activities.GENERATION_TIME

    for _ in range(6):  # it shows that it lives, and never ends
        env.now += timedelta(minutes=4, seconds=59)
        Step.objects.filter(pk=step.pk).update(beat_by=env.now + activities.SILENCE)
        assert sweep() == 0
    env.now += timedelta(seconds=7)
    assert sweep() == 1
    env.finish(report.run_id)

    assert codes(report.run_id, MAKING) == ["timed_out", None]
    assert stands(report) is ReportStatus.READY


def test_an_attempt_that_was_given_up_takes_its_file_away(env, treasury, monkeypatch) -> None:
    """A frozen worker wakes up when another already makes the report: it is told at its next word."""
    report = ordered(env)
    save = storage().save

    def freeze(name, content):
        stored = save(name, content)
        env.now += activities.SILENCE + INSTANT
        sweep()
        return stored

    monkeypatch.setattr(storage(), "save", freeze)
    work(report.run_id, MAKING)
    monkeypatch.undo()

    assert books.stored() == []
    env.finish(report.run_id)
    assert stands(report) is ReportStatus.READY
    assert books.stored() == [queries.get_report(report.id).file.name]


# --- Cancels ---------------------------------------------------------------------------------------------------------


def cancel(env, report):
    engine.cancel_run(report.run_id, reason="not needed")
    env.skip(timedelta(minutes=1))


def test_cancelled_before_it_begins_there_is_no_report(env, treasury) -> None:
    report = books.order()

    cancel(env, report)

    assert state(report.run_id)[0] == "cancelled"
    assert stands(report) is ReportStatus.WITHDRAWN
    assert books.stored() == []


def test_cancelled_while_the_file_is_made_nothing_is_published(env, treasury) -> None:
    report = ordered(env)
    begin(report.run_id, MAKING)

    engine.cancel_run(report.run_id, reason="not needed")
    env.skip(2 * activities.SILENCE)  # nobody can tell sooner whether that attempt still writes

    assert state(report.run_id)[0] == "cancelled"
    assert undone(report.run_id) == ["discard_files", "withdraw_report"]
    assert stands(report) is ReportStatus.WITHDRAWN
    assert books.stored() == []


def test_cancelled_when_the_file_is_made_the_file_is_deleted(env, treasury) -> None:
    report = ordered(env)
    work(report.run_id, MAKING)
    assert len(books.stored()) == 1

    cancel(env, report)

    assert state(report.run_id)[0] == "cancelled"
    assert stands(report) is ReportStatus.WITHDRAWN
    assert books.stored() == []


@pytest.mark.parametrize(
    ("during", "ends", "stays"),
    [
        ("register_report", "cancelled", ReportStatus.WITHDRAWN),
        ("collect_metadata", "cancelled", ReportStatus.WITHDRAWN),
        ("publish_report", "completed", ReportStatus.READY),  # too late: the report is published
    ],
)
def test_cancelled_during_a_step_the_report_is_whole_or_not_at_all(
    env, treasury, monkeypatch, during, ends, stays
) -> None:
    own = getattr(operations, during)

    def cancelled_meanwhile(*args, **options):
        given = own(*args, **options)
        engine.cancel_run(activity_info().run_id, reason="not needed")
        return given

    monkeypatch.setattr(operations, during, cancelled_meanwhile)
    report = books.order()

    env.skip(timedelta(minutes=1))

    assert state(report.run_id)[0] == ends
    assert stands(report) is stays
    assert len(books.stored()) == (1 if stays is ReportStatus.READY else 0)


# --- Deaths and undo -------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_costs_an_attempt_and_no_step_before_it(env, treasury) -> None:
    report = ordered(env)
    die(env, report.run_id, MAKING)

    env.finish(report.run_id)

    assert stands(report) is ReportStatus.READY
    assert len(env.calls(activities.register_report)) == 1
    assert len(env.calls(activities.collect_metadata)) == 1


def test_a_new_process_goes_on_where_the_run_stood(env, treasury) -> None:
    report = ordered(env)
    work(report.run_id, MAKING)
    env.restart()

    env.finish(report.run_id)

    assert stands(report) is ReportStatus.READY
    assert len(env.calls(activities.generate_report)) == 1


def test_a_report_that_is_taken_back_has_no_file(env, treasury, django_capture_on_commit_callbacks) -> None:
    report = books.made(env)

    with django_capture_on_commit_callbacks(execute=True):
        engine.compensate_run(report.run_id, reason="wrong day")
        env.skip(NOW)

    taken = queries.get_report(report.id)
    assert state(report.run_id)[0] == "compensated"
    assert undone(report.run_id) == ["withdraw_report", "discard_files", "withdraw_report"]
    assert (taken.status, taken.file, taken.metadata) == (ReportStatus.WITHDRAWN, report.file, report.metadata)
    assert books.stored() == []


def test_a_withdrawn_report_is_not_published_again(env, treasury) -> None:
    report = books.made(env)
    operations.withdraw_report(report_id=report.id)

    with pytest.raises(ReportWithdrawn):
        operations.publish_report(report_id=report.id, file=report.file, metadata=report.metadata)

    assert stands(report) is ReportStatus.WITHDRAWN


def test_publishing_and_withdrawing_twice_change_nothing_more(env, treasury) -> None:
    report = books.made(env)
    env.now += timedelta(hours=1)

    operations.publish_report(report_id=report.id, file=report.file, metadata=report.metadata)
    assert queries.get_report(report.id) == report
    operations.withdraw_report(report_id=report.id)
    once = queries.get_report(report.id)
    env.now += timedelta(hours=1)
    operations.withdraw_report(report_id=report.id)

    assert queries.get_report(report.id) == once


def test_called_directly_registering_asks_for_a_run(env) -> None:
    with pytest.raises(Exception) as refused:
        activities.register_report(report="loan_book", format="csv", business_date=None)

    assert refused.value.code == "run_missing"
