"""Treasury accounts for tests, made without the opening operation and so without its event."""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from treasury.models import TreasuryAccount
from treasury.operations.accounts import open_ledger_accounts


class TreasuryAccountFactory(DjangoModelFactory):
    """An account with its ledger accounts; `balance="1000000.00"` is what the operating account begins with."""

    name = factory.Sequence("Account {}".format)
    currency = "USD"
    opened_at = datetime(2026, 7, 1, tzinfo=UTC)

    class Meta:
        model = TreasuryAccount
        skip_postgeneration_save = True

    @factory.post_generation
    def balance(self, create, extracted, **kwargs):
        opened = open_ledger_accounts(self)
        amount = Money(Decimal("1000000.00" if extracted is None else extracted), self.currency)
        if not amount:
            return
        external = ledger.open_account(owner="external", kind="external", currency=self.currency, may_go_negative=True)
        ledger.transfer(key=f"test:{self.id}", legs=[Leg(external.id, -amount), Leg(opened["operating"], amount)])


def balances(account):
    """The balance of each ledger account of a treasury account, by kind, as text."""
    owner = f"treasury:{account.id}"
    return {item.kind: item.balance.to_text() for item in ledger_queries.list_accounts(owner=owner)}
