"""SEMANTICS E24, D18: the canonical form of stored values, and the values that are refused."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel

from workflows.core import payloads
from workflows.core.errors import PayloadError
from workflows.core.payloads import Codec, Signature
from workflows.models import Run


class Side(StrEnum):
    BUY = "buy"


@dataclass(frozen=True)
class Amount:
    value: Decimal
    currency: str


class Model(BaseModel):
    when: date
    amounts: list[Amount]


@dataclass(frozen=True)
class Deep:
    sides: dict[str, Side] = field(default_factory=dict)
    models: tuple[Model, ...] = ()


def stored(annotation: Any, value: Any) -> str:
    """The text that would be stored."""
    codec = Codec(annotation)
    return payloads.dumps(codec.encode(codec.validate(value, path="value"), path="value"))


def text_of(*parameters: str, **values: Any) -> Signature:
    """The signature of a function made for the test."""
    made: dict[str, Any] = {"Amount": Amount, "Any": Any}
    exec(f"def function(*, {', '.join(parameters)}) -> None: ...", made)
    return Signature(made["function"], label="test.function", skip_self=False, localns={})


EXAMPLES = [
    (Decimal, Decimal("0.10"), '"0.10"'),
    (Decimal, Decimal("1000000000000.001"), '"1000000000000.001"'),
    (Decimal, Decimal("100"), '"100"'),
    (int, 10**30, "1000000000000000000000000000000"),
    (str, "Zürich ☂", '"Zürich ☂"'),
    (uuid.UUID, uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (datetime, datetime(2026, 1, 5, 12, 0, tzinfo=UTC), '"2026-01-05T12:00:00Z"'),
    (date, date(2026, 1, 5), '"2026-01-05"'),
    (timedelta, timedelta(hours=36), '"P1DT12H"'),
    (Side, Side.BUY, '"buy"'),
    (Amount, Amount(Decimal("1.50"), "EUR"), '{"value":"1.50","currency":"EUR"}'),
    (dict[str, int], {"z": 1, "a": 2}, '{"z":1,"a":2}'),
    (tuple[int, ...], (3, 1, 2), "[3,1,2]"),
    (
        Deep,
        Deep({"b": Side.BUY}, (Model(when=date(2026, 1, 5), amounts=[Amount(Decimal("1.0"), "EUR")]),)),
        '{"sides":{"b":"buy"},"models":[{"when":"2026-01-05","amounts":[{"value":"1.0","currency":"EUR"}]}]}',
    ),
    (int | None, None, "null"),
]


@pytest.mark.parametrize(("annotation", "value", "text"), EXAMPLES)
def test_stored_text_is_canonical_and_gives_the_value_back(annotation: Any, value: Any, text: str) -> None:
    """UTF-8, no spaces, insertion order, Decimal as a string at its scale."""
    assert stored(annotation, value) == text

    back = Codec(annotation).decode(payloads.loads(text), path="value")
    assert back == value
    assert type(back) is type(value)


def test_a_decimal_keeps_its_scale_there_and_back() -> None:
    back = Codec(Decimal).decode(payloads.loads(stored(Decimal, Decimal("2.500"))), path="value")

    assert str(back) == "2.500"


def test_sorted_text_is_equal_for_equal_inputs_whatever_their_order() -> None:
    assert payloads.dumps_sorted({"b": 1, "a": {"d": "ü", "c": 2}}) == '{"a":{"c":2,"d":"ü"},"b":1}'
    assert payloads.dumps_sorted({"a": 1, "b": 2}) == payloads.dumps_sorted({"b": 2, "a": 1})


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "tail \udfff", "\udc80"])
@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: [t], lambda t: {"deep": [{"k": t}]}, lambda t: {t: 1}])
def test_nul_and_lone_surrogates_are_refused_wherever_they_stand(text: str, wrap: Any) -> None:
    codec = Codec(Any)

    with pytest.raises(PayloadError, match=r"^note.*cannot be stored") as refusal:
        codec.encode(codec.validate(wrap(text), path="note"), path="note")

    assert text not in str(refusal.value)


@pytest.mark.parametrize("value", [10**4300, -(10**4300)], ids=["above", "below"])
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: [n], lambda n: {"deep": n}])
def test_a_number_that_could_not_be_read_back_is_refused(value: int, wrap: Any) -> None:
    codec = Codec(Any)

    with pytest.raises(PayloadError, match="4300 digits"):
        codec.encode(codec.validate(wrap(value), path="n"), path="n")
    longest = codec.encode(value // 10, path="n")

    assert codec.decode(longest, path="n") == value // 10


def test_bytes_that_are_no_text_are_refused() -> None:
    codec = Codec(Any)

    with pytest.raises(PayloadError, match="no text"):
        codec.encode(codec.validate(b"\xff", path="n"), path="n")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("annotation", [float, Any, dict[str, Any]])
def test_nan_and_infinity_are_refused(value: float, annotation: Any) -> None:
    given = {"deep": value} if annotation == dict[str, Any] else value

    with pytest.raises(PayloadError):
        stored(annotation, given)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_decimal_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(PayloadError):
        stored(Decimal, Decimal(text))


@pytest.mark.parametrize("annotation", [Any, dict[str, Any], list[Any]])
def test_an_orm_instance_is_refused_payloads_are_values(annotation: Any) -> None:
    given: Any = Run(workflow="any")
    if annotation is not Any:
        given = {"run": given} if annotation == dict[str, Any] else [given]

    with pytest.raises(PayloadError):
        stored(annotation, given)


@pytest.mark.parametrize("value", [object(), lambda: None, open])
def test_a_value_without_a_json_form_is_refused(value: Any) -> None:
    with pytest.raises(PayloadError, match=r"^value: "):
        stored(Any, value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int, "many"), (Amount, {"value": "1"}), (uuid.UUID, "no-uuid"), (Side, "hold"), (list[int], {"a": 1})],
)
def test_a_value_of_another_type_is_refused_by_name_and_not_repeated(annotation: Any, value: Any) -> None:
    with pytest.raises(PayloadError, match=r"^amount: ") as refusal:
        Codec(annotation).validate(value, path="amount")

    assert refusal.value.code == "invalid_input"
    assert "many" not in str(refusal.value)
    assert "no-uuid" not in str(refusal.value)


def test_a_result_of_another_type_than_declared_is_refused() -> None:
    codec = Codec(int)

    with pytest.raises(PayloadError):
        codec.encode("text", path="result")


def test_a_stored_value_that_no_longer_fits_is_refused() -> None:
    with pytest.raises(PayloadError, match="the stored value no longer fits"):
        Codec(int).decode("text", path="amount")


# --- Arguments -------------------------------------------------------------------------------------------------------


def test_arguments_are_validated_and_defaults_filled() -> None:
    signature = text_of("amount: Amount", "note: str = 'none'")

    bound = signature.bind((), {"amount": {"value": "1.50", "currency": "EUR"}})

    assert bound == {"amount": Amount(Decimal("1.50"), "EUR"), "note": "none"}
    assert payloads.dumps(signature.encode(bound)) == '{"amount":{"value":"1.50","currency":"EUR"},"note":"none"}'


def test_arguments_may_be_given_in_order() -> None:
    signature = text_of("a: int", "b: int = 2")

    assert signature.bind((1,), {}) == {"a": 1, "b": 2}
    assert signature.bind((1, 3), {}) == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("args", "kwargs", "problem"),
    [
        ((), {}, "a: is required"),
        ((1, 2, 3), {}, "takes 2 argument"),
        ((1,), {"a": 1}, "'a' was given twice"),
        ((1,), {"c": 1}, "unknown argument"),
        ((), {"a": "x", "b": "y"}, r"a: .*; b: "),
        ((None,), {}, "a: "),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_every_problem_named(args: Any, kwargs: Any, problem: str) -> None:
    signature = text_of("a: int", "b: int = 2")

    with pytest.raises(PayloadError, match=problem):
        signature.bind(args, kwargs)


def test_a_parameter_added_since_takes_its_default_and_a_removed_one_is_refused() -> None:
    assert text_of("a: int", "b: int = 2").decode({"a": 1}) == {"a": 1}
    with pytest.raises(PayloadError, match=r"stored argument\(s\) no longer exist: b"):
        text_of("a: int").decode({"a": 1, "b": 2})
    with pytest.raises(PayloadError, match="b: is required but was not stored"):
        text_of("a: int", "b: int").decode({"a": 1})


def test_the_schema_says_what_doors_take() -> None:
    schema = text_of("amount: Amount", "note: str = 'none'").json_schema()

    assert schema["required"] == ["amount"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {"amount", "note"}
    assert schema["$defs"]["Amount"]["required"] == ["value", "currency"]
