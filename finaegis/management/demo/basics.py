"""Demo data: users, treasury accounts and runs to look at. Everything has a key, so a second call adds nothing.

For development and tests only: the users share a password that everyone knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import CommandError
from django.db import transaction

from exchange import operations as exchange
from finaegis.groups import ROLES
from finaegis.shared.money import Money
from lending import operations as lending
from treasury import operations as treasury
from treasury.contracts import Constraints, TreasuryAccount
from treasury.workflows import CashManagementWorkflow
from wallet import operations as wallet
from workflows import operations, queries
from workflows.contracts import WorkflowRun

#: Settings modules under which demo data may be written.
ALLOWED_SETTINGS = frozenset({"finaegis.settings.dev", "finaegis.settings.test"})
PASSWORD = "finaegis"  # noqa: S105 - the demo password is public
SUPERUSER = "admin"
#: One user for each role, named after it.
LOGINS = (SUPERUSER, *ROLES)
_AMOUNT = Money("100000.00", "USD")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a call made or found. `settling` are the runs that a worker still has to bring to their end."""

    settling: tuple[UUID, ...]
    paused: UUID


def refuse_outside_development() -> None:
    """Raise CommandError unless these are development or test settings."""
    if settings.SETTINGS_MODULE not in ALLOWED_SETTINGS:
        raise CommandError("demo data has well-known passwords; it is for the development settings only", returncode=2)


def seed() -> Seeded:
    """Write what is missing of the demo data."""
    refuse_outside_development()
    make_users()
    treasury.load_instruments()
    fund_lending()
    request_withdrawal()
    open_exchange()
    return start_runs(open_accounts()[0])


def fund_lending() -> None:
    """What loans are paid out of."""
    for amount in (Money("1000000.00", "USD"), Money("1000000.00", "EUR")):
        lending.fund_lending(amount=amount, key=f"demo:lending:{amount.currency}")


def request_withdrawal() -> None:
    """A customer's withdrawal that waits for its confirmation; the mail with the link is on the console."""
    account = wallet.open_wallet_account(
        key="demo:wallet:1",
        name="Ada Byron",
        email="ada@example.com",
        currency="USD",
        initial_balance=Money("5000.00", "USD"),
    )
    destination = wallet.add_destination(
        key="demo:destination:1",
        account_id=account.id,
        label="Savings",
        beneficiary="Ada Byron",
        address="DE89370400440532013000",
        cooling_off=timedelta(0),
    )
    wallet.request_withdrawal(
        key="demo:withdrawal:1",
        account_id=account.id,
        amount=Money("100.00", "USD"),
        destination_id=destination.id,
    )


def open_exchange() -> None:
    """`BTC-USD`, with a trading account and something to trade for each demo user."""
    exchange.list_demo_instrument()
    for login in LOGINS:
        exchange.open_trading_account(
            key=f"demo:trading:{login}",
            holder=login,
            name=f"{login.capitalize()}'s account",
            initial_balances=[Money("1000000.00", "USD"), Money("25", "BTC")],
        )


def make_users() -> None:
    """The demo users. One that exists keeps its password and its groups."""
    users = get_user_model()
    for name in LOGINS:
        if users._default_manager.filter(username=name).exists():
            continue
        with transaction.atomic():
            user = users(username=name, email=f"{name}@example.com", is_staff=True, is_superuser=name == SUPERUSER)
            user.set_password(PASSWORD)
            user.save()
            if name != SUPERUSER:
                user.groups.add(Group.objects.get(name=name))


def open_accounts() -> list[TreasuryAccount]:
    """Treasury accounts with their opening balances; the first one is used by the demo runs."""
    opening = (
        ("Operating liquidity", Money("1000000.00", "USD")),
        ("Strategic reserve", Money("5000000.00", "USD")),
        ("European liquidity", Money("750000.00", "EUR")),
    )
    return [
        treasury.open_treasury_account(
            name=name, currency=balance.currency, initial_balance=balance, key=f"demo:account:{number}"
        )
        for number, (name, balance) in enumerate(opening, start=1)
    ]


def start_runs(account: TreasuryAccount) -> Seeded:
    """One run that completes, one that is compensated, one that is held as `paused` before it begins."""
    completed = _start(account, "completed", Constraints(target_yield=Decimal("5.0")))
    compensated = _start(account, "compensated", Constraints(min_yield=Decimal("50.0")))
    return Seeded((completed.id, compensated.id), _start_paused(account).id)


def _start(
    account: TreasuryAccount, name: str, constraints: Constraints, delay: timedelta | None = None
) -> WorkflowRun:
    return operations.start_run(
        CashManagementWorkflow,
        account.id,
        _AMOUNT,
        "balanced",
        constraints,
        key=f"demo:cash:{name}",
        delay=delay,
        reason="demo data",
    )


def _start_paused(account: TreasuryAccount) -> WorkflowRun:
    """Started and paused in one transaction, so that no worker comes between; with a delay no hint is sent."""
    with transaction.atomic():
        run = _start(account, "paused", Constraints(), delay=timedelta(seconds=1))
        if run.created:
            operations.pause_run(run.id, reason="demo: waits for somebody to resume it")
    return queries.get_run(run.id)
