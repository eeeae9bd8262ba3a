"""Errors as they are stored: type, code, message and cause, storable on every database."""

from __future__ import annotations

import inspect
import json

import pytest

from workflows.core import errors, payloads
from workflows.core.failures import remote_error


class OwnCode(Exception):
    code = "own_code"


class NumberedCode(Exception):
    code = 17


def test_an_error_is_stored_as_type_code_message_and_cause() -> None:
    error = OwnCode("went wrong")
    error.__cause__ = ValueError("deeper")

    assert payloads.error_data(error) == {
        "type": "OwnCode",
        "code": "own_code",
        "message": "went wrong",
        "cause": {"type": "ValueError", "code": "error", "message": "deeper", "cause": None},
    }


def test_a_code_is_always_a_text() -> None:
    assert payloads.error_data(NumberedCode("x"))["code"] == "17"


def test_an_error_without_words_is_told_by_its_type() -> None:
    assert payloads.error_data(KeyError())["message"] == "KeyError"


def test_nul_and_lone_surrogates_are_replaced_and_long_texts_cut() -> None:
    message = payloads.error_data(ValueError("a\x00b \ud800 c"))["message"]

    assert "\x00" not in message
    message.encode()  # Postgres would refuse a lone surrogate here
    assert message.startswith("a")
    assert message.endswith("c")
    assert len(payloads.error_data(ValueError("x" * 100_000))["message"]) == 4000


def test_a_stored_error_comes_back_with_its_causes_and_is_stored_the_same_again() -> None:
    error = OwnCode("went wrong")
    error.__cause__ = ValueError("deeper")
    stored = payloads.error_data(error)

    back = remote_error(stored)

    assert (str(back), back.type, back.code) == ("went wrong", "OwnCode", "own_code")
    assert str(back.__cause__) == "deeper"
    assert payloads.error_data(back) == stored


def test_stored_errors_are_json() -> None:
    assert json.loads(payloads.dumps(payloads.error_data(OwnCode("x"))))["type"] == "OwnCode"


REFUSALS = [
    member
    for _, member in inspect.getmembers(errors, inspect.isclass)
    if issubclass(member, errors.Refused) or member in (errors.NonRetryable, errors.NonDeterminismError)
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_has_a_code_and_explains_itself(refusal: type[errors.EngineError]) -> None:
    assert isinstance(refusal.code, str)
    assert refusal.code
    assert refusal.__doc__


def test_a_refusal_without_words_says_its_docstring() -> None:
    assert str(errors.ReasonRequired()) == "An act on an existing run needs a reason."


def test_a_refused_state_names_the_state_and_the_allowed_acts() -> None:
    refusal = errors.NotAllowedInState(act="retry", state="completed", allowed=["rerun", "compensate"])

    assert str(refusal) == "cannot retry a run that is completed; allowed now: compensate, rerun"
    assert (refusal.act, refusal.state, refusal.allowed) == ("retry", "completed", ["compensate", "rerun"])


def test_cancelled_is_not_swallowed_by_except_exception() -> None:
    assert not issubclass(errors.Cancelled, Exception)
