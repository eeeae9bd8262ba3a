"""What tests of the exchange's workflows do again and again: request an order, let it run, look where it stands."""

import itertools
from datetime import timedelta

from exchange import operations, queries
from exchange.models import Trade
from finaegis.shared.money import MAXIMUM_MINOR, Money
from ledger import operations as ledger
from ledger.contracts import Leg
from tests.exchange.factories import facts, open_account
from workflows import queries as runs

_keys = itertools.count(1)


def request(account, side, quantity=None, price=None, **options):
    """An order that was asked for and whose run has not begun; gives the answer of the door's operation."""
    return operations.request_order(facts(account, side, quantity, price, **options), key=f"request:{next(_keys)}")


def ordered(env, account, side, quantity=None, price=None, **options):
    """An order whose run went as far as it could; gives the order as it stands, and the run."""
    asked = request(account, side, quantity, price, **options)
    env.skip(timedelta(0))
    return queries.get_order(asked.order.id), runs.get_run(asked.run.id)


def children(run_id):
    """The children of a run: workflow and status, by name."""
    found = runs.list_runs(parent=run_id)
    return sorted((run.workflow.removeprefix("exchange."), str(run.status)) for run in found)


def full_seller():
    """A seller whose USD account can take no more: a trade of theirs cannot be settled before money has left it."""
    seller = open_account(BTC="10")
    _move_out(seller, -Money.from_minor(MAXIMUM_MINOR, "USD"))
    return seller


def make_room(seller):
    """Money leaves the full account."""
    _move_out(seller, Money("1000000.00", "USD"))


def _move_out(account, money):
    outside = ledger.open_account(owner="elsewhere", kind="external", currency="USD", may_go_negative=True)
    theirs = ledger.open_account(owner=account.ledger_owner, kind="trading", currency="USD")
    ledger.transfer(key=f"room:{next(_keys)}", legs=[Leg(theirs.id, -money), Leg(outside.id, money)])


def trade_statuses():
    return list(Trade.objects.order_by("number").values_list("status", flat=True))
