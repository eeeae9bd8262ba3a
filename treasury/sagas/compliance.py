"""Compliance: one run for each treasury account, from its opening for as long as the account lives.

The opening of the account starts it, and large movements reach it in the order in which they were published, each at
least once and examined once. What is found becomes a case; cases wait for officers side by side with whatever comes
next. A case whose time is over is marked as overdue and stays open: time alone neither clears nor rejects anybody. A
rejection freezes the account, ends its other cases and ends the run. The run continues as new after many messages, so
its history does not grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from treasury.activities import (
    check_identity,
    conclude_case,
    escalate_case,
    judge_movement,
    open_case,
    screen_counterparty,
    screen_holder,
)
from treasury.contracts import (
    Carried,
    CaseDecision,
    CaseRuling,
    CaseStatus,
    ComplianceResult,
    ComplianceState,
    ComplianceStatus,
    Finding,
    FindingKind,
    OpenedCase,
)
from treasury.errors import CaseDecided, ReasonMissing, SameOfficer, UnknownCase
from treasury.events import LargeMovementRecorded, TreasuryAccountCreated
from treasury.rules.compliance import unchecked
from workflows import ActivityFailed, Workflow, on_event, query, update

#: Movements and decisions of one link of the chain.
_LINK_LENGTH = 200


@on_event(TreasuryAccountCreated, key="compliance:{account_id}")
class ComplianceSaga(Workflow[ComplianceResult]):
    """Check an account's holder and its large movements, and let officers decide what was found."""

    name = "treasury.ComplianceSaga"
    version = 1
    #: Nobody is cleared because a step of ours failed: an operator looks.
    on_failure = "hold"

    def __init__(self) -> None:
        self._account_id: UUID | None = None
        self._checked = False
        self._cases: dict[UUID, OpenedCase] = {}
        self._movements: list[UUID] = []
        self._examined = 0
        self._handled = 0
        self._deciding = 0
        self._rejected: CaseRuling | None = None
        self._steps: list[str] = []

    async def execute(self, account_id: UUID, carried: Carried | None = None) -> ComplianceResult:
        self._account_id = account_id
        self.set_attributes(treasury_account=account_id)
        if carried is None:
            await self._check_holder(account_id)
        else:
            self._cases = {case.case_id: case for case in carried.cases}
            self._movements = [*carried.movements, *self._movements]
            self._examined = carried.examined
        self._checked = True
        while self._rejected is None:
            await self._escalate()
            if self._rejected is not None:
                break
            if self._is_long():
                self._go_on(account_id)
            elif self._movements:
                await self._examine(account_id, self._movements[0])
            else:
                await self.wait_for(self._is_due, timeout=self._until_due())
        return ComplianceResult(account_id=account_id, status=ComplianceStatus.REJECTED, case_id=self._rejected.case_id)

    @on_event(LargeMovementRecorded, key="compliance:{account_id}")
    def examine(self, movement_id: UUID) -> None:
        """Examine a movement, after those that came before it."""
        if movement_id not in self._movements:
            self._movements.append(movement_id)

    @update
    async def decide(
        self, case_id: UUID, decision: CaseDecision, reason: str, officer: str, statement: str
    ) -> CaseRuling:
        """An officer's decision; `statement` is the treasury's own, that the officer was known at its door."""
        self._deciding += 1
        try:
            ruling = await self.activity(
                conclude_case, case_id=case_id, decision=decision, reason=reason, officer=officer, statement=statement
            )
        finally:
            self._deciding -= 1
        self._handled += 1
        self._note(f"case {case_id} {decision}")
        self._cases.pop(case_id, None)
        if decision is CaseDecision.REJECT:
            self._rejected = ruling
            self._cases.clear()
        return ruling

    @decide.validator
    def _may_decide(self, case_id: UUID, decision: CaseDecision, reason: str, officer: str, statement: str) -> None:
        case = self._cases.get(case_id)
        if self._rejected is not None:
            raise CaseDecided(case_id, "closed by the rejection of its account")
        if case is None:
            raise UnknownCase(case_id)
        if officer in case.involved:
            raise SameOfficer
        if not reason.strip():
            raise ReasonMissing

    @query
    def state(self) -> ComplianceState:
        """How the account stands."""
        return ComplianceState(
            account_id=self._account_id,
            status=self._status(),
            cases=tuple(self._cases.values()),
            examined=self._examined,
            steps=tuple(self._steps),
        )

    def _status(self) -> ComplianceStatus:
        if self._rejected is not None:
            return ComplianceStatus.REJECTED
        if not self._checked:
            return ComplianceStatus.CHECKING
        if any(case.overdue for case in self._cases.values()):
            return ComplianceStatus.OVERDUE
        return ComplianceStatus.IN_REVIEW if self._cases else ComplianceStatus.MONITORING

    async def _check_holder(self, account_id: UUID) -> None:
        found = await self.gather(
            self.activity(check_identity, account_id=account_id),
            self.activity(screen_holder, account_id=account_id),
            return_failures=True,
        )
        kinds = (FindingKind.IDENTITY_UNCHECKED, FindingKind.SANCTIONS_UNCHECKED)
        findings = [self._made(kind, item) for kind, item in zip(kinds, found, strict=True)]
        self._note("holder checked")
        await self._open(account_id, None, findings)

    async def _examine(self, account_id: UUID, movement_id: UUID) -> None:
        """One movement; it leaves the line once it is done, so that one told twice meanwhile is not examined twice."""
        judged = await self.activity(judge_movement, movement_id=movement_id)
        try:
            screened: Any = await self.activity(screen_counterparty, movement_id=movement_id)
        except ActivityFailed as failure:
            screened = failure
        self._note(f"movement {movement_id} examined")
        await self._open(account_id, movement_id, [judged, self._made(FindingKind.SANCTIONS_UNCHECKED, screened)])
        self._movements.remove(movement_id)
        self._examined += 1
        self._handled += 1

    async def _open(self, account_id: UUID, movement_id: UUID | None, found: Sequence[tuple[Finding, ...]]) -> None:
        findings = tuple(finding for part in found for finding in part)
        if not findings or self._rejected is not None:
            return
        case = await self.activity(open_case, account_id=account_id, movement_id=movement_id, findings=findings)
        if case.status is not CaseStatus.OPEN:
            return  # the movement was told before, and its case has ended
        self._cases[case.case_id] = case
        self._note(f"case {case.case_id} opened")

    async def _escalate(self) -> None:
        """Mark every case whose time is over."""
        for case in self._overdue():
            status = await self.activity(escalate_case, case_id=case.case_id)
            if status is CaseStatus.OPEN and case.case_id in self._cases:
                self._cases[case.case_id] = replace(case, overdue=True)
                self._note(f"case {case.case_id} overdue")

    def _overdue(self) -> list[OpenedCase]:
        return [case for case in self._cases.values() if not case.overdue and case.deadline <= self.now()]

    def _is_due(self) -> bool:
        return self._rejected is not None or bool(self._movements) or self._is_long()

    def _is_long(self) -> bool:
        """Whether the history is long enough, and no decision is being recorded."""
        return self._handled >= _LINK_LENGTH and not self._deciding

    def _until_due(self) -> timedelta | None:
        """How long the first of the open cases has; None while none waits for its time."""
        deadlines = [case.deadline for case in self._cases.values() if not case.overdue]
        return min(deadlines) - self.now() if deadlines else None

    def _go_on(self, account_id: UUID) -> None:
        self.continue_as_new(
            account_id,
            Carried(cases=tuple(self._cases.values()), movements=tuple(self._movements), examined=self._examined),
        )

    def _made(self, kind: FindingKind, found: Any) -> tuple[Finding, ...]:
        """What a check found; one that could not be made is a finding of its own."""
        if isinstance(found, ActivityFailed):
            return unchecked(kind, str(found.code or found.type))
        if isinstance(found, BaseException):
            raise found
        return tuple(found)

    def _note(self, step: str) -> None:
        self._steps.append(step)
