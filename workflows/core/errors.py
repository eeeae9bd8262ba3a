"""Every error the engine raises on purpose, by what its reader does next.

`Refused` and its children say no at a door: nothing was written, fix the request. `NonRetryable` is for activities:
give up, trying again cannot help. The others report how a step, a child or a run ended, or that code and history
disagree. Each class has a stable `code`; ids are attributes; the text is for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class EngineError(Exception):
    """Base of all errors with a stable code."""

    code: str = "error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])
        if code is not None:
            self.code = code


# --- Raised by authors' code -----------------------------------------------------------------------------------------


class NonRetryable(EngineError):
    """A refusal that trying again cannot change."""

    code = "refused"


class Cancelled(BaseException):
    """Raised once in a workflow, at the await where it stands, when its run is cancelled.

    A BaseException, so that `except Exception` in workflow code does not swallow a cancel by accident.
    """

    code = "cancelled"


class ContinueAsNew(BaseException):
    """Ends `execute`, which begins anew with another input; raised by `self.continue_as_new` alone."""

    def __init__(self, stored_input: dict[str, Any]) -> None:
        super().__init__()
        self.stored_input = stored_input


# --- How a step or a child ended -------------------------------------------------------------------------------------


class StepError(EngineError):
    """A step ended without a result."""

    code = "step_failed"

    def __init__(self, message: str, *, type: str, code: str, attempts: int) -> None:
        super().__init__(message, code=code)
        self.type = type
        self.attempts = attempts
        #: The number of the step in its run, where the engine raised it.
        self.seq: int | None = None


class ActivityFailed(StepError):
    """An activity failed for good.

    `activity` is its registered name, `type` the class name of the last error, `code` that error's stable code,
    `attempts` how many tries began. `__cause__` carries the last error as `RemoteError`.
    """

    code = "activity_failed"

    def __init__(self, message: str, *, activity: str, type: str, code: str, attempts: int) -> None:
        super().__init__(
            f"{activity} failed after {attempts} attempt(s): {message}", type=type, code=code, attempts=attempts
        )
        self.activity = activity


class ChildFailed(StepError):
    """A child workflow ended without a result; `workflow` is its registered name."""

    code = "child_failed"

    def __init__(self, message: str, *, workflow: str, type: str, code: str, attempts: int) -> None:
        super().__init__(f"{workflow} failed: {message}", type=type, code=code, attempts=attempts)
        self.workflow = workflow


class RemoteError(Exception):
    """The recorded text of an error that was raised in another process or at another time."""

    def __init__(self, message: str, *, type: str, code: str) -> None:
        super().__init__(message)
        self.type = type
        self.code = code


class RunTimedOut(EngineError):
    """The run was still open when its time-out was over."""

    code = "run_timed_out"


class WorkflowFailed(EngineError):
    """A run ended without a result; `__cause__` is why, `status` how it ended."""

    code = "workflow_failed"

    def __init__(self, message: str, *, run_id: object, status: str, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.run_id = run_id
        self.status = status


# --- Definitions and payloads ----------------------------------------------------------------------------------------


class DefinitionError(EngineError):
    """A workflow or activity is declared in a way the engine cannot run safely."""

    code = "definition_invalid"


class NonDeterminismError(EngineError):
    """Workflow code did something that replay cannot repeat, or no longer matches the run's history."""

    code = "nondeterminism"

    def __init__(self, message: str = "", *, expected: str | None = None, found: str | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.found = found


class PayloadError(EngineError):
    """A value does not fit its declared type or cannot be stored."""

    code = "invalid_input"


# --- Refusals at the doors -------------------------------------------------------------------------------------------


class Refused(EngineError):
    """The request cannot be done as asked; nothing was written."""

    code = "refused"


class InvalidInput(Refused):
    """The input does not fit what was asked for."""

    code = "invalid_input"


class NotFound(Refused):
    """There is no such thing, or not for you."""

    code = "not_found"


class UnknownWorkflow(Refused):
    """No workflow of that name and version is registered."""

    code = "unknown_workflow"


class KeyConflict(Refused):
    """The key belongs to a run that was started with another input."""

    code = "key_conflict"

    def __init__(self, *, key: str, run_id: object) -> None:
        super().__init__(f"key {key!r} was used with another input by run {run_id}")
        self.key = key
        self.run_id = run_id


class StartRefused(Refused):
    """A start check refused the start; `code` is the check's own."""

    code = "start_refused"


class NotAllowedInState(Refused):
    """The act does not fit the run's state."""

    code = "not_allowed_in_state"

    def __init__(self, *, act: str, state: str, allowed: Iterable[str], detail: str = "") -> None:
        self.act = act
        self.state = state
        self.allowed = sorted(allowed)
        acts = ", ".join(self.allowed) or "none"
        super().__init__(f"cannot {act} a run that is {state}{': ' + detail if detail else ''}; allowed now: {acts}")


class PermissionRefused(Refused):
    """The actor lacks the permission for this act."""

    code = "permission_denied"


class ReasonRequired(Refused):
    """An act on an existing run needs a reason."""

    code = "reason_required"


class NothingToCompensate(Refused):
    """The run has no compensation left to run."""

    code = "nothing_to_compensate"


class NotParked(Refused):
    """The delivery is not parked, so there is nothing to decide."""

    code = "not_parked"


class RetryRefused(Refused):
    """The failed step can no longer be retried."""

    code = "retry_refused"


class UnknownMessage(Refused):
    """The workflow has no signal, query or update of that name."""

    code = "unknown_message"

    def __init__(self, *, kind: str, name: str, workflow: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(f"{workflow} has no {kind} named {name!r}; it has: {names}", code=f"unknown_{kind}")


class CodeMissing(Refused):
    """This process does not have the code of the run's workflow and version."""

    code = "code_missing"


class QueryFailed(Refused):
    """The query's own method raised an error; `code` is that error's."""

    code = "query_failed"


class UpdateRejected(Refused):
    """The update was refused before it was accepted; nothing changed. `code` is the validator's."""

    code = "update_rejected"


class UpdateFailed(EngineError):
    """The update was accepted and its method ended with an error; `__cause__` is it, `code` its code."""

    code = "update_failed"

    def __init__(self, message: str, *, id: str, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.id = id


class UpdatePending(EngineError):
    """The update was stored and not answered in the time given; ask again with the same id."""

    code = "update_pending"

    def __init__(self, message: str, *, id: str) -> None:
        super().__init__(message)
        self.id = id


class TokenUnknown(Refused):
    """No attempt waits for this token: it was never given out, is used up, or came too late."""

    code = "token_unknown"


class WaitTimeout(EngineError):
    """The run did not close in the time given; it goes on."""

    code = "wait_timeout"
