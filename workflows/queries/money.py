"""Money of runs, as the ledger tells it to whoever may see it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from workflows.panels.contracts import MoneyAccount, MoneyOfRuns, Record
from workflows.panels.reading import attempt, may
from workflows.panels.registry import registry
from workflows.queries.related import VIEW_RUN, owners_of

_NOTHING = MoneyOfRuns(transfers=(), holds=(), net=())


@dataclass(frozen=True, slots=True)
class MoneyPanel:
    """Money of runs, and whose the accounts are, by owner. `money` is None when it could not be read."""

    money: MoneyOfRuns | None
    owners: dict[str, Record] = field(default_factory=dict)

    def title_of(self, account: MoneyAccount) -> str:
        """An account in words: whose it is and what for."""
        owner = self.owners.get(account.owner)
        named = account.owner if owner is None else owner.title
        return named if named == account.kind else f"{named}, {account.kind.replace('_', ' ')}"


def money_of(run_ids: Sequence[uuid.UUID], *, user: object) -> MoneyPanel | None:
    """What these runs moved and set aside; None for whoever may not see runs and their money."""
    source = registry.money
    if source is None or not may(user, VIEW_RUN, *source.permissions):
        return None
    if not run_ids:
        return MoneyPanel(_NOTHING)
    money = attempt(f"money from {source.name}", lambda: source.of_runs(list(run_ids)))
    if money is None:
        return MoneyPanel(None)
    return MoneyPanel(money, owners_of([account.owner for account in money.accounts], user=user))
