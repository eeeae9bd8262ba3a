"""The one-time key: one act per dialog, after a double send, a refusal, a race."""

import uuid

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client

from workflows import clock
from workflows.admin import one_time

RUN = uuid.uuid4()


def key(user=1, dialog="pause:1"):
    return one_time.issue(user_id=user, dialog=dialog)


def act_once(sent, act, user=1, dialog="pause:1"):
    return one_time.act_once(sent, user_id=user, dialog=dialog, act=act)


class Acts:
    """Counts how often it acted."""

    def __init__(self, error=None):
        self.number, self.error = 0, error

    def __call__(self):
        self.number += 1
        if self.error:
            raise self.error
        return RUN


@pytest.mark.django_db
def test_the_second_send_acts_no_more_and_knows_the_run():
    sent, act = key(), Acts()

    outcomes = [act_once(sent, act), act_once(sent, act)]

    assert act.number == 1
    assert [(outcome.run_id, outcome.repeated) for outcome in outcomes] == [(RUN, False), (RUN, True)]


@pytest.mark.django_db
def test_a_refused_act_leaves_its_key_unused():
    sent = key()
    with pytest.raises(ZeroDivisionError):
        act_once(sent, Acts(ZeroDivisionError()))

    assert act_once(sent, Acts()).repeated is False
    assert Session.objects.count() == 1


@pytest.mark.django_db
def test_issuing_writes_nothing_and_no_two_keys_are_the_same():
    assert len({key() for _ in range(100)}) == 100
    assert Session.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["", "x", "x" * 5000, signing.dumps([1], salt="workflows.admin.one_time"), None])
def test_a_forged_key_is_refused(sent):
    act = Acts()

    with pytest.raises(one_time.KeyRefused):
        act_once(sent or "", act)

    assert act.number == 0


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"user": 2}, {"dialog": "pause:2"}, {"dialog": "cancel:1"}])
def test_a_key_of_another_user_or_dialog_is_refused(other):
    with pytest.raises(one_time.KeyRefused):
        act_once(key(**other), Acts())


@pytest.mark.django_db
def test_a_key_ends_and_its_mark_outlives_it(move_time):
    sent = key()
    act_once(sent, Acts())

    mark = Session.objects.get()
    assert mark.expire_date > clock.now() + one_time.LIFETIME
    move_time(one_time.LIFETIME.total_seconds() + 60)
    with pytest.raises(one_time.KeyRefused):
        act_once(sent, Acts())


@pytest.fixture
def move_time(monkeypatch):
    """Moves the clock that signatures are judged by."""
    real = signing.time.time

    def move(seconds):
        monkeypatch.setattr("django.core.signing.time.time", lambda: real() + seconds)

    return move


@pytest.mark.django_db
def test_a_mark_is_no_session_of_anybody():
    act_once(key(), Acts())
    stranger = Client()

    stranger.cookies["sessionid"] = Session.objects.get().session_key

    assert stranger.get("/admin/").status_code == 302
