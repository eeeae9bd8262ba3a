"""Forms made of a JSON Schema: which fields there are, and which input comes out."""

import pytest

from workflows.admin.forms import RetryForm, StartForm
from workflows.admin.places import Kind, places_of
from workflows.core.payloads import MASK

MONEY = {
    "type": "object",
    "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
    "required": ["amount", "currency"],
}
EXACT = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]}


def schema(required=(), shared=None, **properties):
    return {"type": "object", "properties": properties, "required": list(required), "$defs": shared or {}}


def started(given_schema, **typed):
    """The form as a person sent it."""
    form = StartForm(
        {f"input.{name}": value for name, value in typed.items()}, places=places_of(given_schema), given={}
    )
    form.is_valid()
    return form


@pytest.mark.parametrize(
    "item,kind",
    [
        ({"type": "string"}, Kind.TEXT),
        ({"type": "string", "format": "uuid"}, Kind.TEXT),
        ({"type": "integer"}, Kind.INTEGER),
        ({"type": "number"}, Kind.NUMBER),
        (EXACT, Kind.DECIMAL),
        ({"anyOf": [*EXACT["anyOf"], {"type": "null"}]}, Kind.DECIMAL),
        ({"type": "boolean"}, Kind.BOOLEAN),
        ({"enum": ["buy", "sell"]}, Kind.CHOICE),
        ({"allOf": [{"$ref": "#/$defs/Side"}]}, Kind.CHOICE),
        (MONEY, Kind.MONEY),
        ({"type": "array", "items": {"type": "integer"}}, Kind.JSON),
        ({"type": "object", "additionalProperties": {"type": "number"}}, Kind.JSON),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, Kind.JSON),
        ({"$ref": "#/$defs/Missing"}, Kind.JSON),
        ({}, Kind.JSON),
    ],
)
def test_a_place_is_filled_in_as_its_schema_asks(item, kind):
    (place,) = places_of(schema(field=item, shared={"Side": {"enum": ["buy", "sell"]}}))

    assert place.kind == kind


def test_an_object_is_taken_apart_and_says_what_it_is_for():
    inner = {"type": "object", "description": "What to respect.", "properties": {"floor": EXACT}, "required": ["floor"]}

    places = places_of(schema(["limits"], shared={"Limits": inner}, limits={"$ref": "#/$defs/Limits"}))

    assert [(place.name, place.is_required, place.about) for place in places] == [
        ("limits.floor", True, "What to respect.")
    ]


def test_nothing_inside_an_optional_object_is_required():
    inner = {"type": "object", "properties": {"floor": EXACT}, "required": ["floor"]}

    (place,) = places_of(schema(limits=inner))

    assert not place.is_required


def test_a_schema_that_holds_itself_ends():
    tree = {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}}

    (place,) = places_of(schema(tree={"$ref": "#/$defs/Tree"}, shared={"Tree": tree}))

    assert (place.kind, len(place.path)) == (Kind.JSON, 4)


