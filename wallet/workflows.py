"""A withdrawal, from the request to the day it settles."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from finaegis.shared.money import Money
from wallet import activities
from wallet.contracts import CONFIRMATION_TIME, Decision, WithdrawalResult
from wallet.errors import PROCESSING_REFUSALS, IdempotencyConflict
from workflows import ActivityFailed, Workflow, query, signal


class WithdrawalWorkflow(Workflow[WithdrawalResult]):
    """Pay a customer's money out, once the customer has confirmed it by a link."""

    name = "wallet.Withdrawal"
    version = 1
    # A confirmed payment that an outage stops waits for a person; refusals are undone below.
    on_failure = "hold"
    start_checks = (activities.check_withdrawal,)

    def __init__(self) -> None:
        self._stage = "validating"
        self._answers = 0
        self._resends = 0
        self._heard = (0, 0)

    async def execute(self, account_id: UUID, amount: Money, destination_id: UUID) -> WithdrawalResult:
        withdrawal_id = await self._place(account_id, amount, destination_id)
        decision = await self._confirmation(withdrawal_id)
        if decision.verdict == "cancelled":
            await self.compensate()
            self.track("cancelled", decision.reason)
            return await self._ended(withdrawal_id, WithdrawalResult(status="cancelled", reason=decision.reason))
        try:
            await self._process(withdrawal_id)
            await self._settle(withdrawal_id)
        except ActivityFailed as failure:
            if failure.type not in PROCESSING_REFUSALS or failure.code == IdempotencyConflict.code:
                raise
            await self._reject(failure)
            await self._tell(withdrawal_id)
            raise
        return await self._ended(withdrawal_id, WithdrawalResult(status="completed"))

    @signal
    def confirm(self) -> None:
        """The customer confirmed; the withdrawal's row says so."""
        self._answers += 1

    @signal
    def cancel(self) -> None:
        """The customer cancelled; the withdrawal's row says so."""
        self._answers += 1

    @signal
    def resend(self) -> None:
        """The customer wants the link again; a new token is there."""
        self._resends += 1

    @query
    def status(self) -> str:
        """The stage this run is at."""
        return self._stage

    async def _place(self, account_id: UUID, amount: Money, destination_id: UUID) -> UUID:
        """Set the amount aside and send the link. Where that fails nobody has confirmed yet: the money is let go."""
        try:
            placed = await self.activity(
                activities.validate_withdrawal, account_id=account_id, amount=amount, destination_id=destination_id
            )
            await self.activity(activities.send_confirmation, withdrawal_id=placed.withdrawal_id)
        except ActivityFailed as failure:
            await self._reject(failure)
            raise
        return placed.withdrawal_id

    async def _confirmation(self, withdrawal_id: UUID) -> Decision:
        """Wait until the customer confirms or cancels, or the time is over.

        A signal only wakes: what was decided stands in the withdrawal's row, so one that nobody meant decides nothing.
        """
        self._stage = "awaiting confirmation"
        deadline = self.now() + CONFIRMATION_TIME
        await self.activity(activities.open_confirmation, withdrawal_id=withdrawal_id, deadline=deadline)
        while True:
            in_time = await self.wait_for(self._has_news, timeout=max(deadline - self.now(), timedelta()))
            (_, resent), self._heard = self._heard, (self._answers, self._resends)
            if self._resends != resent:
                await self._send_again(withdrawal_id)
            decision = await self.activity(
                activities.close_confirmation, withdrawal_id=withdrawal_id, timed_out=not in_time
            )
            if decision.verdict != "open":
                return decision

    def _has_news(self) -> bool:
        return (self._answers, self._resends) != self._heard

    async def _process(self, withdrawal_id: UUID) -> None:
        self._stage = "processing"
        await self.activity(activities.recheck_withdrawal, withdrawal_id=withdrawal_id)
        await self.activity(activities.screen_beneficiary, withdrawal_id=withdrawal_id)
        await self.activity(activities.inquire_payment, withdrawal_id=withdrawal_id)
        await self.activity(activities.capture_withdrawal, withdrawal_id=withdrawal_id)
        payment = await self.activity(activities.submit_payment, withdrawal_id=withdrawal_id)
        settlement = await self.activity(
            activities.record_submission, withdrawal_id=withdrawal_id, reference=payment.reference
        )
        await self._tell(withdrawal_id)
        self._stage = "in transit"
        await self.sleep_until(settlement.due)

    async def _settle(self, withdrawal_id: UUID) -> None:
        self._stage = "settling"
        await self.activity(activities.check_acceptance, withdrawal_id=withdrawal_id)
        await self.activity(activities.settle_withdrawal, withdrawal_id=withdrawal_id)

    async def _reject(self, failure: ActivityFailed) -> None:
        """Undo what was done, newest first: captured money comes back only after the rail has let go of the payment."""
        self._stage = "rejected"
        reason = PROCESSING_REFUSALS.get(failure.type, failure.code)
        await self.activity(activities.refuse_withdrawal, reason=reason, details=str(failure))
        await self.compensate()

    async def _send_again(self, withdrawal_id: UUID) -> None:
        try:
            await self.activity(activities.resend_confirmation, withdrawal_id=withdrawal_id)
        except ActivityFailed as failure:  # the customer can ask once more, or let the time pass
            self.track("link not sent", str(failure))

    async def _tell(self, withdrawal_id: UUID) -> None:
        """A notice is a courtesy: one that cannot be sent stops nothing."""
        try:
            await self.activity(activities.send_notice, withdrawal_id=withdrawal_id)
        except ActivityFailed as failure:
            self.track("notice not sent", str(failure))

    async def _ended(self, withdrawal_id: UUID, result: WithdrawalResult) -> WithdrawalResult:
        self._stage = result.status
        await self._tell(withdrawal_id)
        return result
