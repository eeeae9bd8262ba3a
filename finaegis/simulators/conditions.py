"""Conditions of simulated calls: latency and failures, imposed by a test or a person, never by chance.

They are rows, so they reach every process that simulates: workers, the service over HTTP, a test.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import sleep
from typing import TypeVar

from django.db.models import F, Q

from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Unavailable
from finaegis.simulators.models import Condition, Failure

T = TypeVar("T")

_NO_LATENCY = timedelta(0)


def impose(
    *,
    party: str,
    call: str = "",
    failure: Failure = Failure.NONE,
    times: int | None = 1,
    latency: timedelta = _NO_LATENCY,
) -> None:
    """Let this happen to the next `times` calls (None: to all until `lift`), to one call or to every one.

    Of several conditions that fit a call the oldest takes it.
    """
    Condition.objects.create(
        party=party,
        call=call,
        failure=failure,
        latency_ms=latency // timedelta(milliseconds=1),
        remaining=times,
    )


def lift(*, party: str) -> int:
    """End every condition of this third party; says how many there were."""
    ended, _ = Condition.objects.filter(party=party).delete()
    return ended


def under_conditions(*, party: str, call: str, act: Callable[[], T]) -> T:
    """Do what a third party does when it is called, under the condition that its turn has come for.

    The latency passes after the act and before the answer, so a caller who gave up finds the act done. Raises
    `NotTaken`, `Unavailable`, `OutcomeUnknown` as the condition says.
    """
    condition = _take(party, call)
    if condition is None:
        return act()
    latency = condition.latency_ms / 1000
    if condition.failure == Failure.NOT_TAKEN:
        raise NotTaken(party=party, call=call, reason="it cannot serve now (simulated)")
    if condition.failure == Failure.FAILED:
        sleep(latency)
        raise Unavailable(party=party, call=call, reason="it failed (simulated)")
    if condition.failure == Failure.CALL_LOST:
        sleep(latency)
        raise OutcomeUnknown(party=party, call=call, reason="no answer (simulated)")
    answer = act()
    sleep(latency)
    if condition.failure == Failure.ANSWER_LOST:
        raise OutcomeUnknown(party=party, call=call, reason="no answer (simulated)")
    return answer


def _take(party: str, call: str) -> Condition | None:
    """The condition for this call, used up by one. Two callers at once never use the last turn twice."""
    fitting = Condition.objects.filter(Q(call=call) | Q(call=""), party=party)
    for condition in fitting.exclude(remaining=0).order_by("pk"):
        if condition.remaining is None:
            return condition
        if Condition.objects.filter(pk=condition.pk, remaining__gt=0).update(remaining=F("remaining") - 1):
            return condition
    return None
