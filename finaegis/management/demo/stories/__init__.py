"""Believable business to look at: applications and loans, withdrawals, order flow, treasury, reports.

Deterministic: the same seed gives the same names, amounts, orders and decisions. Each part has keys of its own and may
be told again; what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from finaegis.management.demo.pace import Pace
from finaegis.management.demo.stories import lending, orders, reports, treasury, withdrawals

#: The story that everybody sees unless told otherwise.
SEED = 7
#: How many of the thousand real applications it has.
APPLICATIONS = 300
ORDERS = 150

Progress = Callable[[str], None]


def tell(
    pace: Pace,
    *,
    seed: int = SEED,
    applications: int = APPLICATIONS,
    orders_sent: int = ORDERS,
    say: Progress = lambda _: None,
) -> None:
    """Tell every story; raises Stopped when the pace does."""
    say("treasury")
    treasury.tell(pace, _chance(seed, "treasury"), seed=seed)
    say("order flow")
    orders.tell(pace, _chance(seed, "orders"), seed=seed, orders=orders_sent)
    say("withdrawals")
    withdrawals.tell(pace, _chance(seed, "withdrawals"), seed=seed)
    say(f"{applications} applications")
    lending.tell(pace, _chance(seed, "lending"), seed=seed, applications=applications)
    say("reports")
    reports.tell(pace, _chance(seed, "reports"), seed=seed)
    pace.settle_sagas()


def _chance(seed: int, story: str) -> Random:
    """Each story draws on its own, so that a change of one leaves the others as they were."""
    return Random(f"{seed}:{story}")