@pytest.mark.parametrize(
    "item,typed,value",
    [
        ({"type": "string"}, " a  text ", " a  text "),
        ({"type": "string"}, "two\r\nlines", "two\nlines"),
        ({"type": "string", "format": "uuid"}, " 3d24 ", "3d24"),
        ({"type": "integer"}, "12", 12),
        ({"type": "number"}, "0.5", 0.5),
        (EXACT, "0.100000000000000000001", "0.100000000000000000001"),
        ({"type": "boolean"}, "no", False),
        ({"type": "boolean"}, "yes", True),
        ({"enum": [1, 2]}, "2", 2),
        ({"type": "array"}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": null}', {"a": None}),
    ],
)
def test_what_is_typed_comes_out_exactly(item, typed, value):
    form = started(schema(["field"], field=item), field=typed)

    assert form.errors == {}
    assert form.input == {"field": value}


def test_money_is_an_amount_with_its_currency():
    form = started(schema(["amount"], amount=MONEY), amount_0="100.10", amount_1="USD")

    assert form.input == {"amount": {"amount": "100.10", "currency": "USD"}}


@pytest.mark.parametrize("typed", [{}, {"amount_0": "5"}, {"amount_1": "USD"}])
def test_money_without_one_of_its_halves_is_sent_back(typed):
    assert "input.amount" in started(schema(["amount"], amount=MONEY), **typed).errors


def test_what_is_left_empty_is_left_out():
    form = started(schema(a=MONEY, b={"type": "integer"}, c={"type": "boolean"}, d={"type": "array"}, e=EXACT))

    assert form.errors == {}
    assert form.input == {}


def test_what_may_be_null_and_must_be_given_is_null_when_left_empty():
    form = started(schema(["limit"], limit={"anyOf": [{"type": "integer"}, {"type": "null"}]}))

    assert form.input == {"limit": None}


@pytest.mark.parametrize(
    "item,typed",
    [
        ({"type": "string"}, ""),
        ({"type": "string"}, "a\x00b"),
        ({"type": "string"}, MASK),
        ({"type": "integer"}, "1.5"),
        ({"type": "integer"}, "9" * 5000),
        ({"type": "number"}, "NaN"),
        ({"type": "boolean"}, "maybe"),
        ({"enum": ["buy"]}, "sell"),
        ({"type": "array"}, "["),
        ({"type": "array"}, "[" * 100_000),
        ({"type": "array"}, "[NaN]"),
        ({"type": "array"}, "9" * 5000),
        ({"type": "array"}, f'["{MASK}"]'),
    ],
)
def test_what_does_not_fit_its_place_is_sent_back(item, typed):
    assert "input.field" in started(schema(["field"], field=item), field=typed).errors


def test_what_an_author_offers_is_offered_and_not_insisted_on():
    item = {"type": "string", "examples": ["balanced", "aggressive"]}
    form = started(schema(["strategy"], strategy=item), strategy="something else")

    drawn = str(form["input.strategy"])

    assert '<option value="aggressive">' in drawn
    assert form.input == {"strategy": "something else"}


@pytest.mark.parametrize("kind", ["string", "array"])
def test_a_secret_that_was_typed_is_never_shown_again(kind):
    form = started(schema(["ssn"], ssn={"type": kind, "writeOnly": True}), ssn='["078-05-1120"]')

    assert form.errors == {}
    assert "078-05" not in str(form["input.ssn"])


# --- Retry ------------------------------------------------------------------------------------------------------------

STEP = schema(
    ["loan", "amount", "ssn"],
    loan={"type": "string"},
    amount=MONEY,
    ssn={"type": "string"},
    note={"anyOf": [{"type": "string"}, {"type": "null"}]},
    rail={"type": "string"},
)
USD = {"amount": "5.00", "currency": "USD"}
STORED = {"loan": "L-1", "amount": USD, "ssn": MASK, "note": "old", "rail": "ACH"}
STANDING = {"loan": "L-1", "amount_0": "5.00", "amount_1": "USD", "ssn": "", "note": "old", "rail": "ACH"}


def retried(arguments=STORED, given_schema=STEP, **typed):
    data = {f"input.{name}": value for name, value in {**STANDING, **typed}.items()}
    form = RetryForm({"reason": "r", **data}, places=places_of(given_schema), arguments=arguments)
    form.is_valid()
    return form


def test_an_untouched_input_changes_nothing():
    form = retried()

    assert form.errors == {}
    assert form.changed_input == {}


@pytest.mark.parametrize(
    "typed,changed",
    [
        ({"rail": "SEPA"}, {"rail": "SEPA"}),
        ({"amount_0": "6.00"}, {"amount": {"amount": "6.00", "currency": "USD"}}),
        ({"ssn": "078-05-1120"}, {"ssn": "078-05-1120"}),
        ({"note": ""}, {"note": None}),
        ({"loan": "L-2", "note": "new"}, {"loan": "L-2", "note": "new"}),
    ],
)
def test_only_what_was_changed_is_sent(typed, changed):
    form = retried(**typed)

    assert form.errors == {}
    assert form.changed_input == changed


@pytest.mark.parametrize("name", ["loan", "rail"])
def test_an_argument_cannot_be_taken_away(name):
    assert f"input.{name}" in retried(**{name: ""}).errors


def test_a_hidden_value_is_neither_shown_nor_sent_back_as_a_mask():
    form = retried()

    assert MASK not in str(form["input.ssn"])
    assert "keep it as it is" in form["input.ssn"].help_text
    assert "input.ssn" in retried(ssn=MASK).errors


def test_a_change_beside_a_hidden_value_asks_for_that_value():
    person = {"type": "object", "properties": {"name": {"type": "string"}, "ssn": {"type": "string"}},
              "required": ["name", "ssn"]}  # fmt: skip
    given, stored = schema(["person"], person=person), {"person": {"name": "Ada", "ssn": MASK}}

    refused = retried(stored, given, **{"person.name": "Eve", "person.ssn": ""})
    accepted = retried(stored, given, **{"person.name": "Eve", "person.ssn": "1"})

    assert "input.person.ssn" in refused.errors
    assert accepted.changed_input == {"person": {"name": "Eve", "ssn": "1"}}


def test_lines_of_a_text_survive_the_form():
    form = retried({**STORED, "note": "one\ntwo"}, note="one\r\ntwo")

    assert "<textarea" in str(form["input.note"])
    assert form.changed_input == {}
