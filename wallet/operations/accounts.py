"""Opening wallet accounts, freezing them, and their allow-lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from finaegis.shared.money import Money, scale_of
from ledger import operations as ledger
from ledger.contracts import Leg
from wallet import contracts, queries
from wallet.contracts import EXTERNAL, LEDGER_KINDS, WALLET, AccountStatus, DestinationStatus, EventKind
from wallet.errors import (
    AmountNotPositive,
    CurrencyMismatch,
    IdempotencyConflict,
    InvalidCustomer,
    InvalidDestination,
    ReasonMissing,
    UnknownDestination,
)
from wallet.models import Customer, Destination, Event, WalletAccount
from wallet.models.account import NAME_LENGTH
from wallet.operations.rows import SYSTEM, locked_account
from wallet.rules import destinations as rules
from wallet.rules.keys import check_key, part
from wallet.rules.progress import masked_address
from workflows import clock


def open_wallet_account(
    *, key: str, name: str, email: str, currency: str, initial_balance: Money | None = None
) -> contracts.WalletAccount:
    """Open a customer's account with its ledger accounts and, if given, its opening balance from outside.

    The customer is known by the e-mail address. The same key with the same facts gives the account that exists
    (`created` tells which). Raises InvalidCustomer, InvalidKey, CurrencyMismatch, AmountNotPositive, money's
    UnknownCurrency, and IdempotencyConflict: the key was used with other facts, or the customer has an account in this
    currency or another name.
    """
    # The ledger is everybody's, and treasury opens accounts with keys of the same callers.
    opening_key = part(key, "wallet-opening")
    name, email = _checked_customer(name, email)
    _check_opening(currency, initial_balance)
    opening = initial_balance or None
    with transaction.atomic():
        known = WalletAccount.objects.select_related("customer").filter(opening_key=key).first()
        if known is not None:
            return _same(known, name, email, currency, opening)
        customer = _customer(name, email, key)
        account = WalletAccount(
            customer=customer,
            currency=currency,
            opened_at=clock.now(),
            opening_key=key,
            initial_minor=None if opening is None else opening.to_minor(),
        )
        # Of two openings with one key, or for one customer and currency, the second finds the first.
        try:
            with transaction.atomic():
                account.save(force_insert=True)
        except IntegrityError:
            first = WalletAccount.objects.select_related("customer").filter(opening_key=key).first()
            if first is None:
                raise IdempotencyConflict(key) from None
            return _same(first, name, email, currency, opening)
        opened = {
            kind: ledger.open_account(owner=account.ledger_owner, kind=kind, currency=currency).id
            for kind in LEDGER_KINDS
        }
        if opening is not None:
            outside = ledger.open_account(owner=EXTERNAL, kind=EXTERNAL, currency=currency, may_go_negative=True)
            ledger.transfer(
                key=opening_key,
                legs=[Leg(outside.id, -opening), Leg(opened[WALLET], opening)],
                description="opening balance of a wallet account",
            )
    return replace(account.as_contract(), created=True)


def freeze_account(account_id: UUID, *, actor: str, reason: str) -> contracts.WalletAccount:
    """Let no money out of the account; what is held or in transit stays so. A repeated act changes nothing.

    Raises UnknownAccount, ReasonMissing.
    """
    return _set_status(account_id, AccountStatus.FROZEN, EventKind.FROZEN, actor=actor, reason=reason)


def unfreeze_account(account_id: UUID, *, actor: str, reason: str) -> contracts.WalletAccount:
    """Let money out of the account again. A repeated act changes nothing. Raises UnknownAccount, ReasonMissing."""
    return _set_status(account_id, AccountStatus.ACTIVE, EventKind.UNFROZEN, actor=actor, reason=reason)


def add_destination(
    *,
    key: str,
    account_id: UUID,
    label: str,
    beneficiary: str,
    address: str,
    cooling_off: timedelta | None = None,
    actor: str = SYSTEM,
) -> contracts.Destination:
    """Put a destination on the account's allow-list. It takes money when its cooling-off is over.

    `cooling_off` stands in for the account's own, for a destination that was checked in another way. The same key with
    the same facts gives the destination that exists. Raises UnknownAccount, InvalidDestination (also for an address
    that is on the list), LimitsMissing, IdempotencyConflict, InvalidKey.
    """
    check_key(key)
    label = rules.checked_text("label", label, longest=NAME_LENGTH)
    beneficiary = rules.checked_text("beneficiary", beneficiary, longest=NAME_LENGTH)
    address = rules.checked_address(address)
    with transaction.atomic():
        account = locked_account(account_id)
        known = Destination.objects.filter(key=key).first()
        if known is not None:
            if (known.account_id, known.label, known.beneficiary, known.address) != (
                account_id, label, beneficiary, address,
            ):  # fmt: skip
                raise IdempotencyConflict(key)
            return known.as_contract()
        listed = account.destinations.exclude(status=DestinationStatus.REMOVED)
        if listed.filter(address=address).exists():
            raise InvalidDestination("this account number is on the list already")
        now = clock.now()
        wait = queries.get_limits(account.as_contract()).cooling_off if cooling_off is None else cooling_off
        row = Destination(
            account=account,
            label=label,
            beneficiary=beneficiary,
            address=address,
            usable_from=now + wait,
            added_at=now,
            key=key,
        )
        try:
            row.save(force_insert=True)
        except IntegrityError:  # the key was used for another account at the same moment
            raise IdempotencyConflict(key) from None
        _record(account, EventKind.DESTINATION_ADDED, actor=actor, detail=f"{label}: {masked_address(address)}")
    return replace(row.as_contract(), created=True)


def remove_destination(destination_id: UUID, *, actor: str, reason: str = "") -> contracts.Destination:
    """Take a destination off the allow-list, for good: adding its address again begins a new cooling-off.

    Raises UnknownDestination. Removing it again changes nothing.
    """
    with transaction.atomic():
        row = Destination.objects.select_for_update(of=("self",)).filter(pk=destination_id).first()
        if row is None:
            raise UnknownDestination(destination_id)
        if row.status != DestinationStatus.REMOVED:
            row.status = DestinationStatus.REMOVED
            row.save(update_fields=["status"])
            _record(row.account, EventKind.DESTINATION_REMOVED, actor=actor, detail=f"{row.label} {reason}".strip())
    return row.as_contract()


def _checked_customer(name: str, email: str) -> tuple[str, str]:
    name, email = name.strip(), email.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidCustomer(f"a name is 1 to {NAME_LENGTH} printable characters")
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidCustomer("this is no e-mail address") from None
    return name, email.lower()


def _check_opening(currency: str, opening: Money | None) -> None:
    scale_of(currency)
    if opening is None:
        return
    if opening.currency != currency:
        raise CurrencyMismatch(expected=currency, found=opening.currency)
    if opening < Money.zero(currency):
        raise AmountNotPositive(f"an opening balance cannot be negative, as {opening} is")


def _customer(name: str, email: str, key: str) -> Customer:
    customer, _ = Customer.objects.get_or_create(email=email, defaults={"name": name, "since": clock.now()})
    if customer.name != name:
        raise IdempotencyConflict(key)
    return customer


def _same(known: WalletAccount, name: str, email: str, currency: str, opening: Money | None) -> contracts.WalletAccount:
    asked = (name, email, currency, None if opening is None else opening.to_minor())
    if (known.customer.name, known.customer.email, known.currency, known.initial_minor) != asked:
        raise IdempotencyConflict(known.opening_key)
    return known.as_contract()


def _set_status(
    account_id: UUID, status: AccountStatus, kind: EventKind, *, actor: str, reason: str
) -> contracts.WalletAccount:
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        account = locked_account(account_id)
        if account.status != status:
            account.status = status
            account.save(update_fields=["status"])
            _record(account, kind, actor=actor, detail=reason.strip())
    return account.as_contract()


def _record(account: WalletAccount, kind: EventKind, *, actor: str, detail: str) -> None:
    Event.objects.create(account=account, kind=kind, actor=actor, detail=detail[:2000], at=clock.now())
