"""The engine's only writers for doors and domains.

Each checks the actor, writes an audit row and refuses with a type.
"""

from workflows.core.errors import NotAllowedInState, UpdateFailed, UpdatePending, UpdateRejected
from workflows.operations.acts import cancel_run, compensate_run, pause_run, resume_run
from workflows.operations.authority import Actor
from workflows.operations.completions import complete_step, fail_step, heartbeat_step
from workflows.operations.deliveries import drop_delivery, replay_delivery
from workflows.operations.messages import query_run, signal_run, signal_with_start, update_run, update_with_start
from workflows.operations.resolving import resolve_step
from workflows.operations.retries import retry_run
from workflows.operations.starting import rerun, start_run
from workflows.operations.timers import move_timer
from workflows.operations.waiting import wait_for_result

__all__ = [
    "Actor",
    "NotAllowedInState",
    "UpdateFailed",
    "UpdatePending",
    "UpdateRejected",
    "cancel_run",
    "compensate_run",
    "complete_step",
    "drop_delivery",
    "fail_step",
    "heartbeat_step",
    "move_timer",
    "pause_run",
    "query_run",
    "replay_delivery",
    "rerun",
    "resolve_step",
    "resume_run",
    "retry_run",
    "signal_run",
    "signal_with_start",
    "start_run",
    "update_run",
    "update_with_start",
    "wait_for_result",
]
