"""Bad input is a problem with a stable code, at every door that takes it, and nothing is written."""

import json
import uuid
from io import BytesIO

import pytest

from tests.api.conftest import assert_problem

pytestmark = pytest.mark.django_db

RUNS = "/api/v1/runs/"
CASH = "/api/v1/treasury/cash-management/"
DOORS = (RUNS, CASH)
MISSING = object()


def cash(account, **changes):
    values = {
        "account_id": str(account.id),
        "amount": {"amount": "100.00", "currency": "USD"},
        "strategy": "balanced",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not MISSING}


def body_for(door, input):
    return {"workflow": "treasury.CashManagement", "input": input} if door == RUNS else input


def send(client, door, body):
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(door, raw, content_type="application/json", headers={"Idempotency-Key": f"key-{uuid.uuid4()}"})


def send_in_chunks(client, document):
    """As a server hands on a request that did not tell its length."""
    wire = BytesIO(document.encode()) if isinstance(document, str) else document
    chunked = {"CONTENT_LENGTH": "", "wsgi.input": wire, "wsgi.input_terminated": True}
    return client.post(RUNS, "", content_type="application/json", HTTP_TRANSFER_ENCODING="chunked", **chunked)


class Broken(BytesIO):
    """What a server gives to read where a chunk is malformed."""

    def read(self, size=-1):
        raise OSError("invalid chunk size")


def usd(amount):
    return {"amount": amount, "currency": "USD"}


AMOUNTS = {
    "negative": (usd("-1.00"), "amount_not_positive"),
    "zero": (usd("0.00"), "amount_not_positive"),
    "non_numeric": (usd("many"), "invalid_input"),
    "nan": (usd("NaN"), "invalid_input"),
    "infinite": (usd("Infinity"), "invalid_input"),
    "exponent": (usd("1e5"), "invalid_input"),
    "other_digits": (usd("\u0661\u0660\u0660"), "invalid_input"),
    "blank": (usd(""), "invalid_input"),
    "spaced": (usd(" 1.00"), "invalid_input"),
    "float": (usd(0.1), "invalid_input"),
    "boolean": (usd(True), "invalid_input"),
    "null": (usd(None), "invalid_input"),
    "too_many_decimals": (usd("1.001"), "invalid_input"),
    "too_large": (usd("9" * 30), "invalid_input"),
    "very_long": (usd("1" * 100_000), "invalid_input"),
    "more_than_there_is": (usd("1000000.01"), "insufficient_funds"),
    "wrong_currency": ({"amount": "1.00", "currency": "EUR"}, "currency_mismatch"),
    "unknown_currency": ({"amount": "1.00", "currency": "XXX"}, "invalid_input"),
    "currency_null": ({"amount": "1.00", "currency": None}, "invalid_input"),
    "currency_missing": ({"amount": "1.00"}, "invalid_input"),
    "amount_missing": ({"currency": "USD"}, "invalid_input"),
    "extra_member": ({**usd("1.00"), "scale": 2}, "invalid_input"),
    "text_for_object": ("100.00", "invalid_input"),
    "number_for_object": (100, "invalid_input"),
    "list_for_object": ([usd("1.00")], "invalid_input"),
    "null_for_object": (None, "invalid_input"),
}
OTHERS = {
    "unknown_account": ({"account_id": str(uuid.uuid4())}, "unknown_account"),
    "account_no_uuid": ({"account_id": "42"}, "invalid_input"),
    "account_number": ({"account_id": 42}, "invalid_input"),
    "account_null": ({"account_id": None}, "invalid_input"),
    "account_missing": ({"account_id": MISSING}, "invalid_input"),
    "amount_missing": ({"amount": MISSING}, "invalid_input"),
    "strategy_number": ({"strategy": 1}, "invalid_input"),
    "strategy_null": ({"strategy": None}, "invalid_input"),
    "strategy_missing": ({"strategy": MISSING}, "invalid_input"),
    "extra_field": ({"priority": "high"}, "invalid_input"),
    "constraints_list": ({"constraints": []}, "invalid_input"),
    "constraints_text": ({"constraints": "none"}, "invalid_input"),
    "constraints_null": ({"constraints": None}, "invalid_input"),
    "constraint_unknown": ({"constraints": {"max_yield": "5"}}, "invalid_input"),
    "constraint_not_a_number": ({"constraints": {"min_yield": "much"}}, "invalid_input"),
    "constraint_nan": ({"constraints": {"min_yield": "NaN"}}, "invalid_input"),
    "constraint_infinite": ({"constraints": {"min_yield": "Infinity"}}, "invalid_input"),
    "constraint_too_fine": ({"constraints": {"min_yield": "1.0000001"}}, "invalid_input"),
    "constraint_out_of_range": ({"constraints": {"issuer_limit": "1.5"}}, "invalid_input"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", AMOUNTS)
def test_an_amount_that_does_not_fit_is_refused(operator, account, written, door, case):
    amount, code = AMOUNTS[case]
    before = written()

    response = send(operator, door, body_for(door, cash(account, amount=amount)))

    assert_problem(response, 422, code)
    assert written() == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", OTHERS)
def test_an_input_that_does_not_fit_is_refused(operator, account, written, door, case):
    changes, code = OTHERS[case]
    before = written()

    response = send(operator, door, body_for(door, cash(account, **changes)))

    assert_problem(response, 422, code)
    assert written() == before


@pytest.mark.parametrize("workflow", ["nobody.Nothing", "", "x" * 300, None, 7, ["treasury.CashManagement"]])
def test_a_workflow_that_is_none_is_refused(operator, account, written, workflow):
    before = written()

    response = send(operator, RUNS, {"workflow": workflow, "input": cash(account)})

    assert_problem(response, 422, "unknown_workflow" if workflow == "nobody.Nothing" else "invalid_input")
    assert written() == before


@pytest.mark.parametrize(
    "change",
    [
        {"input": []},
        {"input": "x"},
        {"input": None},
        {"workflow": MISSING},
        {"extra": 1},
        {"key": ""},
        {"key": 7},
        {"key": "x" * 256},
        {"key": ["a"]},
        {"version": "x"},
        {"version": 0},
        {"version": 10**30},
        {"version": None},
        {"delay": -1},
        {"delay": 10**12},
        {"delay": "NaN"},
        {"delay": "5"},
        {"delay": True},
        {"delay": 1.5},
        {"version": True},
        {"version": "1"},
        {"reason": 7},
        {"reason": "x" * 2001},
    ],
)
def test_a_start_whose_own_fields_do_not_fit_is_refused(operator, written, change):
    before = written()
    body = {"workflow": "rest.Addition", "input": {"n": 1}, **change}
    body = {name: value for name, value in body.items() if value is not MISSING}

    response = operator.post(RUNS, json.dumps(body), content_type="application/json")

    assert_problem(response, 422, "invalid_input")
    assert written() == before


def test_each_field_that_does_not_fit_is_named(operator):
    body = assert_problem(operator.post(RUNS, {"workflow": 7, "extra": 1}), 422, "invalid_input")
    assert body["errors"] == [{"field": "extra", "code": "unknown_field", "detail": "There is no such field."}]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("document", ["[]", '"x"', "7", "null", "true"])
def test_a_document_that_is_no_object_is_refused(operator, written, door, document):
    before = written()

    assert_problem(send(operator, door, document), 422, "invalid_input")
    assert written() == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "document",
    [
        "{",
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": 1} x',
        '{"workflow": "rest.Addition", "workflow": "rest.Nap"}',
        '{"input": {"n": 1, "n": 2}}',
        '{"input": {"n": NaN}}',
        '{"input": {"n": Infinity}}',
        '{"input": {"n": -Infinity}}',
        '{"input": {"n": 1e999}}',
        '{"input": {"n": ' + "9" * 5000 + "}}",
        '{"input": ' + "[" * 100 + "]" * 100 + "}",
        "[" * 100_000,
        b"\xff\xfe",
        b'{"workflow": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        " ",
    ],
)
def test_what_is_not_one_strict_json_document_is_refused(operator, written, door, document):
    before = written()

    assert_problem(send(operator, door, document), 400, "malformed_json")
    assert written() == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "a\\udfffb"])
