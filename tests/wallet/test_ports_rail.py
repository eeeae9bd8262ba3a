"""The rail of withdrawals: simulated and over a real socket it keeps the same promises, in the wallet's own errors."""

from datetime import UTC, datetime, timedelta

import pytest

from finaegis.shared.money import Money
from finaegis.simulators import conditions
from finaegis.simulators.models import Failure, Payment
from tests.shared.peers import closed_port
from tests.simulators.serving import Latency, serving
from wallet.contracts import PaymentOrder, PaymentStatus
from wallet.errors import RailOutcomeUnknown, RailRefused, RailUnavailable
from wallet.ports import service
from wallet.ports.chosen import payment_rail
from wallet.ports.failures import TranslatedRail
from wallet.ports.http import HttpRail
from wallet.ports.simulator import RAIL_PARTY, SimulatedRail
from workflows import clock

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def order(address="DE00 0001", amount="10.00"):
    return PaymentOrder(amount=Money(amount, "EUR"), beneficiary="Ada", address=address, reference="W-1")


class Time:
    now = NOON


@pytest.fixture
def time():
    """The clock, which stands at noon until a test moves it."""
    told = Time()
    with clock.source(lambda: told.now):
        yield told


@pytest.fixture(params=["simulated", "http"])
def rail(request, time):
    """Each promise is kept by both."""
    if request.param == "simulated":
        yield TranslatedRail(SimulatedRail())
        return
    with serving(service.ROUTES) as served:
        yield TranslatedRail(HttpRail(served.endpoint(RAIL_PARTY)))


def test_a_payment_is_taken_and_found_by_its_key(rail, time):
    submitted = rail.submit(key="w:1/pay", order=order())

    assert (submitted.key, submitted.status) == ("w:1/pay", PaymentStatus.PENDING)
    assert rail.inquire(key="w:1/pay") == submitted
    time.now = NOON + timedelta(hours=1)
    assert rail.inquire(key="w:1/pay").status == PaymentStatus.ACCEPTED


def test_a_key_that_the_rail_never_saw_is_unknown(rail):
    answer = rail.inquire(key="never")

    assert (answer.status, answer.reference) == (PaymentStatus.UNKNOWN, None)


def test_the_key_again_gives_the_same_payment(rail):
    first = rail.submit(key="pay", order=order())

    assert rail.submit(key="pay", order=order()) == first
    assert Payment.objects.count() == 1


def test_another_order_under_the_key_is_refused(rail):
    rail.submit(key="pay", order=order())

    with pytest.raises(RailRefused) as refusal:
        rail.submit(key="pay", order=order(amount="10.01"))

    assert refusal.value.code == "idempotency_conflict"


def test_a_recalled_key_is_never_paid(rail):
    assert rail.recall(key="pay").status == PaymentStatus.RECALLED

    with pytest.raises(RailRefused) as refusal:
        rail.submit(key="pay", order=order())

    assert refusal.value.code == "key_voided"


def test_an_accepted_payment_is_not_recalled(rail, time):
    rail.submit(key="pay", order=order())
    time.now = NOON + timedelta(hours=2)

    with pytest.raises(RailRefused) as refusal:
        rail.recall(key="pay")

    assert refusal.value.code == "too_late"


@pytest.mark.parametrize(
    ("ending", "error", "code"),
    [
        ("9001", RailRefused, "account_closed"),
        ("9002", RailUnavailable, "rail_unavailable"),
        ("9005", RailOutcomeUnknown, "rail_outcome_unknown"),
    ],
)
def test_the_end_of_the_address_decides_how_an_order_fails(rail, ending, error, code):
    with pytest.raises(error) as caught:
        rail.submit(key="pay", order=order(f"DE00 {ending}"))

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("failure", "error", "status"),
    [
        (Failure.NOT_TAKEN, RailUnavailable, "unknown"),
        (Failure.FAILED, RailOutcomeUnknown, "unknown"),
        (Failure.CALL_LOST, RailOutcomeUnknown, "unknown"),
        (Failure.ANSWER_LOST, RailOutcomeUnknown, "pending"),
    ],
)
def test_after_a_failed_order_an_inquiry_tells_what_happened(rail, failure, error, status):
    conditions.impose(party=RAIL_PARTY, call="submit", failure=failure)

    with pytest.raises(error):
        rail.submit(key="pay", order=order())

    assert rail.inquire(key="pay").status == status


@pytest.mark.parametrize("failure", [Failure.NOT_TAKEN, Failure.FAILED, Failure.CALL_LOST, Failure.ANSWER_LOST])
def test_an_inquiry_that_fails_may_be_made_again(rail, failure):
    conditions.impose(party=RAIL_PARTY, call="inquire", failure=failure)

    with pytest.raises(RailUnavailable):
        rail.inquire(key="pay")

    assert rail.inquire(key="pay").status == PaymentStatus.UNKNOWN


# --- Over HTTP alone -------------------------------------------------------------------------------------------------


def test_after_a_time_out_another_process_of_the_service_knows_the_payment(time, monkeypatch):
    """The first service ends after the call in hand; the second has its memory."""
    latency = Latency()
    monkeypatch.setattr(conditions, "sleep", latency)
    conditions.impose(party=RAIL_PARTY, call="submit", latency=timedelta(seconds=60))

    with serving(service.ROUTES) as served:
        hasty = TranslatedRail(HttpRail(served.endpoint(RAIL_PARTY, timeout=timedelta(milliseconds=200))))
        with pytest.raises(RailOutcomeUnknown):
            hasty.submit(key="pay", order=order())
        latency.end()
    with serving(service.ROUTES) as served:
        found = TranslatedRail(HttpRail(served.endpoint(RAIL_PARTY))).inquire(key="pay")

    assert found.status == PaymentStatus.PENDING
    assert Payment.objects.count() == 1


def test_where_nobody_listens_nothing_was_done(settings):
    settings.THIRD_PARTIES = {RAIL_PARTY: {"URL": f"http://127.0.0.1:{closed_port()}/", "TOKEN": "t"}}

    with pytest.raises(RailUnavailable):
        payment_rail().submit(key="pay", order=order())


def test_an_answer_about_another_key_is_none(time):
    confused = service.Route("POST", RAIL_PARTY, "payments", lambda call: SimulatedRail().inquire(key="other"))

    with serving([confused]) as served, pytest.raises(RailOutcomeUnknown):
        TranslatedRail(HttpRail(served.endpoint(RAIL_PARTY))).submit(key="pay", order=order())


def test_the_settings_choose_the_rail(settings, time):
    assert payment_rail().submit(key="simulated", order=order()).status == PaymentStatus.PENDING

    with serving(service.ROUTES) as served:
        endpoint = served.endpoint(RAIL_PARTY)
        settings.THIRD_PARTIES = {RAIL_PARTY: {"URL": endpoint.url, "TOKEN": endpoint.token}}

        assert payment_rail().inquire(key="simulated").status == PaymentStatus.PENDING
    with pytest.raises(RailUnavailable):
        payment_rail().inquire(key="simulated")
