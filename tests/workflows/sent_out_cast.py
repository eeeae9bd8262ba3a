"""Activities that are sent out, or that must not be repeated, and workflows that ask for them.

What an activity does beyond leaving its effect, a test says with `inside`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.workflows import effects
from workflows import Cancelled, NonRetryable, Outcome, Retry, Workflow, activity, activity_info
from workflows.core.definitions import Activity

Act = Callable[[], Any]

TIMEOUT = timedelta(minutes=5)
SILENCE = timedelta(minutes=1)
START_WITHIN = timedelta(minutes=2)
#: Two tries, ten seconds apart.
TWICE = Retry(max_attempts=2, initial=10.0, jitter=0.0)
BACK_OFF = timedelta(seconds=10)

_acts: list[Act] = []


@contextmanager
def inside(*acts: Act) -> Iterator[None]:
    """What the next calls do after their effect, one each, in this order; all of them must have been called."""
    _acts[:] = acts
    try:
        yield
        assert not _acts, f"{len(_acts)} calls were expected and did not come"
    finally:
        _acts.clear()


def raising(error: BaseException) -> Act:
    def act() -> Any:
        raise error

    return act


def perform(label: str) -> Any:
    """One effect, then what the test wants; gives `did <label>` unless that gives something."""
    effects.write(label)
    if _acts:
        given = _acts.pop(0)()
        return f"did {label}" if given is None else given
    return f"did {label}"


class Refused(NonRetryable):
    """A refusal: nothing was done."""

    code = "sent_refused"


class Blocked(Exception):
    """Final for activities that declare it."""

    code = "blocked"


class Disturbed(Exception):
    """It may pass."""

    code = "disturbed"


class Rails:
    """Holds an error class of its own, as some libraries do."""

    class Closed(Exception):
        """Final for variants that declare it."""

        code = "rails_closed"


# --- Sent out --------------------------------------------------------------------------------------------------------


@activity(name="sent.undo")
def undo(*, label: str) -> None:
    effects.write(f"undo {label}")
    effects.write(f"undone key {activity_info().undone_key}")


@activity(name="sent.undo_booking", transactional=True)
def undo_booking(*, result: str) -> None:
    """Needs the result: declared only where no attempt without one leaves an effect."""
    effects.write(f"undo {result}")


@activity(name="sent.write", queue="writers", retry=TWICE)
def write(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.pay", timeout=TIMEOUT, undo=undo, retry=TWICE)
def pay(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.make", queue="writers", undo=undo)
def make(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.try_once", queue="writers", undo=undo, retry=Retry(max_attempts=1))
def try_once(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.report", heartbeat=SILENCE, undo=undo, retry=TWICE)
def report(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.prompt", schedule_to_start=START_WITHIN, undo=undo, retry=TWICE)
def prompt(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.book", transactional=True, queue="books", undo=undo_booking, retry=TWICE)
def book(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.book_in_time", transactional=True, timeout=TIMEOUT, undo=undo_booking, retry=Retry(max_attempts=1))
def book_in_time(*, label: str) -> str:
    return str(perform(label))


@activity(name="sent.number", transactional=True, queue="books", undo=undo)
def number(*, label: str) -> int:
    """Says that it gives a number."""
    return perform(label)  # type: ignore[no-any-return]


# --- Not to be repeated ----------------------------------------------------------------------------------------------

#: What the counterparty is asked for, in order, and what it answers.
ASKED: list[dict[str, Any]] = []
_answers: list[Any] = []


@contextmanager
def counterparty(*answers: Any) -> Iterator[list[dict[str, Any]]]:
    """Answers of the counterparty, in turn, the last one for ever: an Outcome, or an error to raise."""
    ASKED.clear()
    _answers[:] = answers
    try:
        yield ASKED
    finally:
        _answers.clear()


@activity(name="sent.ask")
def ask(*, key: str, label: str) -> Outcome:
    ASKED.append({"key": key, "label": label})
    answer = _answers.pop(0) if len(_answers) > 1 else _answers[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer  # type: ignore[no-any-return]


@activity(name="sent.wire", queue="rails", repeatable=False, undo=undo, retry=Retry(non_retryable=(Blocked,)))
def wire(*, label: str) -> str:
    return perform(label)  # type: ignore[no-any-return]


@activity(name="sent.wire_here", repeatable=False, undo=undo, retry=Retry(non_retryable=(Blocked,)))
def wire_here(*, label: str) -> str:
    return perform(label)  # type: ignore[no-any-return]


@activity(name="sent.wire_in_time", repeatable=False, timeout=TIMEOUT, heartbeat=SILENCE, undo=undo)
def wire_in_time(*, label: str) -> str:
    return perform(label)  # type: ignore[no-any-return]


@activity(name="sent.ask_wire", queue="rails", repeatable=False, reconcile=ask, undo=undo)
def ask_wire(*, label: str, amount: int = 7) -> str:
    return perform(label)  # type: ignore[no-any-return]


@activity(name="sent.ask_wire_here", repeatable=False, reconcile=ask, undo=undo)
def ask_wire_here(*, label: str) -> str:
    return perform(label)  # type: ignore[no-any-return]


# --- Ended by somebody else ------------------------------------------------------------------------------------------

#: The tokens that were given out, in order.
TOKENS: list[str] = []


def _wait_for_somebody(label: str) -> str:
    TOKENS.append(activity_info().complete_later())
    return str(perform(label))


@activity(name="sent.sign", queue="signers", timeout=TIMEOUT, undo=undo, retry=TWICE)
def sign(*, label: str) -> str:
    return _wait_for_somebody(label)


@activity(name="sent.sign_here", undo=undo, retry=TWICE)
def sign_here(*, label: str) -> str:
    return _wait_for_somebody(label)


@activity(name="sent.sign_alive", heartbeat=SILENCE, retry=TWICE)
def sign_alive(*, label: str) -> str:
    return _wait_for_somebody(label)


@activity(name="sent.sign_once", queue="signers", timeout=TIMEOUT, repeatable=False, undo=undo)
def sign_once(*, label: str) -> str:
    return _wait_for_somebody(label)


WORDS: dict[str, Activity[..., Any]] = {
    each.name.removeprefix("sent."): each
    for each in (
        write, pay, make, try_once, report, prompt, book, book_in_time, number, wire, wire_here, wire_in_time, ask_wire,
        ask_wire_here, sign, sign_here, sign_alive, sign_once,
    )
}  # fmt: skip
Script = list[str]


class SentOutWorkflow(Workflow[Script]):
    """Plays a script, one step after the other; undoes on failure."""

    async def execute(self, script: Script) -> Script:
        return [str(await _asked(self, line)) for line in script]


class SentOutHoldsWorkflow(Workflow[Script]):
    """Plays a script; a failure waits for an operator."""

    on_failure = "hold"

    async def execute(self, script: Script) -> Script:
        return [str(await _asked(self, line)) for line in script]


class SentOutSideBySideWorkflow(Workflow[Script]):
    """Plays the lines of a script side by side."""

    async def execute(self, script: Script) -> Script:
        return [str(result) for result in await self.gather(*(_asked(self, line) for line in script))]


class SentOutTimedWorkflow(Workflow[Script]):
    """Plays a script; the run has an hour."""

    run_timeout = timedelta(hours=1)

    async def execute(self, script: Script) -> Script:
        return [str(await _asked(self, line)) for line in script]


class SentOutCleanUpWorkflow(Workflow[str]):
    """Waits for one step; cleans up when it is cancelled."""

    async def execute(self, line: str) -> str:
        try:
            return str(await _asked(self, line))
        except Cancelled:
            await self.activity(undo, label="clean-up")
            raise


def _asked(workflow: Workflow[Any], line: str) -> Any:
    word, _, label = line.partition(":")
    return workflow.activity(WORDS[word], label=label)