def test_text_that_no_database_stores_is_refused_wherever_it_stands(operator, account, written, door, text):
    before = written()
    value = json.dumps(body_for(door, cash(account, strategy="PLACE"))).replace("PLACE", text)
    name = json.dumps(body_for(door, {**cash(account), "PLACE": 1})).replace("PLACE", text)

    for document in (value, name):
        assert_problem(send(operator, door, document), 422, "unstorable_text")
    assert written() == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_a_body_that_does_not_say_json_is_415(operator, written, door, content_type):
    before = written()

    response = operator.post(door, "{}", content_type=content_type, headers={"Idempotency-Key": "k"})

    assert_problem(response, 415, "unsupported_media_type")
    assert written() == before


@pytest.mark.parametrize("door", DOORS)
def test_a_body_over_one_mebibyte_is_413(operator, written, door):
    before = written()
    document = json.dumps({"workflow": "rest.Addition", "input": {"n": 1, "note": "x" * 1024 * 1024}})

    assert_problem(send(operator, door, document), 413, "request_too_large")
    assert written() == before


def test_a_body_that_hides_its_length_is_413_too(operator, written):
    before = written()
    document = json.dumps({"workflow": "rest.Addition", "input": {"n": 1, "note": "x" * 1024 * 1024}})

    assert_problem(send_in_chunks(operator, document), 413, "request_too_large")
    assert written() == before


def test_a_body_in_chunks_is_read_whole(operator):
    response = send_in_chunks(operator, '{"workflow": "rest.Addition", "input": {"n": 1}}')

    assert (response.status_code, response.json()["input"]["n"]) == (201, 1)


def test_chunks_that_cannot_be_read_are_400(operator, written):
    before = written()

    assert_problem(send_in_chunks(operator, Broken()), 400, "bad_request")
    assert written() == before


def test_an_input_over_the_engines_limit_is_refused(operator, written):
    before = written()

    response = operator.post(RUNS, {"workflow": "rest.Addition", "input": {"n": 1, "note": "x" * 300_000}})

    assert_problem(response, 422, "input_too_large")
    assert written() == before


def test_an_unknown_strategy_is_all_cash_with_a_warning(operator, account, workflow_env):
    workflow_env.now = workflow_env.now.replace(year=2026, month=7, day=15)

    response = operator.post(
        CASH, cash(account, strategy="daring"), headers={"Idempotency-Key": "k", "Prefer": "wait=5"}
    )

    allocation = response.json()["result"]["allocation"]
    assert [item["type"] for item in allocation["allocations"] if item["amount"]["amount"] != "0.00"] == ["cash"]
    assert allocation["warnings"]
