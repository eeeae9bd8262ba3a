"""Named points where tests make the engine fail: no-ops unless the settings allow faults.

A fault is a file in the folder `WORKFLOWS_FAULTS_DIR`, named after the point (`commit.after`) or the point at one step
(`commit.after@treasury.allocate_cash`); its text is the act: `kill` (SIGKILL to this process), `stop` (SIGSTOP) or
`raise`. Whoever passes first renames the file, so each fault happens once over all processes. Tests in this process
arm `local` instead.
"""

from __future__ import annotations

import os
import signal
from functools import cache
from pathlib import Path

from workflows import conf


class InjectedFault(Exception):
    """Raised by an armed `raise` fault."""


#: Faults armed in this process: point, or point@step, to act. They stay armed until taken out.
local: dict[str, str] = {}


@cache
def _folder() -> str | None:
    """Where faults of this process lie; asked once, so that an unarmed point costs nothing."""
    return os.environ.get("WORKFLOWS_FAULTS_DIR") if conf.engine().faults else None


def point(name: str, step: str = "") -> None:
    """Pass a named point; whatever is armed for it happens here."""
    if not local and _folder() is None:
        return
    for where in (name, f"{name}@{step}"):
        act = local.get(where) if conf.engine().faults else None
        act = act or _take(where)
        if act is not None:
            _act(act)


def _take(where: str) -> str | None:
    folder = _folder()
    if folder is None:
        return None
    path = Path(folder) / where
    try:
        taken = path.rename(path.with_name(f"{where}.taken-{os.getpid()}"))
    except FileNotFoundError:
        return None
    return taken.read_text().strip()


def _act(act: str) -> None:
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif act == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif act == "raise":
        raise InjectedFault("injected")
