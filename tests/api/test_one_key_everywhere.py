"""An Idempotency-Key belongs to the door it was sent to: the same one opens an account of each domain."""

from __future__ import annotations

import pytest

OPENINGS = {
    "treasury": {"name": "Main", "currency": "USD", "initial_balance": "10.00"},
    "wallet": {"name": "Ada", "email": "ada@example.com", "currency": "USD", "initial_balance": "10.00"},
    "exchange": {"holder": "ada", "name": "Ada", "initial_balances": [{"amount": "10.00", "currency": "USD"}]},
}


@pytest.mark.django_db
@pytest.mark.parametrize("domains", [list(OPENINGS), list(reversed(OPENINGS))])
def test_the_same_key_opens_an_account_of_each_domain(operator, domains):
    answers = [
        operator.post(f"/api/v1/{domain}/accounts/", OPENINGS[domain], headers={"Idempotency-Key": "one"})
        for domain in domains
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201], [answer.json() for answer in answers]


@pytest.mark.django_db
@pytest.mark.parametrize("domain", OPENINGS)
def test_the_key_that_comes_again_gives_the_account_that_exists(operator, domain):
    sent = [
        operator.post(f"/api/v1/{domain}/accounts/", OPENINGS[domain], headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in sent] == [201, 200]
    assert sent[0].json()["id"] == sent[1].json()["id"]
