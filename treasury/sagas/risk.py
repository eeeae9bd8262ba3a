"""Risk management: every opened account is assessed, watched for as long as it exists, and acted on above the limit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from treasury.activities import check_risk_account
from treasury.contracts import (
    MONITORING_PERIOD,
    REMEMBERED_STEPS,
    RISK_LIMIT,
    RiskAssessment,
    RiskCause,
    RiskSagaState,
    SagaStatus,
    SagaStep,
)
from treasury.events import TreasuryAccountCreated
from treasury.workflows import RiskAssessmentWorkflow, RiskMitigationWorkflow
from workflows import ChildFailed, Workflow, on_event, query, signal


@on_event(TreasuryAccountCreated, key="risk:{account_id}")
class RiskManagementSagaWorkflow(Workflow[None]):
    """Assess an account, mitigate above the limit, wait for the next day, and go on as new.

    One link of its chain is one round. An account is never closed, so the saga ends only by a failure of its first
    assessment or of a mitigation, by a cancel or an operator: then open children are closed and every mitigation of
    the chain is undone, newest first. An assessment is a fact that nothing undoes, and one that fails on a later day is
    noted: measures that stand are no worse for it, and the next day asks again.
    """

    name = "treasury.RiskManagementSaga"
    version = 1
    on_failure = "compensate"
    start_checks = (check_risk_account,)  # asked of starts by hand; an event's account exists

    def __init__(self) -> None:
        self._state: RiskSagaState | None = None
        self._asked = False

    @query
    def state(self) -> RiskSagaState | None:
        """Where the risk management of the account stands, and its steps, newest last."""
        return self._state

    @signal
    def assess_now(self) -> None:
        """Do not wait for the next day."""
        self._asked = True

    async def execute(self, account_id: UUID, state: RiskSagaState | None = None) -> None:
        self.set_attributes(account_id=account_id)
        self._begin(account_id, state)
        cause = RiskCause.OPENING if state is None else RiskCause.MONITORING
        # Assessments are facts: without `compensate=False` the plan of the chain would grow by one each day.
        try:
            assessment = await self.child(RiskAssessmentWorkflow, account_id, cause, compensate=False)
        except ChildFailed as failure:
            if cause is RiskCause.OPENING:
                raise
            self.log.error("account %s could not be assessed: %s", account_id, failure)
            self._note("assessment_failed", None, None)
        else:
            await self._take(assessment)
        self._change(status=SagaStatus.MONITORING)
        await self.wait_for(lambda: self._asked, timeout=MONITORING_PERIOD)
        self.continue_as_new(account_id, state=self._state)

    async def _take(self, assessment: RiskAssessment) -> None:
        """What an assessment leads to: above the limit a mitigation."""
        self._note("assessment", assessment.run_id, assessment.score)
        self.set_attributes(risk_score=assessment.score)
        if assessment.score > RISK_LIMIT:
            self._change(status=SagaStatus.MITIGATING)
            mitigation = await self.child(RiskMitigationWorkflow, assessment.account_id)
            self._note("mitigation", mitigation.run_id, mitigation.score_after)
            self._change(mitigation_workflow=mitigation.run_id)

    def _begin(self, account_id: UUID, state: RiskSagaState | None) -> None:
        begun = state or RiskSagaState(
            id=self.info.run_id,
            account_id=account_id,
            status=SagaStatus.ASSESSING,
            steps=(),
            created_at=self.now(),
            workflow_id=self.info.run_id,
            mitigation_workflow=None,
        )
        self._state = replace(begun, status=SagaStatus.ASSESSING, workflow_id=self.info.run_id)

    def _note(self, name: str, run_id: UUID | None, score: Decimal | None) -> None:
        assert self._state is not None
        step = SagaStep(name=name, run_id=run_id, score=score, at=self.now())
        self._change(steps=(*self._state.steps, step)[-REMEMBERED_STEPS:])

    def _change(self, **changes: Any) -> None:
        assert self._state is not None
        self._state = replace(self._state, **changes)
