"""A call to a third party over a real socket: its answer, or the error that says what to do next."""

import logging
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from finaegis.shared.third_party import (
    Client,
    Endpoint,
    NotTaken,
    OutcomeUnknown,
    Refused,
    Unavailable,
    client,
    endpoint_of,
    segment,
)
from tests.shared.peers import TOKEN, answer, client_of, closed_port, half_an_answer, hang_up, serving

SSN = "123-45-6789"


@dataclass(frozen=True)
class Score:
    points: int


def ask(url, *, timeout=timedelta(seconds=30), key="key-1"):
    third_party = client_of(url, timeout=timeout)
    return third_party.post("score", path="scores", key=key, body={"ssn": SSN}, answer=Score)


def what_comes_of(script):
    """The error that the script leads to."""
    with serving(script) as peer, pytest.raises(Exception) as caught:
        ask(peer.url)
    return caught.value


# --- Success ---------------------------------------------------------------------------------------------------------


def test_an_answer_comes_back_as_what_was_asked_for():
    with serving(answer(200, b'{"points": 7, "more": true}')) as peer:
        assert ask(peer.url) == Score(points=7)


def test_a_call_carries_its_key_its_token_and_its_body():
    with serving(answer(201, b'{"points": 7}')) as peer:
        ask(peer.url, key="loan:1/transfer")

    (heard,) = peer.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/bureau/scores", {"ssn": SSN})
    assert heard.headers["Idempotency-Key"] == "loan:1/transfer"
    assert heard.headers["Authorization"] == f"Bearer {TOKEN}"
    assert heard.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("key", "header"),
    [("a b", "a%20b"), ("100%", "100%25"), ("zahlung:ü", "zahlung:%C3%BC"), ("a\r\nX: 1", "a%0D%0AX:%201")],
)
def test_a_key_of_any_text_travels_percent_encoded(key, header):
    with serving(answer(200, b'{"points": 7}')) as peer:
        ask(peer.url, key=key)

    assert peer.heard[0].headers["Idempotency-Key"] == header


@pytest.mark.parametrize("key", ["..", "a/b", "a?b#c", "ü %"])
def test_a_key_stays_one_segment_of_an_inquiry_s_path(key):
    with serving(answer(200, b'{"points": 7}')) as peer:
        client_of(peer.url).get("inquire", path=f"scores/{segment(key)}/state", answer=Score)

    (heard,) = peer.heard
    assert heard.method == "GET"
    assert heard.path == f"/bureau/scores/{segment(key)}/state"
    assert "Idempotency-Key" not in heard.headers


def test_every_call_has_a_connection_of_its_own():
    """A kept one that the other side has closed would look like a lost answer."""
    ports = []

    def script(handler):
        ports.append(handler.client_address)
        answer(200, b'{"points": 7}')(handler)

    with serving(script) as peer:
        third_party = client_of(peer.url)
        for _ in range(2):
            third_party.get("inquire", path="scores/1", answer=Score)

    assert len(set(ports)) == 2


# --- Errors ----------------------------------------------------------------------------------------------------------


def test_where_nobody_listens_the_call_was_not_taken():
    with pytest.raises(NotTaken) as caught:
        ask(f"http://127.0.0.1:{closed_port()}/")

    assert caught.value.code == "third_party_not_taken"


def test_a_token_that_no_header_carries_sends_nothing():
    third_party = Client(
        Endpoint("bureau", "http://127.0.0.1/", "two\nlines", timedelta(seconds=9), timedelta(seconds=9))
    )

    with serving(answer(200)) as peer, pytest.raises(NotTaken) as caught:
        third_party.get("inquire", path=f"{peer.url}scores", answer=Score)

    assert str(caught.value) == "bureau: inquire: the request cannot be sent"
    assert peer.heard == []


@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_not_now_is_a_call_that_was_not_taken(status):
    assert type(what_comes_of(answer(status))) is NotTaken


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_a_server_that_failed_is_unavailable_and_may_have_acted(status):
    assert type(what_comes_of(answer(status))) is Unavailable


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_a_refusal_is_typed_by_the_code_that_came_with_it(status):
    refusal = what_comes_of(answer(status, b'{"code": "account_closed", "detail": "..."}'))

    assert type(refusal) is Refused
    assert (refusal.code, refusal.status) == ("account_closed", status)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'{"code": 7}', b'{"code": "Not A Code"}', b'{"code": "ssn_123456789"}']
)
def test_a_refusal_without_a_code_that_may_be_kept_has_a_general_one(content):
    assert what_comes_of(answer(422, content)).code == "third_party_refused"


