"""Named points where tests make the engine fail: no-ops unless the settings allow faults and the environment arms one.

`WORKFLOWS_FAULTS` holds `point=act` pairs, comma separated; the acts are `kill` (SIGKILL to this process), `stop`
(SIGSTOP) and `raise`. A point may be narrowed to its n-th passing by `point#n=act`, and to a step by `point@name=act`.
With `WORKFLOWS_FAULT_ONCE` set to a folder, each fault happens once over all processes (a marker file is made first).
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from workflows import conf


class InjectedFault(Exception):
    """Raised by an armed `raise` fault."""


class _Passed:
    counts: dict[str, int] = {}


def point(name: str, step: str = "") -> None:
    """Pass a named point; whatever is armed for it happens here."""
    if not conf.engine().faults:
        return
    armed = os.environ.get("WORKFLOWS_FAULTS", "")
    if not armed:
        return
    passed = _Passed.counts[name] = _Passed.counts.get(name, 0) + 1
    for pair in armed.split(","):
        where, _, act = pair.partition("=")
        if where in (name, f"{name}#{passed}", f"{name}@{step}") and _first_time(where):
            _act(act)


def _first_time(where: str) -> bool:
    folder = os.environ.get("WORKFLOWS_FAULT_ONCE")
    if not folder:
        return True
    try:
        (Path(folder) / where.replace("/", "_")).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _act(act: str) -> None:
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif act == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif act == "raise":
        raise InjectedFault("injected")
