"""An SSN that is planted shows up nowhere: no table, log, error, mail, page or answer holds it in clear."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from finaegis.shared.money import Money
from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from lending import operations, queries
from tests.lending.doors import BODY, member
from tests.lending.failing import failing
from workflows import NonRetryable
from workflows import queries as runs

pytestmark = pytest.mark.django_db

#: Row 487 of the credit data; nobody else in the test has these digits.
PLANTED = "912-73-6487"
FORMS = (PLANTED, PLANTED.replace("-", ""), PLANTED.replace("-", " "))


def dump():
    """Every row of every table as text, whatever app it belongs to."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [f"{table}: {row!r}" for row in cursor.fetchall()]
    return rows


def assert_hidden(texts):
    found = [text for text in texts for form in FORMS if form in text]
    assert found == []


@pytest.fixture
def told(caplog):
    """Everything that is logged, down to the last detail."""
    with caplog.at_level(logging.DEBUG):
        yield lambda: [
            *(record.getMessage() for record in caplog.records),
            *(str(record.exc_info) + str(record.args) + repr(record.__dict__) for record in caplog.records),
            caplog.text,
        ]


@pytest.fixture
def operator(env):
    cache.clear()
    return member("operator", "olga")


def pages(application):
    """Pages of the console that show the application or its run."""
    browser = Client()
    browser.force_login(User.objects.get(username="olga"))
    run_id = application.run_id
    addresses = (
        "/admin/lending/application/",
        f"/admin/lending/application/{application.id}/change/",
        "/admin/lending/review/",
        "/admin/lending/letter/",
        "/admin/workflows/run/",
        f"/admin/workflows/run/{run_id}/change/",
        f"/admin/workflows/run/{run_id}/retry/",
        f"/admin/workflows/run/{run_id}/cancel/",
    )
    answers = [browser.get(address) for address in addresses]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content.decode() for answer in answers]


def answers(client, application):
    run = f"/api/v1/runs/{application.run_id}/"
    paths = (
        "/api/v1/lending/applications/",
        f"/api/v1/lending/applications/{application.id}/",
        "/api/v1/runs/",
        run,
        f"{run}history/",
        f"{run}steps/",
        f"{run}compensation-plan/",
    )
    given = [client.get(path) for path in paths]
    assert {answer.status_code for answer in given} == {200}
    return [answer.content.decode() for answer in given]


def mails():
    return [f"{item.subject}\n{item.body}\n{item.to}\n{item.extra_headers}\n{item.message()}" for item in mail.outbox]


def the_application(client, **headers):
    made = client.post("/api/v1/lending/applications/", {**BODY, "ssn": PLANTED}, format="json", headers=headers)
    assert made.status_code == 201
    assert_hidden([made.content.decode(), str(made.headers)])
    return queries.get_application(made.json()["id"])


def everything(operator, application, told):
    return [*dump(), *told(), *mails(), *answers(operator, application), *pages(application)]


def test_nowhere_after_a_whole_life(operator, env, told):
    application = the_application(operator, **{"Idempotency-Key": "a-1"})
    env.skip(timedelta(0))
    stands = queries.get_application(application.id)
    if stands.status == "in_review":
        operations.decide_application(application.id, decision="decline", reason="no", actor="os:otto")
    env.finish(application.run_id)

    assert len(mail.outbox) == 1
    assert_hidden(everything(operator, application, told))


def test_nowhere_while_it_waits(operator, env, told):
    application = the_application(operator)

    assert_hidden(everything(operator, application, told))


@pytest.mark.parametrize("name", ["register_application", "pull_credit", "screen_fraud"])
def test_nowhere_after_an_error_that_tells_it(operator, env, told, monkeypatch, name):
    """A careless error text holds it, in each of its forms; what is recorded of the error does not."""
    careless = NonRetryable(f"no luck with {', '.join(FORMS)}", code="careless")
    careless.__cause__ = KeyError(PLANTED)
    with failing(monkeypatch, name, careless):
        application = the_application(operator)
        env.skip(timedelta(minutes=10))

    assert runs.get_run(application.run_id).status in ("held", "waiting", "completed")
    assert_hidden(everything(operator, application, told))


@pytest.mark.parametrize("party", ["credit_bureau", "fraud_scoring"])
@pytest.mark.parametrize("failure", [Failure.NOT_TAKEN, Failure.FAILED, Failure.CALL_LOST, Failure.ANSWER_LOST])
def test_nowhere_after_a_third_party_failed(operator, env, told, party, failure):
    impose(party=party, failure=failure, times=None)
    application = the_application(operator)
    env.skip(timedelta(minutes=10))

    assert_hidden(everything(operator, application, told))


@pytest.mark.parametrize(
    "changes",
    [{"amount": "x"}, {"term_months": "x"}, {"attributes": {"age": 1}}, {"currency": "XXX"}, {"ssn": [PLANTED]}],
)
def test_nowhere_after_a_refusal(operator, env, told, changes):
    refused = operator.post("/api/v1/lending/applications/", {**BODY, "ssn": PLANTED, **changes}, format="json")

    assert refused.status_code == 422
    assert_hidden([refused.content.decode(), *dump(), *told()])


def test_nowhere_in_the_refusal_of_a_malformed_number(operator, env, told):
    refused = operator.post("/api/v1/lending/applications/", {**BODY, "ssn": f"{PLANTED}0"}, format="json")

    assert refused.status_code == 422
    assert_hidden([refused.content.decode(), *dump(), *told()])


def test_nowhere_through_the_engines_own_door(operator, env, told):
    body = {"workflow": "lending.LoanApplication", "input": {**BODY, "ssn": PLANTED}}

    made = operator.post("/api/v1/runs/", body, format="json")
    env.skip(timedelta(0))

    assert made.status_code == 201
    application = queries.find_by_run(made.json()["id"])
    assert_hidden([made.content.decode(), *everything(operator, application, told)])


def test_the_dump_would_find_it(env):
    """The search itself works: a number in a column that holds text is found."""
    operations.fund_lending(amount=Money("1.00", "EUR"), key=f"test:{PLANTED}")

    with pytest.raises(AssertionError):
        assert_hidden(dump())
