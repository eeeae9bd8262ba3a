"""The engine's only writers for doors and domains.

Each checks the actor, writes an audit row and refuses with a type.
"""

from workflows.operations.acts import cancel_run, compensate_run, pause_run, resume_run
from workflows.operations.authority import Actor
from workflows.operations.retries import retry_run
from workflows.operations.starting import rerun, start_run
from workflows.operations.waiting import wait_for_result

__all__ = [
    "Actor",
    "cancel_run",
    "compensate_run",
    "pause_run",
    "rerun",
    "resume_run",
    "retry_run",
    "start_run",
    "wait_for_result",
]
