"""The three checks: each third party is asked once for an application, and its finding kept."""

import pytest

from finaegis.shared.third_party import NotTaken, Refused
from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from lending import operations, queries
from lending.contracts import DocumentStatus
from lending.models import Check
from lending.ports import chosen
from tests.lending.applying import FRAUD, NO_FILE, OUTAGE, ssn_of
from workflows import Sensitive

pytestmark = pytest.mark.django_db


class Counted:
    """A bureau that remembers under which keys it was asked."""

    def __init__(self, bureau):
        self.bureau = bureau
        self.keys = []

    def pull(self, *, key, subject):
        self.keys.append(key)
        return self.bureau.pull(key=key, subject=subject)


@pytest.fixture
def bureau(monkeypatch):
    counted = Counted(chosen.credit_bureau())
    monkeypatch.setattr(chosen, "credit_bureau", lambda: counted)
    return counted


def pull(application, ending):
    return operations.pull_credit(application_id=application.id, ssn=Sensitive(ssn_of(ending)))


def test_the_credit_file_is_pulled_once_for_an_application(applicants, bureau):
    application = applicants.submit()

    first, again = pull(application, "2002"), pull(application, "2002")

    assert first == again
    assert bureau.keys == [f"lending:{application.id}/credit"]


def test_two_applications_are_two_pulls(applicants, bureau):
    pull(applicants.submit(), "2002")
    pull(applicants.submit(), "2002")

    assert len(set(bureau.keys)) == 2


def test_the_bureau_sees_nine_digits(applicants, monkeypatch):
    seen = []

    class Looking:
        def pull(self, *, key, subject):
            seen.append((subject.name, subject.ssn.reveal()))
            raise Refused(party="credit_bureau", call="pull", code="enough", status=422)

    monkeypatch.setattr(chosen, "credit_bureau", Looking)

    with pytest.raises(Refused):
        pull(applicants.submit(), "2002")

    assert seen == [("Ada Lovelace", "900552002")]


def test_an_outage_keeps_nothing_so_that_the_next_attempt_asks_again(applicants):
    application = applicants.submit()

    with pytest.raises(NotTaken):
        pull(application, OUTAGE)

    assert Check.objects.count() == 0


def test_a_pull_after_a_short_outage_finds_the_file(applicants):
    application = applicants.submit()
    impose(party="credit_bureau", failure=Failure.NOT_TAKEN)

    with pytest.raises(NotTaken):
        pull(application, "2002")

    assert pull(application, "2002").file_found


def test_a_person_without_a_file_is_a_finding(applicants):
    application = applicants.submit()

    assert pull(application, NO_FILE).file_found is False
    assert queries.get_checks(application.id).credit.file_found is False


@pytest.mark.parametrize(("ending", "hit"), [("2002", False), (FRAUD, True)])
def test_signs_of_fraud_are_kept(applicants, ending, hit):
    application = applicants.submit()

    operations.screen_fraud(application_id=application.id, ssn=Sensitive(ssn_of(ending)))

    assert queries.get_checks(application.id).fraud.hit is hit


def test_documents_are_verified(applicants):
    application = applicants.submit()

    assert operations.verify_documents(application_id=application.id).status is DocumentStatus.VERIFIED


def test_without_documents_nobody_is_asked(applicants, monkeypatch):
    monkeypatch.setattr(chosen, "document_verification", lambda: pytest.fail("nobody should be asked"))
    application = applicants.submit(documents=())

    assert operations.verify_documents(application_id=application.id).status is DocumentStatus.INCOMPLETE


def test_a_check_that_was_not_made_is_missing(applicants):
    checks = queries.get_checks(applicants.submit().id)

    assert (checks.credit, checks.fraud, checks.documents) == (None, None, None)
