"""Accounts of known risk, for tests of risk management."""

from decimal import Decimal

from finaegis.shared.money import Money
from treasury import operations, queries

#: 10,000,000.00 USD all put to work aggressively score just above the limit of 70, half of it well below.
ALL = Money(Decimal("10000000.00"), "USD")
HALF = Money(Decimal("5000000.00"), "USD")


def open_account(balance=ALL, key="open-1"):
    """Opened by the operation, so that its event starts the saga."""
    return operations.open_treasury_account(name="Main", currency=balance.currency, initial_balance=balance, key=key)


def make_risky(account, amount=ALL, key="aggressive-1"):
    """Put money to work with 70 % equities."""
    return operations.allocate(key=key, account_id=account.id, strategy="aggressive", amount=amount)


def newest_score(account):
    (newest,), _ = queries.page_assessments(account.id, limit=1)
    return newest.score
