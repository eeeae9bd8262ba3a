"""Workflows whose code a test gives, and activities that end when the test says so.

`improvise(body)` puts an async function in place of `execute`, as a deploy would; a body of the same name put later is
the changed code. `later` begins and stays open: `settle` or `refuse_later` end it, in whatever order a test wants.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused, undo_write
from workflows import Retry, Workflow, activity, activity_info, operations, queries, query, signal, update
from workflows.contracts import WorkflowRun
from workflows.testing import WorkflowEnvironment

Body = Callable[["ImprovisedWorkflow"], Coroutine[Any, Any, Any]]
CODE: dict[str, Body] = {}
#: Tokens of the open attempts of `later`, by label.
TOKENS: dict[str, str] = {}

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@activity(name="improvised.later", retry=Retry(max_attempts=1), timeout=timedelta(days=30))
def later(*, label: str) -> str:
    """Begins, and ends when the test says so."""
    effects.write(f"began {label}")
    TOKENS[label] = activity_info().complete_later()
    return ""


@activity(name="improvised.make_later", undo=undo_write, retry=Retry(max_attempts=1), timeout=timedelta(days=30))
def make_later(*, label: str) -> str:
    """Like `later`, with an undo."""
    effects.write(f"began {label}")
    TOKENS[label] = activity_info().complete_later()
    return ""


def settle(label: str, result: str | None = None) -> None:
    """The open attempt of this label ends well."""
    operations.complete_step(TOKENS.pop(label), result=result or f"did {label}")


def refuse_later(label: str) -> None:
    """The open attempt of this label fails for good."""
    operations.fail_step(TOKENS.pop(label), error=CastRefused(f"no to {label}"))


class ImprovisedWorkflow(Workflow[Any]):
    """Runs the code that a test has put under a name; notes what it is told."""

    name = "improvised.Run"

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def execute(self, code: str) -> Any:
        return await CODE[code](self)

    @signal
    def say(self, word: str, times: int = 1) -> None:
        """Note a word."""
        self.heard += [word] * times

    @signal
    async def have_made(self, label: str) -> None:
        """A handler that takes a step."""
        self.heard.append(await self.activity(later, label=label))

    @signal
    def break_off(self, why: str) -> None:
        """A handler that fails."""
        raise ValueError(why)

    @signal
    async def break_off_later(self, label: str) -> None:
        """A handler that fails after a step."""
        await self.activity(later, label=label)
        raise ValueError(f"after {label}")

    @query
    def words(self) -> list[str]:
        """What it was told so far."""
        return list(self.heard)

    @query
    def count(self, word: str) -> int:
        """How often it was told a word."""
        if word == "forbidden":
            raise CastRefused("that word is not counted")
        return self.heard.count(word)

    @query
    def meddle(self, how: str) -> str:
        """A query that asks for something."""
        if how == "track":
            self.track("meddled")
        elif how == "start":
            self.start(later, label="meddled")
        elif how == "chance":
            return str(self.uuid4())
        elif how == "caught":
            try:
                self.track("meddled")
            except Exception:
                return "caught"
        else:
            self.heard.append("written by a query")
        return how

    @update
    def add(self, word: str) -> int:
        """Note a word and answer how many there are."""
        if word == "unspeakable":
            raise CastRefused("nobody says that")
        self.heard.append(word)
        return len(self.heard)

    @add.validator
    def _check_add(self, word: str) -> None:
        if not word:
            raise CastRefused("an empty word")
        if len(self.heard) >= 3:
            raise ValueError("enough words")

    @update
    async def add_later(self, label: str) -> str:
        """An update that takes a step."""
        self.heard.append(await self.activity(later, label=label))
        return self.heard[-1]

    @update
    def count_wrong(self) -> int:
        """An update whose answer is not of its type."""
        return "many"  # type: ignore[return-value]


class HeldWorkflow(ImprovisedWorkflow):
    """Waits for an operator on failure."""

    name = "improvised.Held"
    on_failure = "hold"


class FailingWorkflow(ImprovisedWorkflow):
    """Fails without undoing."""

    name = "improvised.Failing"
    on_failure = "fail"


class LeavingWorkflow(ImprovisedWorkflow):
    """Leaves what was done when it is cancelled or its time is over."""

    name = "improvised.Leaving"
    on_cancel = "leave"
    run_timeout = HOUR


class TimedWorkflow(ImprovisedWorkflow):
    """Has an hour."""

    name = "improvised.Timed"
    run_timeout = HOUR


def improvise(body: Body) -> str:
    """Put code in place; gives its name, the workflow's input."""
    CODE[body.__name__] = body
    return body.__name__


def begin(
    env: WorkflowEnvironment, body: Body, workflow: type[ImprovisedWorkflow] = ImprovisedWorkflow, **more: Any
) -> WorkflowRun:
    """A run of this code, driven as far as it goes now."""
    run = env.start(workflow, improvise(body), **more)
    env.skip(NOW)
    return run


def state(run_id: uuid.UUID) -> str:
    """How a run stands: its status, with the reason if it is held."""
    run = queries.get_run(run_id)
    return f"{run.status} ({run.hold_reason})" if run.hold_reason else run.status
