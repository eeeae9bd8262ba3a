"""Sensitive values: masked wherever a person looks, encrypted where stored, scrubbed from error texts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.core.conftest import Reversing
from workflows import NonRetryable, Sensitive
from workflows.core import payloads
from workflows.core.errors import PayloadError
from workflows.core.payloads import Codec

SSN = "078-05-1120"


@dataclass(frozen=True)
class Applicant:
    name: str
    ssn: Sensitive[str]


class Household(BaseModel):
    members: list[Applicant]
    income: Sensitive[int]


HOUSEHOLD = Household(members=[Applicant("Ada", Sensitive(SSN))], income=Sensitive(4242))


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        lambda value: f"{value}",
        lambda value: f"{value!s:>20}",
        lambda value: f"{[value]}",
        lambda value: repr(Applicant("Ada", value)),
    ],
)
def test_it_never_shows_its_value(shown: Any) -> None:
    assert SSN not in shown(Sensitive(SSN))
    assert payloads.MASK in shown(Sensitive(SSN))


def test_reveal_gives_the_value() -> None:
    assert Sensitive(SSN).reveal() == SSN


def test_equal_values_are_equal_and_equally_hashed() -> None:
    assert Sensitive(SSN) == Sensitive(SSN)
    assert Sensitive(SSN) != Sensitive("other")
    assert Sensitive(SSN) != SSN
    assert len({Sensitive(SSN), Sensitive(SSN)}) == 1


def test_in_json_input_it_is_a_plain_value() -> None:
    applicant = Codec(Applicant).validate({"name": "Ada", "ssn": SSN}, path="applicant")

    assert applicant.ssn == Sensitive(SSN)


def test_the_inner_type_is_checked_and_the_value_not_repeated() -> None:
    with pytest.raises(PayloadError) as refusal:
        Codec(Sensitive[int]).validate(SSN, path="income")

    assert SSN not in str(refusal.value)


def test_stored_it_is_encrypted_and_the_rest_is_not() -> None:
    codec = Codec(Household)
    stored = codec.encode(HOUSEHOLD, path="household")

    text = payloads.dumps(stored)
    assert SSN not in text
    assert "4242" not in text
    sealed = stored["members"][0]
    assert sealed["name"] == "Ada"
    assert json.loads(Reversing().decrypt(sealed["ssn"][payloads.SENSITIVE_KEY])) == SSN


def test_it_comes_back_as_it_was() -> None:
    codec = Codec(Household)

    assert codec.decode(codec.encode(HOUSEHOLD, path="household"), path="household") == HOUSEHOLD


def test_masked_json_is_what_a_person_may_see() -> None:
    stored = Codec(Household).encode(HOUSEHOLD, path="household")

    assert payloads.mask(stored) == {
        "members": [{"name": "Ada", "ssn": payloads.MASK}],
        "income": payloads.MASK,
    }


def test_its_plain_form_is_for_digests_so_that_equal_inputs_are_equal() -> None:
    """Encryption is salted, so the stored forms of equal inputs differ."""
    assert Codec(Household).plain(HOUSEHOLD) == {"members": [{"name": "Ada", "ssn": SSN}], "income": 4242}


def test_without_a_key_it_is_neither_stored_nor_read() -> None:
    stored = Codec(Sensitive[str]).encode(Sensitive(SSN), path="ssn")
    payloads._CipherBox.cipher = None

    with pytest.raises(PayloadError, match=r"^ssn: "):
        Codec(Sensitive[str]).encode(Sensitive(SSN), path="ssn")
    with pytest.raises(PayloadError, match="no encryption key is configured"):
        Codec(Sensitive[str]).decode(stored, path="ssn")


def test_every_sensitive_text_inside_a_value_is_found() -> None:
    assert payloads.sensitive_texts({"household": HOUSEHOLD, "other": [{"deep": Sensitive("x-1")}]}) == {
        SSN,
        "4242",
        "x-1",
    }


def test_error_texts_are_scrubbed_of_the_values_the_call_was_given() -> None:
    """Also of a cause, also where it stands inside a longer word."""
    try:
        try:
            raise ValueError(f"bad digit in <{SSN}>")
        except ValueError as cause:
            raise NonRetryable(f"cannot check x{SSN}x") from cause
    except NonRetryable as error:
        data = payloads.error_data(error, {SSN})

    assert SSN not in json.dumps(data)
    assert data["message"] == f"cannot check x{payloads.MASK}x"
    assert data["cause"]["message"] == f"bad digit in <{payloads.MASK}>"


def test_a_secret_inside_another_leaves_no_rest() -> None:
    assert payloads.scrub("id 12345 and 123", {"123", "12345"}) == f"id {payloads.MASK} and {payloads.MASK}"


def test_a_validation_error_is_told_without_its_input() -> None:
    class Strict(BaseModel):
        number: int

    with pytest.raises(ValidationError) as raised:
        Strict.model_validate({"number": SSN})

    data = payloads.error_data(raised.value)
    assert data["type"] == "ValidationError"
    assert SSN not in json.dumps(data)
    assert data["message"].startswith("number: ")
