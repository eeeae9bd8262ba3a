"""Customers take money out: some never confirm, some call it off, some wait for their rail, some come back.

The last four digits of an account number say what its rail makes of the payment (docs/third-parties.md).
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from uuid import UUID

from finaegis.management.demo.pace import Pace
from finaegis.shared.money import Money
from wallet import operations, queries
from wallet.contracts import Withdrawal, WithdrawalStatus
from wallet.models import ConfirmationToken
from workflows import NonRetryable
from workflows.core.errors import Refused
from workflows.operations import NotAllowedInState

_CUSTOMERS = (
    "Ada Okafor", "Bela Novak", "Chiara Romano", "Dmitri Petrov", "Esther Cohen", "Farid Haddad",
    "Grace Mbeki", "Hugo Lindqvist", "Ines Carvalho", "Jonas Weber", "Kaya Demir", "Lars Andersen",
)  # fmt: skip
#: What the rail does: most are paid, one in so many is refused, stays pending, or comes back.
_RAILS = ("1234", "5678", "4321", "8765", "9001", "9003", "9006", "9007", "9008", "2468")
_PER_CUSTOMER = 3


def tell(pace: Pace, chance: Random, *, seed: int) -> None:
    """Open the accounts, ask for the withdrawals, and let customers confirm or call off."""
    asked = []
    for number, name in enumerate(_CUSTOMERS, start=1):
        pace.check()
        asked += _ask(chance, seed, number, name)
    pace.settle([withdrawal.run_id for withdrawal in asked])
    for withdrawal in asked:
        pace.check()
        _answer(chance, withdrawal.id)
    pace.settle([withdrawal.run_id for withdrawal in asked])


def _ask(chance: Random, seed: int, number: int, name: str) -> list[Withdrawal]:
    key = f"story:{seed}:wallet:{number}"
    account = operations.open_wallet_account(
        key=key,
        name=name,
        email=f"{'.'.join(name.lower().split())}@example.com",
        currency="USD",
        initial_balance=Money(f"{chance.randrange(20, 90) * 100}.00", "USD"),
    )
    ending = chance.choice(_RAILS)
    destination = operations.add_destination(
        key=f"{key}/destination",
        account_id=account.id,
        label=chance.choice(("Savings", "Household", "Rent", "Business")),
        beneficiary=name,
        address=_iban("37040044", f"{chance.randrange(10**5, 10**6)}{ending}"),
        cooling_off=timedelta(0),
    )
    asked = []
    for place in range(1, _PER_CUSTOMER + 1):
        amount = Money(f"{chance.randrange(20, 400)}.{chance.randrange(100):02d}", "USD")
        try:
            requested = operations.request_withdrawal(
                key=f"{key}/withdrawal:{place}", account_id=account.id, amount=amount, destination_id=destination.id
            )
        except (NonRetryable, Refused):
            continue  # a limit says no: nothing was written
        asked.append(requested.withdrawal)
    return asked


def _iban(bank: str, account: str) -> str:
    """A German IBAN with its check digits (ISO 13616: 98 less the number modulo 97)."""
    check = 98 - int(f"{bank}{account}131400") % 97
    return f"DE{check:02d}{bank}{account}"


def _answer(chance: Random, withdrawal_id: UUID) -> None:
    """Six of ten customers confirm, one calls it off, the others have not looked yet."""
    draw = chance.random()
    if queries.get_withdrawal(withdrawal_id).status is not WithdrawalStatus.AWAITING_CONFIRMATION:
        return
    try:
        if draw < 0.6:
            token = ConfirmationToken.objects.filter(withdrawal_id=withdrawal_id).order_by("-serial").first()
            if token is not None:
                operations.confirm_withdrawal(queries.derive_token(token, queries.get_withdrawal(withdrawal_id)))
        elif draw < 0.7:
            operations.cancel_withdrawal(withdrawal_id)
    except (NonRetryable, NotAllowedInState):
        return  # its half hour was over in the meantime
