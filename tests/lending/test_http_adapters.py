"""Lending's adapters on the wire: what they send where, and which answers they take for none."""

import json
from datetime import timedelta

import pytest

from finaegis.shared.money import Money
from finaegis.shared.third_party import Endpoint, OutcomeUnknown
from finaegis.simulators import conditions
from finaegis.simulators.models import Payment
from lending.contracts import PaymentOrder
from lending.ports import service, simulator
from lending.ports.http import HttpBureau, HttpDocumentVerification, HttpFraudScoring, HttpRail
from tests.lending.third_parties import documents, subject
from tests.shared.peers import answer
from tests.shared.peers import serving as answering
from tests.simulators.serving import Latency, serving

ORDER = PaymentOrder(amount=Money("10.00", "EUR"), beneficiary="Ada", account="DE00 0001", text="loan 1")


def endpoint(url):
    return Endpoint("party", url, "token", timedelta(seconds=10), timedelta(seconds=30))


def heard(body, call):
    """The request that the call made of a party which answers so."""
    with answering(answer(200, json.dumps(body).encode())) as peer:
        call(endpoint(peer.url))
    (request,) = peer.heard
    return request


FILE = {"file_found": True, "reference": "CB-1", "checking_account": "A11", "existing_credits": 2}


def test_a_pull_sends_name_and_ssn_in_its_body():
    request = heard(FILE, lambda at: HttpBureau(at).pull(key="app:1/pull", subject=subject("0001")))

    assert (request.method, request.path) == ("POST", "/bureau/pulls")
    assert request.headers["Idempotency-Key"] == "app:1/pull"
    assert request.body == {"name": "Ada Muster", "ssn": "524120001"}


def test_a_fraud_screening_sends_the_amount_as_text():
    body = {"hit": False, "reference": "FS-1"}

    request = heard(
        body, lambda at: HttpFraudScoring(at).screen(key="k", subject=subject("0001"), amount=Money("5000.00", "EUR"))
    )

    assert request.path == "/bureau/screenings"
    assert request.body["amount"] == {"amount": "5000.00", "currency": "EUR"}


def test_a_verification_sends_every_document():
    body = {"status": "verified", "reference": "DV-1"}

    request = heard(
        body,
        lambda at: HttpDocumentVerification(at).verify(key="k", applicant="Ada", documents=documents("D-1", "D-2")),
    )

    assert request.path == "/bureau/verifications"
    assert request.body == {
        "applicant": "Ada",
        "documents": [{"kind": "payslip", "reference": "D-1"}, {"kind": "payslip", "reference": "D-2"}],
    }


def test_payment_inquiry_and_recall_name_the_key():
    body = {"key": "loan 1/pay", "status": "pending", "reference": "R-1"}

    paid = heard(body, lambda at: HttpRail(at).pay(key="loan 1/pay", order=ORDER))
    asked = heard(body, lambda at: HttpRail(at).inquire(key="loan 1/pay"))
    recalled = heard(body, lambda at: HttpRail(at).recall(key="loan 1/pay"))

    assert (paid.path, paid.headers["Idempotency-Key"]) == ("/bureau/payments", "loan%201/pay")
    assert paid.body == {
        "amount": {"amount": "10.00", "currency": "EUR"}, "beneficiary": "Ada", "account": "DE00 0001", "text": "loan 1"
    }  # fmt: skip
    assert (asked.method, asked.path) == ("GET", "/bureau/payments/loan%201%2Fpay")
    assert (recalled.method, recalled.path) == ("POST", "/bureau/payments/loan%201%2Fpay/recall")
    assert recalled.headers["Idempotency-Key"] == "loan%201/pay"


@pytest.mark.parametrize(
    "body",
    [
        FILE | {"checking_account": "A99"},
        FILE | {"savings": "a lot"},
        FILE | {"existing_credits": -1},
        FILE | {"file_found": False},
        {"reference": "CB-1"},
    ],
)
def test_a_credit_file_that_the_scorecard_cannot_read_is_no_answer(body):
    with pytest.raises(OutcomeUnknown):
        heard(body, lambda at: HttpBureau(at).pull(key="k", subject=subject("0001")))


@pytest.mark.parametrize("body", [{"key": "other", "status": "pending"}, {"key": "k", "status": "perhaps"}, {}])
def test_an_answer_that_is_not_about_the_payment_is_none(body):
    with pytest.raises(OutcomeUnknown):
        heard(body, lambda at: HttpRail(at).pay(key="k", order=ORDER))


@pytest.mark.django_db(transaction=True)
def test_after_a_time_out_another_process_of_the_service_knows_the_payment(monkeypatch):
    """The first service ends after the call in hand; the second has its memory."""
    latency = Latency()
    monkeypatch.setattr(conditions, "sleep", latency)
    conditions.impose(party=simulator.RAIL_PARTY, call="submit", latency=timedelta(seconds=60))

    with serving(service.ROUTES) as served:
        hasty = HttpRail(served.endpoint(simulator.RAIL_PARTY, timeout=timedelta(milliseconds=200)))
        with pytest.raises(OutcomeUnknown):
            hasty.pay(key="pay", order=ORDER)
        latency.end()
    with serving(service.ROUTES) as served:
        found = HttpRail(served.endpoint(simulator.RAIL_PARTY)).inquire(key="pay")

    assert found.status == "pending"
    assert Payment.objects.count() == 1
