"""Cash management: what happens to money that is put to work, in which order."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from finaegis.shared.money import Money
from treasury.activities import allocate_cash, optimise_yield, validate_prerequisites
from treasury.contracts import CashResult, Constraints
from workflows import Workflow


class CashManagementWorkflow(Workflow[CashResult]):
    """Allocate an account's cash by a strategy and propose the portfolio of highest yield."""

    name = "treasury.CashManagement"
    version = 1
    on_failure = "compensate"
    start_checks = (validate_prerequisites,)

    async def execute(
        self,
        account_id: UUID,
        amount: Money,
        strategy: Annotated[str, Field(examples=["conservative", "balanced", "aggressive"])],
        constraints: Constraints = Constraints(),  # noqa: B008 - frozen, so it can be shared
    ) -> CashResult:
        await self.activity(validate_prerequisites, account_id=account_id, amount=amount)
        allocation = await self.activity(allocate_cash, account_id=account_id, strategy=strategy, amount=amount)
        optimization = await self.activity(
            optimise_yield, account_id=account_id, strategy=strategy, allocation=allocation, constraints=constraints
        )
        for warning in (*allocation.warnings, *optimization.warnings):
            self.track("warning", warning)
        return CashResult(success=True, allocation=allocation, optimization=optimization)
