"""Risk of treasury accounts: what it is judged by, what was found, which measures fit, where the saga stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q, Sum
from pydantic import TypeAdapter

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from treasury import contracts
from treasury.contracts import (
    OPERATING,
    RISK_FREEZE,
    AssetClass,
    FreezeStatus,
    HedgeStatus,
    MitigationPlan,
    RiskInputs,
    RiskOverview,
    RiskSagaState,
    allocated_kind,
)
from treasury.models import Freeze, HedgePosition, RiskAssessment
from treasury.queries.accounts import get_account
from treasury.queries.instruments import list_instruments
from treasury.rules.mitigation import plan_measures
from treasury.rules.risk import class_figures
from workflows import clock
from workflows import operations as runs
from workflows import queries as run_queries
from workflows.contracts import WorkflowRun

#: The saga that manages an account's risk, and the key of its run.
RISK_SAGA = "treasury.RiskManagementSaga"
RISK_MITIGATION = "treasury.RiskMitigation"
_NOT_BEGUN = "not_begun"
_STATE: TypeAdapter[RiskSagaState | None] = TypeAdapter(RiskSagaState | None)

Place = tuple[datetime, UUID]


def saga_key(account_id: UUID) -> str:
    """The key of the saga's run for an account."""
    return f"risk:{account_id}"


def get_risk_inputs(account: contracts.TreasuryAccount) -> RiskInputs:
    """What an account's risk is judged by now: what it has available, open hedges, today's instruments."""
    currency = account.currency
    opened = ledger_queries.list_accounts(owner=account.ledger_owner, currency=currency)
    # Money that is on hold cannot be moved, and is not at hand.
    balances = {item.kind: item.available for item in opened}
    none = Money.zero(currency)
    instruments = list_instruments(clock.now().date(), currency)
    cash_duration, cash_liquid = class_figures(instruments, AssetClass.CASH)
    bond_duration, bond_liquid = class_figures(instruments, AssetClass.BONDS)
    hedged = HedgePosition.objects.filter(account_id=account.id, status=HedgeStatus.OPEN)
    return RiskInputs(
        operating=balances.get(OPERATING, none),
        cash=balances.get(allocated_kind(AssetClass.CASH), none),
        bonds=balances.get(allocated_kind(AssetClass.BONDS), none),
        equities=balances.get(allocated_kind(AssetClass.EQUITIES), none),
        hedged=Money.from_minor(hedged.aggregate(total=Sum("notional_minor"))["total"] or 0, currency),
        cash_duration=cash_duration,
        bond_duration=bond_duration,
        cash_liquid_share=cash_liquid,
        bond_liquid_share=bond_liquid,
    )


def plan_mitigation(account_id: UUID) -> MitigationPlan:
    """The measures that fit the account as it stands now. Raises UnknownAccount. Writes nothing.

    One that is frozen for its risk is not frozen again; a freeze of another cause may be lifted without asking risk.
    """
    plan = plan_measures(get_risk_inputs(get_account(account_id)))
    placed = Freeze.objects.filter(account_id=account_id, status=FreezeStatus.PLACED)
    return replace(plan, freeze=False) if placed.filter(cause__startswith=RISK_FREEZE).exists() else plan


def page_assessments(
    account_id: UUID, *, limit: int, after: Place | None = None
) -> tuple[list[contracts.RiskAssessment], Place | None]:
    """An account's assessments, newest first, and where the next page begins (None after the last)."""
    rows = RiskAssessment.objects.filter(account_id=account_id)
    if after is not None:
        at, assessment_id = after
        rows = rows.filter(Q(assessed_at__lt=at) | Q(assessed_at=at, id__lt=assessment_id))
    found = list(rows.order_by("-assessed_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].assessed_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def list_hedges(account_id: UUID) -> list[contracts.HedgePosition]:
    """An account's open hedges, oldest first."""
    rows = HedgePosition.objects.filter(account_id=account_id, status=HedgeStatus.OPEN)
    return [row.as_contract() for row in rows.order_by("opened_at", "id")]


def get_risk_state(account_id: UUID) -> RiskSagaState | None:
    """The state of the account's saga as its run tells it; None without a run, or before its first link has begun."""
    found = run_queries.list_runs(workflow=RISK_SAGA, key=saga_key(account_id), limit=1)
    if not found:
        return None
    state = _told(found[0])
    if state is None:
        return None
    # A mitigation that is under way is a child whose id the saga's own code learns at its end.
    live = run_queries.list_runs(parent=found[0].id, workflow=RISK_MITIGATION, limit=1)
    return replace(state, mitigation_workflow=live[0].id) if live else state


def _told(run: WorkflowRun) -> RiskSagaState | None:
    """What the run says of itself; one that has not begun has what the link before it handed over, if there was one."""
    try:
        state: RiskSagaState | None = runs.query_run(run.id, "state")
    except Exception as refusal:  # the engine's refusals have no public class, only their code
        if getattr(refusal, "code", None) != _NOT_BEGUN:
            raise
        return _STATE.validate_python(run.input.get("state"))
    return state


def get_risk_overview(account_id: UUID) -> RiskOverview:
    """The account's saga, newest assessment and open hedges; raises UnknownAccount."""
    get_account(account_id)
    found = run_queries.list_runs(workflow=RISK_SAGA, key=saga_key(account_id), limit=1)
    newest, _ = page_assessments(account_id, limit=1)
    return RiskOverview(
        account_id=account_id,
        run_status=found[0].status if found else None,
        saga=get_risk_state(account_id),
        assessment=newest[0] if newest else None,
        hedges=tuple(list_hedges(account_id)),
    )
