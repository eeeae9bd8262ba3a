"""Many at once: a gather of a thousand, and thousands of timers that are due in the same second.

Seen to fail: with members that ask before their commit whether they were the last (`members._is_awaited` inside the
transaction) the gather joins only by the sweep, and with `recovery.wake_due` that forgets the rows behind its batch
timers are left.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers

MEMBERS = 1000
TIMERS = 5000
#: Timers of one run: one by `make races`, so that as many runs are woken.
TIMERS_OF_A_RUN = 1 if "RACES" in os.environ else 10


def test_a_gather_of_a_thousand_joins_and_each_member_happens_once(system: System) -> None:
    label = f"members-{uuid.uuid4()}"

    run_id = system.ask("start", workflow="many.Members", key=label, label=label, members=MEMBERS)
    run = system.wait_closed(run_id, seconds=120)

    assert (run["status"], run["result"]) == ("completed", list(range(MEMBERS)))
    assert system.ask("effect_counts", label=f"{label}:%") == {f"{label}:{number}": 1 for number in range(MEMBERS)}
    assert system.ask("verify", run_id=run_id) == []


def test_thousands_of_timers_of_the_same_second_all_fire_once(system: System) -> None:
    crowd, runs = f"timers-{uuid.uuid4()}", TIMERS // TIMERS_OF_A_RUN
    moment = datetime.now(UTC) + timedelta(seconds=runs / 50)
    inputs = {"timers": TIMERS_OF_A_RUN, "moment": moment.isoformat()}
    system.ask("start_many", workflow="many.Timers", crowd=crowd, count=runs, inputs=inputs, labelled=True)

    closed, since = 0, time.monotonic()
    while closed < runs:
        before, closed = closed, system.ask("closed", crowd=crowd)
        since = time.monotonic() if closed > before or datetime.now(UTC) < moment else since
        assert time.monotonic() - since < 60, f"{system.ask('left_open', crowd=crowd)}\n{system.logs()}"
        time.sleep(0.1)

    expected = Counter(f"{crowd}-{run}:{timer}" for run in range(runs) for timer in range(TIMERS_OF_A_RUN))
    assert system.ask("effect_counts", label=f"{crowd}-%") == expected
    assert system.ask("results", crowd=crowd) == [["completed", str(TIMERS_OF_A_RUN)]]
    assert system.ask("first_event", crowd=crowd, kind="TimerFired") >= moment.timestamp()
    assert system.ask("overdue") == 0
    assert system.ask("findings", crowd=crowd) == []
