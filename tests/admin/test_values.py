"""Stored JSON as an outline for people."""

import pytest

from workflows.admin.values import Fields, Items, Table, Text, outline

USD = {"amount": "1234567.80", "currency": "USD"}
ID = "3d243987-403c-4f51-8a15-6c152da4dc80"


@pytest.mark.parametrize(
    "value,text",
    [
        ("balanced", Text("balanced")),
        ("", Text("empty", is_absent=True)),
        (None, Text("none", is_absent=True)),
        ({}, Text("none", is_absent=True)),
        ([], Text("none", is_absent=True)),
        (0, Text("0")),
        (0.5, Text("0.5")),
        (True, Text("yes")),
        (False, Text("no")),
        (USD, Text("1,234,567.80 USD")),
        ({"amount": "•••", "currency": "USD"}, Text("••• USD")),
        (ID, Text(ID, is_id=True)),
        ("•••", Text("•••")),
        (["a", "b", USD], Text("a, b, 1,234,567.80 USD")),
    ],
)
def test_a_plain_value_is_one_text(value, text):
    assert outline(value) == text


def test_an_object_is_its_names_and_values_in_the_order_stored():
    drawn = outline({"strategy": "balanced", "limits": {"issuer": "0.35"}})

    assert drawn == Fields(
        (("strategy", Text("balanced")), ("limits", Fields((("issuer", Text("0.35")),)))),
    )


def test_a_list_of_like_objects_is_a_table():
    drawn = outline([{"type": "cash", "amount": USD}, {"amount": USD, "type": "bonds"}])

    money = Text("1,234,567.80 USD")
    assert drawn == Table(("type", "amount"), ((Text("cash"), money), (Text("bonds"), money)), 0)


def test_a_list_of_unlike_things_keeps_each_as_it_is():
    drawn = outline([{"a": 1}, {"b": [1, 2]}])

    assert drawn == Items((Fields((("a", Text("1")),)), Fields((("b", Text("1, 2")),))), 0)


def test_a_long_list_says_how_many_are_left_out():
    assert outline([{"a": number} for number in range(60)]).left_out == 10
    assert outline([[{}], list(range(3))] * 30).left_out == 10
    assert outline(list(range(60))).text.endswith(", 49, …")


def test_what_is_nested_without_end_ends():
    value = {}
    for _ in range(100):
        value = {"deeper": value, "beside": 1}

    drawn = outline(value)

    for _ in range(6):
        drawn = drawn.fields[0][1]
    assert drawn == Text("…", is_absent=True)
