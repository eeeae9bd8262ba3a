"""Refusals and failures of the treasury, each with a stable `code`.

All but `ConcurrencyConflict` are refusals that trying again cannot change, so the engine never retries them.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from workflows import NonRetryable


class TreasuryError(NonRetryable):
    """A treasury request that cannot be done as asked."""

    code = "treasury_refused"


class UnknownAccount(TreasuryError):
    """There is no such treasury account."""

    code = "unknown_account"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"there is no treasury account {account_id}")
        self.account_id = account_id


class AccountFrozen(TreasuryError):
    """The treasury account is frozen: no new allocations."""

    code = "account_frozen"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"treasury account {account_id} is frozen")
        self.account_id = account_id


class InvalidAccount(TreasuryError):
    """The facts given do not make a treasury account."""

    code = "invalid_account"


class CurrencyMismatch(TreasuryError):
    """The amount is in another currency than the account."""

    code = "currency_mismatch"

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(f"the account is in {expected}, the amount in {found}")
        self.expected = expected
        self.found = found


class AmountNotPositive(TreasuryError):
    """The amount must be more than zero."""

    code = "amount_not_positive"


class InsufficientFunds(TreasuryError):
    """The operating account does not have the amount available."""

    code = "insufficient_funds"


class InvalidKey(TreasuryError):
    """A key is a text of 1 to 240 printable characters."""

    code = "invalid_key"


class IdempotencyConflict(TreasuryError):
    """The key was used before with another payload."""

    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key!r} was used before with another payload")
        self.key = key


class InvalidFreeze(TreasuryError):
    """The cause given does not say why an account is frozen."""

    code = "invalid_freeze"


class FreezeVoided(TreasuryError):
    """The freeze was undone before it was placed: it is not placed any more."""

    code = "freeze_voided"

    def __init__(self, key: str) -> None:
        super().__init__(f"the freeze of key {key!r} was undone before it was placed")
        self.key = key


class InvalidMeasure(TreasuryError):
    """The amounts given are no measure against risk."""

    code = "invalid_measure"


class HedgeVoided(TreasuryError):
    """The hedge was undone before it was opened: it is not opened any more."""

    code = "hedge_voided"

    def __init__(self, key: str) -> None:
        super().__init__(f"the hedge of key {key!r} was undone before it was opened")
        self.key = key


class AllocationInvalid(TreasuryError):
    """The parts of an allocation do not make up its whole."""

    code = "allocation_invalid"


class UndoneKeyMissing(TreasuryError):
    """A reversal runs only as the undo of a step: without that step's key it cannot know what to reverse."""

    code = "undone_key_missing"


class Infeasible(TreasuryError):
    """No selection of instruments satisfies every constraint; `conflicts` names a smallest set that clashes."""

    code = "infeasible"

    def __init__(self, conflicts: Sequence[str]) -> None:
        super().__init__(f"no selection of instruments satisfies together: {', '.join(conflicts)}")
        self.conflicts = tuple(conflicts)


class SolverFailed(TreasuryError):
    """The solver gave no answer that could be confirmed exactly."""

    code = "solver_failed"


class InvalidHolder(TreasuryError):
    """The facts about an account's holder do not fit."""

    code = "invalid_holder"


class InvalidMovement(TreasuryError):
    """The facts given do not make a movement."""

    code = "invalid_movement"


class UnknownMovement(TreasuryError):
    """There is no such movement."""

    code = "unknown_movement"

    def __init__(self, movement_id: UUID) -> None:
        super().__init__(f"there is no movement {movement_id}")
        self.movement_id = movement_id


class UnknownCase(TreasuryError):
    """There is no such case."""

    code = "unknown_case"

    def __init__(self, case_id: UUID) -> None:
        super().__init__(f"there is no case {case_id}")
        self.case_id = case_id


class CaseVoided(TreasuryError):
    """The case was undone before it was opened, so it is not opened any more."""

    code = "key_voided"


class CaseDecided(TreasuryError):
    """The case has ended."""

    code = "case_decided"

    def __init__(self, case_id: UUID, status: str) -> None:
        super().__init__(f"case {case_id} is {status}")
        self.case_id = case_id
        self.status = status


class CaseDecisionInvalid(TreasuryError):
    """A case is cleared or rejected: the decision is `clear` or `reject`."""

    code = "invalid_decision"

    def __init__(self) -> None:
        super().__init__("a decision is clear or reject")


class ReasonMissing(TreasuryError):
    """A decision needs a reason of 1 to 2000 characters."""

    code = "reason_required"

    def __init__(self) -> None:
        super().__init__("a decision needs a reason of 1 to 2000 characters")


class OfficerUnknown(TreasuryError):
    """A person decides: neither the system nor nobody may."""

    code = "officer_unknown"

    def __init__(self) -> None:
        super().__init__("a case is decided by a person with a name")


class SameOfficer(TreasuryError):
    """Whoever opened the account or recorded the movement does not decide its case."""

    code = "same_officer"

    def __init__(self) -> None:
        super().__init__("whoever opened the account or recorded the movement does not decide its case")


class DecisionUnproven(TreasuryError):
    """A decision counts only through a door that knows who decides."""

    code = "decision_unproven"

    def __init__(self) -> None:
        super().__init__("decide over REST, in the console or by manage.py decide_case")


class CaseRunHeld(TreasuryError):
    """The case's run takes no decision as it stands: an operator has to look at it first."""

    code = "run_held"

    def __init__(self, run_id: UUID, state: str) -> None:
        super().__init__(f"run {run_id} is {state}")
        self.run_id = run_id
        self.state = state


class ConcurrencyConflict(Exception):
    """Another writer appended to the stream first; read it again and decide anew."""

    code = "concurrency_conflict"

    def __init__(self, stream: UUID, version: int) -> None:
        super().__init__(f"version {version} of stream {stream} was written by someone else")
        self.stream = stream
        self.version = version
