"""Conditions of simulated calls: imposed, used up one call after the other, never by chance."""

from datetime import timedelta

import pytest

from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Unavailable
from finaegis.simulators import conditions
from finaegis.simulators.models import Failure

pytestmark = pytest.mark.django_db


class Party:
    """A third party that counts what it did."""

    done = 0

    def act(self):
        self.done += 1
        return "answer"

    def call(self, call="pull"):
        return conditions.under_conditions(party="bureau", call=call, act=self.act)


def test_without_a_condition_a_call_is_answered():
    assert Party().call() == "answer"


@pytest.mark.parametrize(
    ("failure", "error", "done"),
    [
        (Failure.NOT_TAKEN, NotTaken, 0),
        (Failure.FAILED, Unavailable, 0),
        (Failure.CALL_LOST, OutcomeUnknown, 0),
        (Failure.ANSWER_LOST, OutcomeUnknown, 1),
    ],
)
def test_a_condition_decides_what_is_told_and_what_is_done(failure, error, done):
    party = Party()
    conditions.impose(party="bureau", failure=failure)

    with pytest.raises(error) as caught:
        party.call()

    assert type(caught.value) is error
    assert party.done == done


def test_a_condition_holds_for_as_many_calls_as_it_says():
    party = Party()
    conditions.impose(party="bureau", failure=Failure.NOT_TAKEN, times=2)

    for _ in range(2):
        with pytest.raises(NotTaken):
            party.call()
    assert party.call() == "answer"


def test_a_condition_without_a_number_holds_until_it_is_lifted():
    party = Party()
    conditions.impose(party="bureau", failure=Failure.NOT_TAKEN, times=None)

    for _ in range(5):
        with pytest.raises(NotTaken):
            party.call()
    assert conditions.lift(party="bureau") == 1
    assert party.call() == "answer"


def test_a_condition_for_one_call_or_one_party_leaves_others_alone():
    conditions.impose(party="bureau", call="push", failure=Failure.NOT_TAKEN)
    conditions.impose(party="rail", failure=Failure.NOT_TAKEN)

    assert Party().call("pull") == "answer"
    with pytest.raises(NotTaken):
        Party().call("push")


def test_the_oldest_condition_comes_first():
    party = Party()
    conditions.impose(party="bureau", failure=Failure.NOT_TAKEN)
    conditions.impose(party="bureau", call="pull", failure=Failure.ANSWER_LOST)

    with pytest.raises(NotTaken):
        party.call()
    with pytest.raises(OutcomeUnknown):
        party.call()


def test_latency_passes_after_the_act_and_before_the_answer(monkeypatch):
    party, slept = Party(), []
    monkeypatch.setattr(conditions, "sleep", lambda seconds: slept.append((seconds, party.done)))
    conditions.impose(party="bureau", latency=timedelta(milliseconds=250))

    assert party.call() == "answer"

    assert slept == [(0.25, 1)]
