"""The service for simulators: what comes in reaches the act, what the act comes to goes out as an answer or error."""

from dataclasses import dataclass

import httpx
import pytest

from finaegis.shared.third_party import Client, NotTaken, OutcomeUnknown, Refused, Unavailable
from finaegis.simulators.server import Route
from tests.simulators.serving import TOKEN, serving


@dataclass(frozen=True)
class Echo:
    key: str
    text: str


def echo(call):
    return Echo(key=call.key, text=call.body(dict[str, str])["text"])


def raising(error):
    def act(call):
        raise error

    return act


def ask(act, *, key="k", token=TOKEN, body=None, path="echoes"):
    with serving([Route("POST", "echo_party", "echoes", act)]) as served:
        client = Client(served.endpoint("echo_party", token=token))
        return client.post("echo", path=path, key=key, body=body or {"text": "hello"}, answer=Echo)


def test_key_and_body_reach_the_act_and_its_answer_comes_back():
    assert ask(echo, key="zahlung:ü % 1") == Echo(key="zahlung:ü % 1", text="hello")


def test_an_inquiry_has_its_key_in_the_path():
    def known(call):
        return Echo(key=call.key, text="")

    with serving([Route("GET", "echo_party", "echoes/{key}", known)]) as served:
        client = Client(served.endpoint("echo_party"))

        assert client.get("inquire", path="echoes/a%2Fb%2E", answer=Echo).key == "a/b."


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotTaken(party="p", call="c", reason="r"), NotTaken),
        (Unavailable(party="p", call="c", reason="r"), Unavailable),
        (OutcomeUnknown(party="p", call="c", reason="r"), OutcomeUnknown),
        (ZeroDivisionError(), Unavailable),
    ],
)
def test_what_the_act_comes_to_is_what_the_caller_is_told(error, told):
    with pytest.raises(told) as caught:
        ask(raising(error))

    assert type(caught.value) is told


def test_a_refusal_keeps_its_code_and_status():
    with pytest.raises(Refused) as refusal:
        ask(raising(Refused(party="p", call="c", code="too_late", status=409)))

    assert (refusal.value.code, refusal.value.status) == ("too_late", 409)


@pytest.mark.parametrize(
    ("asked", "code", "status"),
    [
        ({"token": "another"}, "unauthorised", 401),
        ({"token": ""}, "unauthorised", 401),
        ({"path": "elsewhere"}, "not_found", 404),
        ({"key": ""}, "idempotency_key_missing", 400),
        ({"body": {"text": 7}}, "invalid_body", 422),
    ],
)
def test_a_call_that_does_not_fit_is_refused(asked, code, status):
    with pytest.raises(Refused) as refusal:
        ask(echo, **asked)

    assert (refusal.value.code, refusal.value.status) == (code, status)


def test_a_body_that_is_no_json_is_refused_without_being_repeated():
    with serving([Route("POST", "echo_party", "echoes", echo)]) as served:
        answer = httpx.post(
            served.server.url_of("echo_party") + "echoes",
            headers={"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k"},
            content=b"123-45-6789",
            trust_env=False,
        )

    assert (answer.status_code, answer.json()) == (422, {"code": "invalid_body"})