@pytest.mark.parametrize("script", [hang_up, half_an_answer])
def test_a_connection_lost_after_sending_leaves_the_outcome_unknown(script):
    assert type(what_comes_of(script)) is OutcomeUnknown


def test_no_answer_in_time_leaves_the_outcome_unknown():
    with serving(lambda handler: peer.released.wait()) as peer, pytest.raises(OutcomeUnknown) as caught:
        ask(peer.url, timeout=timedelta(milliseconds=200))

    assert len(peer.heard) == 1
    assert str(caught.value) == "bureau: score: no answer within 0.2 s"


def test_an_answer_that_drips_is_given_up_at_the_end_of_the_time():
    def script(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not peer.released.wait(0.02):
            handler.wfile.write(b" ")

    with serving(script) as peer, pytest.raises(OutcomeUnknown):
        ask(peer.url, timeout=timedelta(milliseconds=300))


@pytest.mark.parametrize("content", [b"", b"not json", b'{"points": "many"}', b'{"other": 1}'])
def test_a_success_that_cannot_be_read_leaves_the_outcome_unknown(content):
    assert type(what_comes_of(answer(200, content))) is OutcomeUnknown


def test_an_answer_without_end_is_not_read_to_its_end():
    assert type(what_comes_of(answer(200, b" " * (client.MAXIMUM_ANSWER + 1)))) is OutcomeUnknown


def test_a_redirect_is_not_followed_and_leaves_the_outcome_unknown():
    with serving(answer(303, Location="/elsewhere")) as peer, pytest.raises(OutcomeUnknown):
        ask(peer.url)

    assert len(peer.heard) == 1


@pytest.mark.parametrize("script", [answer(503), answer(500), hang_up])
def test_nothing_is_tried_twice(script):
    with serving(script) as peer, pytest.raises((Unavailable, OutcomeUnknown)):
        ask(peer.url)

    assert len(peer.heard) == 1


# --- Secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        answer(200, b'{"points": 7}'),
        answer(200, f'{{"points": "{SSN}"}}'.encode()),
        answer(422, f'{{"code": "{SSN}", "detail": "{SSN}"}}'.encode()),
        answer(500, SSN.encode()),
        hang_up,
    ],
)
def test_what_was_sent_stands_in_no_address_log_or_error(script, caplog):
    caplog.set_level(logging.DEBUG)
    text = ""

    with serving(script) as peer:
        try:
            ask(peer.url)
        except Exception as error:
            text = (
                f"{error} {error!r} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
            )

    told = caplog.text + text + peer.heard[0].path + repr(client_of(peer.url).endpoint)
    assert SSN not in told
    assert TOKEN not in told


# --- Settings --------------------------------------------------------------------------------------------------------


def test_an_address_in_the_settings_is_an_endpoint(settings):
    settings.THIRD_PARTIES = {"credit_bureau": {"URL": "https://bureau.example/v1", "TOKEN": "t"}}
    settings.THIRD_PARTY_CONNECT_TIMEOUT = timedelta(seconds=2)
    settings.THIRD_PARTY_TIMEOUT = timedelta(seconds=9)

    assert endpoint_of("credit_bureau") == Endpoint(
        "credit_bureau", "https://bureau.example/v1", "t", timedelta(seconds=2), timedelta(seconds=9)
    )


def test_without_an_address_there_is_no_endpoint(settings):
    settings.THIRD_PARTIES = {"credit_bureau": {"URL": "", "TOKEN": ""}}

    assert endpoint_of("credit_bureau") is None


def test_a_third_party_that_the_settings_do_not_know_is_a_mistake(settings):
    with pytest.raises(ImproperlyConfigured):
        endpoint_of("credit_buro")


def test_a_client_that_was_closed_calls_nobody():
    third_party = Client(Endpoint("bureau", "http://127.0.0.1/", "", timedelta(seconds=1), timedelta(seconds=1)))
    third_party.close()

    with pytest.raises(RuntimeError):
        third_party.get("inquire", path="x", answer=Score)
