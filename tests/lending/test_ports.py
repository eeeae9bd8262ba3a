"""Lending's third parties: simulated and over a real socket they keep the same promises."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finaegis.shared.money import Money
from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Refused, ThirdPartyError, Unavailable
from finaegis.simulators import conditions, models
from finaegis.simulators.models import Failure
from lending.contracts import DocumentStatus, PaymentOrder, PaymentStatus, Subject
from lending.ports import chosen, http, service, simulator
from lending.rules import german_credit
from tests.lending.third_parties import documents, subject
from tests.shared.peers import closed_port
from tests.simulators.serving import TOKEN, serving
from workflows import Sensitive, clock

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def order(account: str = "DE00 0001", amount: str = "10.00") -> PaymentOrder:
    return PaymentOrder(amount=Money(amount, "EUR"), beneficiary="Ada", account=account, text="loan 1")


@dataclass
class Ports:
    """The four ports of one kind; `now` is what the clock says."""

    bureau: Any
    fraud: Any
    documents: Any
    rail: Any
    now: datetime = NOON


@pytest.fixture(params=["simulated", "http"])
def ports(request):
    """Each promise is kept by both."""
    if request.param == "simulated":
        made = Ports(
            simulator.SimulatedBureau(),
            simulator.SimulatedFraudScoring(),
            simulator.SimulatedDocumentVerification(),
            simulator.SimulatedRail(),
        )
        with clock.source(lambda: made.now):
            yield made
        return
    with serving(service.ROUTES) as served:
        made = Ports(
            http.HttpBureau(served.endpoint(simulator.BUREAU_PARTY)),
            http.HttpFraudScoring(served.endpoint(simulator.FRAUD_PARTY)),
            http.HttpDocumentVerification(served.endpoint(simulator.DOCUMENTS_PARTY)),
            http.HttpRail(served.endpoint(simulator.RAIL_PARTY)),
        )
        with clock.source(lambda: made.now):
            yield made


# --- Credit bureau ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "row"), [("0000", 0), ("0007", 7), ("1007", 7), ("6999", 999), ("9003", 3)])
def test_a_credit_file_is_a_row_of_the_credit_data(ports, ending, row):
    report = ports.bureau.pull(key="app:1/pull", subject=subject(ending))

    data = german_credit.read_rows()[row]
    assert report.file_found
    assert [
        report.checking_account,
        report.credit_history,
        report.savings,
        report.other_instalment_plans,
        str(report.existing_credits),
    ] == [data.value(attribute) for attribute in german_credit.BUREAU]


def test_who_has_no_file_gets_an_answer_without_one(ports):
    report = ports.bureau.pull(key="app:1/pull", subject=subject("9001"))

    assert (report.file_found, report.checking_account, report.existing_credits) == (False, None, None)


def test_an_outage_of_the_bureau_lasts(ports):
    for _ in range(2):
        with pytest.raises(NotTaken):
            ports.bureau.pull(key="app:1/pull", subject=subject("9002"))


def test_the_same_pull_again_has_the_same_answer(ports):
    first = ports.bureau.pull(key="app:1/pull", subject=subject("0042"))

    assert ports.bureau.pull(key="app:1/pull", subject=subject("0042")) == first
    assert ports.bureau.pull(key="app:2/pull", subject=subject("0042")).reference != first.reference


@pytest.mark.parametrize("ssn", ["", "12345678", "1234567890", "12345678x"])
def test_what_is_no_ssn_is_refused(ports, ssn):
    someone = Subject(name="Ada", ssn=Sensitive(ssn))

    with pytest.raises(Refused) as refusal:
        ports.bureau.pull(key="app:1/pull", subject=someone)

    assert refusal.value.code == "invalid_ssn"


# --- Fraud and documents ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "signals"), [("9003", ("identity_reported_stolen",)), ("9001", ()), ("9002", ()), ("0003", ())]
)
def test_one_ending_is_a_fraud_hit(ports, ending, signals):
    check = ports.fraud.screen(key="app:1/fraud", subject=subject(ending), amount=Money("5000.00", "EUR"))

    assert (check.hit, check.signals) == (bool(signals), signals)


@pytest.mark.parametrize(
    ("references", "status", "codes"),
    [
        (["DOC-0001", "DOC-0002"], DocumentStatus.VERIFIED, []),
        (["DOC-9001"], DocumentStatus.FAILED, ["not_genuine"]),
        (["DOC-0001", "DOC-9003"], DocumentStatus.FAILED, ["expired"]),
        (["DOC-9005"], DocumentStatus.INCOMPLETE, ["unreadable"]),
        (["DOC-9005", "DOC-9004"], DocumentStatus.FAILED, ["unreadable", "other_person"]),
        ([], DocumentStatus.INCOMPLETE, []),
    ],
)
def test_the_worst_document_decides(ports, references, status, codes):
    check = ports.documents.verify(key="app:1/documents", applicant="Ada", documents=documents(*references))

    assert check.status == status
    assert [finding.code for finding in check.findings] == codes


def test_an_outage_of_the_verification_lasts(ports):
    for _ in range(2):
        with pytest.raises(NotTaken):
            ports.documents.verify(key="app:1/documents", applicant="Ada", documents=documents("DOC-9002"))


# --- Rail ------------------------------------------------------------------------------------------------------------


def test_a_payment_is_taken_once_and_found_by_its_key(ports):
    paid = ports.rail.pay(key="loan:1/transfer", order=order())

    assert (paid.key, paid.status) == ("loan:1/transfer", PaymentStatus.PENDING)
    assert ports.rail.pay(key="loan:1/transfer", order=order()) == paid
    assert ports.rail.inquire(key="loan:1/transfer") == paid
    assert models.Payment.objects.count() == 1
    ports.now = NOON + timedelta(hours=1)
    assert ports.rail.inquire(key="loan:1/transfer").status == PaymentStatus.ACCEPTED


def test_a_key_that_the_rail_never_saw_is_unknown(ports):
    answer = ports.rail.inquire(key="never")

    assert (answer.status, answer.reference) == (PaymentStatus.UNKNOWN, "")


def test_a_recalled_key_is_never_paid(ports):
    assert ports.rail.recall(key="pay").status == PaymentStatus.RECALLED

    with pytest.raises(Refused) as refusal:
        ports.rail.pay(key="pay", order=order())

    assert refusal.value.code == "key_voided"


def test_another_order_under_the_key_is_refused(ports):
    ports.rail.pay(key="pay", order=order())

    with pytest.raises(Refused) as refusal:
        ports.rail.pay(key="pay", order=order(amount="10.01"))

    assert refusal.value.code == "idempotency_conflict"


def test_an_accepted_payment_is_not_recalled(ports):
    ports.rail.pay(key="pay", order=order("DE00 9008"))

    with pytest.raises(Refused) as refusal:
        ports.rail.recall(key="pay")

    assert refusal.value.code == "too_late"


@pytest.mark.parametrize(
    ("failure", "error", "status"),
    [
        (Failure.NOT_TAKEN, NotTaken, "unknown"),
        (Failure.FAILED, Unavailable, "unknown"),
        (Failure.CALL_LOST, OutcomeUnknown, "unknown"),
        (Failure.ANSWER_LOST, OutcomeUnknown, "pending"),
    ],
)
def test_after_a_failed_payment_an_inquiry_tells_what_happened(ports, failure, error, status):
    conditions.impose(party=simulator.RAIL_PARTY, call="submit", failure=failure)

    with pytest.raises(error) as caught:
        ports.rail.pay(key="pay", order=order())

    assert type(caught.value) is error
    assert ports.rail.inquire(key="pay").status == status


# --- Every party -----------------------------------------------------------------------------------------------------


CALLS = {
    simulator.BUREAU_PARTY: lambda ports: ports.bureau.pull(key="k", subject=subject("0001")),
    simulator.FRAUD_PARTY: lambda ports: ports.fraud.screen(
        key="k", subject=subject("0001"), amount=Money("1.00", "EUR")
    ),
    simulator.DOCUMENTS_PARTY: lambda ports: ports.documents.verify(
        key="k", applicant="Ada", documents=documents("DOC-1")
    ),
    simulator.RAIL_PARTY: lambda ports: ports.rail.pay(key="k", order=order()),
}


@pytest.mark.parametrize("party", CALLS)
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure.NOT_TAKEN, NotTaken),
        (Failure.FAILED, Unavailable),
        (Failure.CALL_LOST, OutcomeUnknown),
        (Failure.ANSWER_LOST, OutcomeUnknown),
    ],
)
def test_a_failure_is_told_the_same_way_by_every_party(ports, party, failure, error):
    conditions.impose(party=party, failure=failure)

    with pytest.raises(ThirdPartyError) as caught:
        CALLS[party](ports)

    assert type(caught.value) is error


@pytest.mark.parametrize("party", [simulator.BUREAU_PARTY, simulator.FRAUD_PARTY])
@pytest.mark.parametrize("failure", [None, *Failure])
def test_an_ssn_and_a_token_stand_in_no_log_no_error_and_no_row(ports, party, failure, caplog):
    caplog.set_level(logging.DEBUG)
    text = ""
    if failure is not None:
        conditions.impose(party=party, failure=failure)

    try:
        CALLS[party](ports)
    except ThirdPartyError as error:
        text = f"{error} {error!r}"

    rows = [str(row) for model in (models.Payment, models.Condition) for row in model.objects.values()]
    told = f"{caplog.text}{text}{rows}"
    assert subject("0001").ssn.reveal() not in told
    assert TOKEN not in told


def test_without_an_address_every_party_is_simulated():
    assert chosen.credit_bureau().pull(key="k", subject=subject("9001")).file_found is False
    assert chosen.fraud_scoring().screen(key="k", subject=subject("9003"), amount=Money("1.00", "EUR")).hit
    assert chosen.document_verification().verify(key="k", applicant="Ada", documents=()).status == "incomplete"
    assert chosen.payment_rail().inquire(key="k").status == PaymentStatus.UNKNOWN


@pytest.mark.parametrize("party", CALLS)
def test_an_address_in_the_settings_is_called(settings, party):
    settings.THIRD_PARTIES = {
        name: {"URL": f"http://127.0.0.1:{closed_port()}/", "TOKEN": "t"} for name in settings.THIRD_PARTIES
    }
    ports = Ports(chosen.credit_bureau(), chosen.fraud_scoring(), chosen.document_verification(), chosen.payment_rail())

    with pytest.raises(NotTaken):
        CALLS[party](ports)
