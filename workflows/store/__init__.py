"""The checkpoint: rows to events and back. The only module that writes runs, steps and history while they are driven.

Each write is guarded by the fence: whoever lost the lease writes nothing (SEMANTICS C11). `statements` counts what was
sent to the database, so that tests can bound the cost of a step.
"""

from workflows.store.attempts import GOES_ON, move_attempt
from workflows.store.chains import child_id, current_link, find_message, links_of
from workflows.store.checkpoint import Checkpoint, Head, StoredStep
from workflows.store.claims import Claim, Peek, acknowledge, claim, peek, unlock
from workflows.store.committing import commit
from workflows.store.counting import statements
from workflows.store.reading import (
    load_all_steps,
    load_failed_attempts,
    load_history,
    load_inbox,
    load_run_steps,
    step_key,
    stored_step,
)

__all__ = [
    "GOES_ON",
    "Checkpoint",
    "Claim",
    "Head",
    "Peek",
    "StoredStep",
    "acknowledge",
    "child_id",
    "claim",
    "commit",
    "current_link",
    "find_message",
    "links_of",
    "load_all_steps",
    "load_failed_attempts",
    "load_history",
    "load_inbox",
    "load_run_steps",
    "move_attempt",
    "peek",
    "statements",
    "step_key",
    "stored_step",
    "unlock",
]
