"""Wallet accounts, destinations and withdrawals for tests, made by the operations themselves."""

import itertools
import re
from datetime import timedelta
from uuid import uuid4

from django.core import mail

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from wallet import operations, queries
from wallet.models import Withdrawal

_numbers = itertools.count(1)
#: What the simulated rail does with an account number that ends so (`finaegis.simulators.rail`).
REFUSED_AT_ONCE, RAIL_OUT, NEVER_ACCEPTED, RETURNED_LATE, ANSWER_LOST, RETURNED_EARLY, REFUSED_LATER = (
    "9001", "9002", "9003", "9004", "9005", "9006", "9007",
)  # fmt: skip


def open_account(balance="1000.00", currency="USD"):
    """An account with a balance."""
    number = next(_numbers)
    return operations.open_wallet_account(
        key=f"test:{number}",
        name="Ada Byron",
        email=f"ada{number}@example.com",
        currency=currency,
        initial_balance=Money(balance, currency),
    )


def add_destination(account, *, ending=None, beneficiary="Ada Byron", cooling_off=timedelta(0)):
    """A destination that takes money at once."""
    number = next(_numbers)
    return operations.add_destination(
        key=f"test:{number}",
        account_id=account.id,
        label="Savings",
        beneficiary=beneficiary,
        address=f"ACC-{number:04}-{ending or '1000'}",
        cooling_off=cooling_off,
    )


def place(account, destination, amount="100.00", *, run_id=None, key=None):
    """A validated withdrawal without a run that carries it."""
    run_id = run_id or uuid4()
    placed = operations.place_withdrawal(
        key=key or f"step:{run_id}",
        run_id=run_id,
        account_id=account.id,
        amount=Money(amount, account.currency),
        destination_id=destination.id,
    )
    return Withdrawal.objects.get(pk=placed.withdrawal_id)


def money_of(account):
    """What the ledger says of the account: available, held and in transit, as text."""
    found = {item.kind: item for item in ledger_queries.list_accounts(owner=account.ledger_owner)}
    wallet, transit = found["wallet"], found["in_transit"]
    return {
        "available": wallet.available.to_text(),
        "held": wallet.held.to_text(),
        "in transit": transit.balance.to_text(),
    }


def outside(currency="USD"):
    """What the world outside has got from our books."""
    return ledger_queries.find_account(owner="external", kind="external", currency=currency).balance.to_text()


def links(kind, message=None):
    """The paths of this kind (`confirm`, `status`) in a mail, the last one unless told."""
    body = (message or mail.outbox[-1]).body
    return re.findall(rf"http://127\.0\.0\.1:8000(/wallet/{kind}/[^\s]+)", body)


def confirmation_mails():
    """The mails with a link to confirm, oldest first."""
    return [message for message in mail.outbox if "/wallet/confirm/" in message.body]


def token():
    """The token of the newest confirmation mail."""
    return links("confirm", confirmation_mails()[-1])[0].split("/")[-2]


def token_of(withdrawal):
    """The live token of a withdrawal, as its mail would carry it."""
    row = withdrawal.tokens.get(used_at__isnull=True, voided_at__isnull=True)
    return queries.derive_token(row, queries.get_withdrawal(withdrawal.id))
