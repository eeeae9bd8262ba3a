"""Taking applications in: one open application per person, one application per run, and giving one up."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from lending import operations, queries
from lending.contracts import ApplicationStatus, OfferStatus
from lending.errors import WrongStatus
from lending.models import Applicant, Application
from tests.lending.applying import GOOD, form
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db


def test_an_application_can_be_read_before_its_run_has_begun(env):
    application = operations.submit_application(form(), key="a-1", actor="os:ada", reason="by post")

    found = queries.get_application(application.id)
    assert (found.status, found.entered_by, found.submitted_at) == (ApplicationStatus.SUBMITTED, "os:ada", env.now)
    assert application.created
    assert runs.get_run(found.run_id).status == "pending"


def test_the_same_key_gives_the_application_that_exists(env):
    first = operations.submit_application(form(), key="a-1")
    again = operations.submit_application(form(), key="a-1")

    assert (again.id, again.created) == (first.id, False)
    assert Application.objects.count() == 1
    assert len(runs.list_runs()) == 1


def test_another_form_under_the_key_is_a_conflict(env):
    operations.submit_application(form(), key="a-1")

    with pytest.raises(Exception) as refused:
        operations.submit_application(form(amount=Decimal("2097.00")), key="a-1")

    assert refused.value.code == "key_conflict"


def test_a_person_with_an_open_application_is_refused_and_nothing_is_written(env):
    operations.submit_application(form())

    with pytest.raises(Exception) as refused:
        operations.submit_application(form(applicant="A. Lovelace"))

    assert refused.value.code == "application_open"
    assert (Application.objects.count(), len(runs.list_runs())) == (1, 1)


def test_the_database_keeps_one_open_application_whoever_forgets_to_look(applicants):
    application = applicants.submit()
    row = Application.objects.get(pk=application.id)
    row.pk, row.run_id = None, "00000000-0000-0000-0000-000000000007"

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_closed_application_leaves_room_for_another(env):
    first = operations.submit_application(form())
    operations.withdraw_application(application_id=first.id)

    again = operations.submit_application(form())

    assert again.id != first.id
    assert Applicant.objects.count() == 1


def test_an_offer_that_nobody_took_leaves_room_for_another(applicants, env):
    first, _ = applicants.assessed()
    ssn = f"{900 + applicants.number}-55-{GOOD}"
    env.now += timedelta(days=30)

    again = operations.submit_application(form(ssn=type(form().ssn)(ssn)))

    assert again.id != first.id
    expired = queries.get_overview(first.id)
    assert (expired.status, expired.offer.status) == (ApplicationStatus.EXPIRED, OfferStatus.EXPIRED)


def test_a_run_started_by_another_door_has_its_application_registered_once(env):
    run = engine.start_run("lending.LoanApplication", **{k: getattr(form(), k) for k in form().__dataclass_fields__})

    first = operations.register_application(form(), run_id=run.id)
    again = operations.register_application(form(), run_id=run.id)

    assert first == again
    assert first.entered_by == "system"
    assert queries.find_by_run(run.id).id == first.application_id


def test_withdrawing_closes_the_offer_too_and_may_be_repeated(applicants):
    application, _ = applicants.assessed()

    operations.withdraw_application(application_id=application.id)
    operations.withdraw_application(application_id=application.id)

    overview = queries.get_overview(application.id)
    assert (overview.status, overview.offer.status) == (ApplicationStatus.WITHDRAWN, OfferStatus.WITHDRAWN)


def test_an_accepted_application_is_not_withdrawn(applicants):
    loan = applicants.lent()

    with pytest.raises(WrongStatus):
        operations.withdraw_application(application_id=loan.application_id)
