"""Requesting a withdrawal, setting its amount aside, and giving that up again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from finaegis.shared.money import Money
from ledger import operations as ledger
from wallet import contracts, queries
from wallet.contracts import BY_OPERATOR, WALLET, CaseKind, DestinationStatus, EventKind, Placed, WithdrawalStatus
from wallet.errors import IdempotencyConflict, SanctionsHit
from wallet.models import Case, Destination, WalletAccount, Withdrawal
from wallet.operations.rows import SYSTEM, end, give_back, ledger_account, locked_account, locked_of_run, record
from wallet.operations.tokens import issue_token
from wallet.rules import limits as rules
from wallet.rules.keys import part
from workflows import clock
from workflows import operations as engine
from workflows.contracts import WorkflowRun

#: The workflow that carries a withdrawal, by its registered name.
WORKFLOW = "wallet.Withdrawal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A withdrawal that was asked for, and the run that carries it (`run.created`: by this call)."""

    withdrawal: contracts.Withdrawal
    run: WorkflowRun


def request_withdrawal(
    *,
    key: str,
    account_id: UUID,
    amount: Money,
    destination_id: UUID,
    actor: engine.Actor = None,
    actor_name: str = SYSTEM,
) -> Requested:
    """Start the run of a withdrawal, whose row can be read at once; the run validates it next.

    The same key with the same facts gives the withdrawal that exists. Raises what `engine.start_run` raises:
    StartRefused with the code of `queries.check_withdrawal`, KeyConflict, PermissionRefused.
    """
    with transaction.atomic():
        run = engine.start_run(
            WORKFLOW, key=key, actor=actor, account_id=account_id, amount=amount, destination_id=destination_id
        )
        row = locked_of_run(run.id)
        if row is None:
            row = _insert(run.id, account_id, amount, destination_id, actor=actor_name)
    return Requested(withdrawal=queries.get_withdrawal(row.id), run=run)


def place_withdrawal(*, key: str, run_id: UUID, account_id: UUID, amount: Money, destination_id: UUID) -> Placed:
    """Judge the withdrawal under its account's lock, set its amount aside and make its first token.

    Pending withdrawals count toward the limits, so two at once cannot pass together what one may not. One that its
    customer cancelled meanwhile is left as it is. The same key gives the stored answer. Raises what
    `queries.check_withdrawal` raises, IdempotencyConflict, InvalidKey, and the ledger's KeyVoided if it was undone
    before it happened.
    """
    hold_key = part(key, "hold")
    with transaction.atomic():
        account = locked_account(account_id)
        row = locked_of_run(run_id) or _insert(run_id, account_id, amount, destination_id, actor=SYSTEM)
        if (row.account_id, row.amount, row.destination_id) != (account_id, amount, destination_id):
            raise IdempotencyConflict(key)
        if row.hold_key is None and row.status == WithdrawalStatus.REQUESTED:
            _judge(account, row)
            ledger.place_hold(key=hold_key, account_id=ledger_account(account, WALLET).id, amount=amount, run_id=run_id)
            row.hold_key = hold_key
            row.save(update_fields=["hold_key"])
            issue_token(row, serial=1)
    return Placed(withdrawal_id=row.id)


def release_withdrawal(*, key: str, undone_key: str, run_id: UUID | None) -> None:
    """Undo the placing that was made with `undone_key`: its hold is released, a withdrawal still open is cancelled.

    One that was refused meanwhile is rejected for that reason. Where nothing was placed, the ledger voids the key, so
    that a late attempt sets nothing aside. Repeating it changes nothing.
    """
    with transaction.atomic():
        row = locked_of_run(run_id)
        ledger.release_hold(key=part(key, "release"), hold_key=part(undone_key, "hold"))
        if row is None or row.is_closed:
            return
        if row.refusal:
            end(row, WithdrawalStatus.REJECTED, EventKind.REJECTED, reason=row.refusal)
        else:
            end(row, WithdrawalStatus.CANCELLED, EventKind.CANCELLED, reason=BY_OPERATOR, detail="undone by its run")


def refuse_withdrawal(*, run_id: UUID, reason: str, details: str) -> None:
    """Note that a withdrawal may not or cannot be carried out; `reason` is the refusal's code.

    While nothing is captured it is rejected at once and its money available again. Captured money waits until its
    payment is surely dead at the rail: then the undo that comes next rejects it. A match with a sanctions list also
    blocks the destination and opens a case. A run without a withdrawal, or one that ended before, is left as it is.
    """
    with transaction.atomic():
        row = locked_of_run(run_id)
        if row is None or row.is_closed:
            return
        row.refusal = reason[:64]
        if row.capture_key is None:
            give_back(row)
            end(row, WithdrawalStatus.REJECTED, EventKind.REJECTED, reason=row.refusal, detail=details)
        else:
            row.save(update_fields=["refusal"])
            record(row, EventKind.REFUSED, detail=details)
        if reason == SanctionsHit.code:
            _open_sanctions_case(row, details)


def _open_sanctions_case(row: Withdrawal, details: str) -> None:
    allowed = Destination.objects.filter(pk=row.destination_id, status=DestinationStatus.ALLOWED)
    allowed.update(status=DestinationStatus.BLOCKED)
    Case.objects.create(
        withdrawal=row,
        kind=CaseKind.SANCTIONS,
        details=details[:2000],
        opened_at=clock.now(),
        opened_by=SYSTEM,
        key=f"wallet:{row.id}/sanctions",
    )


def _insert(run_id: UUID, account_id: UUID, amount: Money, destination_id: UUID, *, actor: str) -> Withdrawal:
    account, destination = queries.get_account(account_id), queries.get_destination(destination_id)
    rules.check_form(account, amount)
    row = Withdrawal(
        run_id=run_id,
        account_id=account.id,
        destination_id=destination.id,
        currency=amount.currency,
        amount_minor=amount.to_minor(),
        requested_at=clock.now(),
    )
    row.save(force_insert=True)
    record(row, EventKind.REQUESTED, actor=actor)
    return row


def _judge(account: WalletAccount, row: Withdrawal) -> None:
    facts = account.as_contract()
    rules.check_amount(facts, row.amount, queries.get_available(facts))
    rules.check_destination(facts, row.destination.as_contract(), clock.now())
    limits = queries.get_limits(facts)
    usage = queries.get_usage(facts, limits, destination_id=row.destination_id, at=row.requested_at, leaving_out=row.id)
    rules.check_limits(limits, usage, row.amount)
