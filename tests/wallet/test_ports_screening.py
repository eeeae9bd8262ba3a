"""The sanctions screening of the wallet: simulated and over a real socket the same answers, and "ask again" if none."""

import pytest

from finaegis.simulators import conditions
from finaegis.simulators.models import Failure
from tests.simulators.serving import serving
from wallet.contracts import Screening, ScreeningSubject
from wallet.errors import ScreeningUnavailable
from wallet.ports import service
from wallet.ports.chosen import sanctions_screening
from wallet.ports.failures import TranslatedScreening
from wallet.ports.http import HttpScreening
from wallet.ports.simulator import SCREENING_PARTY, SimulatedScreening

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["simulated", "http"])
def screening(request):
    """Each promise is kept by both."""
    if request.param == "simulated":
        yield TranslatedScreening(SimulatedScreening())
        return
    with serving(service.ROUTES) as served:
        yield TranslatedScreening(HttpScreening(served.endpoint(SCREENING_PARTY)))


def subject(name, country=None):
    return ScreeningSubject(name=name, address="DE00 0001", country=country)


def test_a_listed_name_is_a_match_in_another_spelling(screening):
    answer = screening.screen(key="s:1", subject=subject("MALENKOW, Viktor"))

    assert answer == Screening(
        clear=False, matches=("Viktor Andreyevich Malenkov [SYN-0001]",), list_version="synthetic-2026-11"
    )


def test_another_name_is_clear(screening):
    answer = screening.screen(key="s:1", subject=subject("Ada Lovelace", country="GB"))

    assert (answer.clear, answer.matches) == (True, ())


@pytest.mark.parametrize("failure", [Failure.NOT_TAKEN, Failure.FAILED, Failure.CALL_LOST, Failure.ANSWER_LOST])
def test_without_an_answer_nobody_is_clear_and_asking_again_helps(screening, failure):
    conditions.impose(party=SCREENING_PARTY, failure=failure)

    with pytest.raises(ScreeningUnavailable):
        screening.screen(key="s:1", subject=subject("Ada Lovelace"))

    assert screening.screen(key="s:1", subject=subject("Ada Lovelace")).clear


def test_a_wrong_token_is_no_answer():
    with serving(service.ROUTES) as served, pytest.raises(ScreeningUnavailable):
        TranslatedScreening(HttpScreening(served.endpoint(SCREENING_PARTY, token="other"))).screen(
            key="s:1", subject=subject("Ada Lovelace")
        )


def test_without_an_address_the_screening_is_simulated():
    assert not sanctions_screening().screen(key="s:1", subject=subject("Kang Myong-hyok")).clear
