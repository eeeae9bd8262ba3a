"""Exit codes that scripts can rely on, and which refusal leads to which."""

from __future__ import annotations

from enum import IntEnum

from workflows.contracts import WorkflowRun
from workflows.core import errors
from workflows.core.status import CLOSED, RunStatus


class Exit(IntEnum):
    """How the command ended. docs/operations.md tells them to operators."""

    OK = 0
    NO_RESULT = 1
    REFUSED = 2
    NOT_FOUND = 3
    CONFLICT = 4
    FORBIDDEN = 5
    STILL_OPEN = 6
    UNAVAILABLE = 7
    INTERRUPTED = 130
    READER_GONE = 141


HELP = """exit codes:
  0  done; with --wait, watch: the run completed
  1  the run ended without a result (failed, compensated, cancelled, ...), an update failed, verify found something,
     or the code does not replay the history
  2  wrong usage, or an input that was refused; nothing was written
  3  there is no such run, workflow, message, step or event
  4  the act does not fit the state of the run or event, or the key belongs to another input; nothing was written
  5  the user lacks the permission; nothing was written
  6  the run is still open after the time given, or is held and waits for a person; the update is not answered yet
  7  the database cannot be reached, or lacks a migration
"""

_BY_REFUSAL: tuple[tuple[type[errors.EngineError], Exit], ...] = (
    (errors.PermissionRefused, Exit.FORBIDDEN),
    (errors.NotFound, Exit.NOT_FOUND),
    (errors.UnknownWorkflow, Exit.NOT_FOUND),
    (errors.NotAllowedInState, Exit.CONFLICT),
    (errors.KeyConflict, Exit.CONFLICT),
    (errors.NothingToCompensate, Exit.CONFLICT),
    (errors.NotParked, Exit.CONFLICT),
    (errors.RetryRefused, Exit.CONFLICT),
    (errors.UnknownMessage, Exit.NOT_FOUND),
    (errors.CodeMissing, Exit.CONFLICT),
    (errors.NonDeterminismError, Exit.CONFLICT),
    (errors.UpdateFailed, Exit.NO_RESULT),
    (errors.UpdatePending, Exit.STILL_OPEN),
)


def of_refusal(refusal: errors.EngineError) -> Exit:
    """The exit code of a refusal; one that is not named here is an input to be mended."""
    return next((code for kind, code in _BY_REFUSAL if isinstance(refusal, kind)), Exit.REFUSED)


def of_run(run: WorkflowRun) -> Exit:
    """The exit code of having waited for a run; of one that continued as new the chain goes on."""
    if run.status == RunStatus.COMPLETED:
        return Exit.OK
    if run.status == RunStatus.CONTINUED:
        return Exit.STILL_OPEN
    return Exit.NO_RESULT if RunStatus(run.status) in CLOSED else Exit.STILL_OPEN
