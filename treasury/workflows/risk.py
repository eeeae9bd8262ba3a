"""Risk of a treasury account: how it is assessed, and in which order measures are taken against it."""

from __future__ import annotations

from uuid import UUID

from treasury.activities import (
    assess_risk,
    check_risk_account,
    freeze_allocations,
    hedge_equities,
    plan_mitigation,
    raise_liquidity,
    rebalance_allocations,
)
from treasury.contracts import MitigationResult, RiskAssessment, RiskCause, RiskMeasure
from workflows import Workflow


class RiskAssessmentWorkflow(Workflow[RiskAssessment]):
    """Score the risk of an account and record the assessment with what it was judged by."""

    name = "treasury.RiskAssessment"
    version = 1
    start_checks = (check_risk_account,)

    async def execute(self, account_id: UUID, cause: RiskCause = RiskCause.REQUEST) -> RiskAssessment:
        assessment = await self.activity(assess_risk, account_id=account_id, cause=cause)
        self.set_attributes(account_id=account_id, risk_score=assessment.score)
        return assessment


class RiskMitigationWorkflow(Workflow[MitigationResult]):
    """Take the measures that fit an account's score; if one fails, those before it are undone."""

    name = "treasury.RiskMitigation"
    version = 1
    on_failure = "compensate"
    start_checks = (check_risk_account,)

    async def execute(self, account_id: UUID) -> MitigationResult:
        self.set_attributes(account_id=account_id)
        plan = await self.activity(plan_mitigation, account_id=account_id)
        taken: list[RiskMeasure] = []
        # The freeze comes first: nothing new is allocated while the others are under way.
        if plan.freeze:
            await self.activity(freeze_allocations, account_id=account_id, score=plan.score)
            taken.append(RiskMeasure.FREEZE)
        if plan.rebalance:
            await self.activity(rebalance_allocations, account_id=account_id, shifts=plan.rebalance)
            taken.append(RiskMeasure.REBALANCE)
        if plan.raise_liquidity:
            await self.activity(raise_liquidity, account_id=account_id, shifts=plan.raise_liquidity)
            taken.append(RiskMeasure.RAISE_LIQUIDITY)
        if plan.hedge is not None:
            await self.activity(hedge_equities, account_id=account_id, notional=plan.hedge)
            taken.append(RiskMeasure.HEDGE)
        after = await self.activity(assess_risk, account_id=account_id, cause=RiskCause.MITIGATION)
        return MitigationResult(
            account_id=account_id,
            run_id=self.info.run_id,
            measures=tuple(taken),
            score_before=plan.score,
            score_after=after.score,
        )
