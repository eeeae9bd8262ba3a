"""Activities and workflows that the tests of the engine share.

A script is a list of lines `word:label`; each line is one step. So a test says in one line what its run does.
"""

from __future__ import annotations

from datetime import timedelta

from tests.workflows import effects
from workflows import NonRetryable, Retry, Workflow, activity, activity_info, operations

#: Order in which undos and writes happened in this process; cleared by nobody, so tests use labels of their own.
Script = list[str]


class CastRefused(NonRetryable):
    """The cast says no."""

    code = "cast_refused"


class Disturbed(Exception):
    """A failure that may pass."""

    code = "disturbed"


@activity(name="cast.write")
def write(*, label: str) -> str:
    effects.write(label)
    return f"wrote {label}"


@activity(name="cast.book", transactional=True)
def book(*, label: str) -> str:
    effects.write(label)
    return f"booked {label}"


@activity(name="cast.undo_write")
def undo_write(*, label: str) -> None:
    effects.write(f"undo {label}")
    effects.write(f"undone key {activity_info().undone_key}")


@activity(name="cast.make", undo=undo_write)
def make(*, label: str) -> str:
    effects.write(label)
    return f"made {label}"


@activity(name="cast.make_booked", transactional=True, undo=undo_write)
def make_booked(*, label: str) -> str:
    effects.write(label)
    return f"made {label}"


@activity(name="cast.attempt", undo=undo_write, undo_when="attempted", retry=Retry(max_attempts=1))
def attempt(*, label: str) -> str:
    effects.write(label)
    raise Disturbed("attempted in vain")


@activity(name="cast.make_in_vain", undo=undo_write, retry=Retry(max_attempts=1))
def make_in_vain(*, label: str) -> str:
    effects.write(label)
    raise Disturbed("made in vain")


@activity(name="cast.fail_to_undo")
def fail_to_undo(*, label: str) -> None:
    """An undo that fails until the effect `repaired` stands."""
    effects.write(f"tried to undo {label}")
    if not effects.count("repaired"):
        raise CastRefused("cannot be undone yet")


@activity(name="cast.make_stubborn", undo=fail_to_undo)
def make_stubborn(*, label: str) -> str:
    effects.write(label)
    return f"made {label}"


@activity(name="cast.refuse")
def refuse(*, label: str) -> str:
    effects.write(f"refused {label}")
    raise CastRefused(f"no to {label}")


@activity(name="cast.refuse_until_repaired")
def refuse_until_repaired(*, label: str) -> str:
    effects.write(f"tried {label}")
    if not effects.count("repaired"):
        raise CastRefused(f"no to {label} yet")
    return f"did {label}"


@activity(name="cast.disturb", retry=Retry(max_attempts=3, initial=10.0, backoff=2.0, maximum=60.0))
def disturb(*, label: str) -> str:
    """Fails twice, then works."""
    effects.write(f"tried {label}")
    if effects.count(f"tried {label}") < 3:
        raise Disturbed(f"{label} is disturbed")
    return f"did {label}"


@activity(name="cast.disturb_always", retry=Retry(max_attempts=3, initial=10.0))
def disturb_always(*, label: str) -> str:
    effects.write(f"tried {label}")
    raise Disturbed(f"{label} is disturbed")


@activity(name="cast.act_on_own_run")
def act_on_own_run(*, label: str) -> None:
    """An operator's act, in the instant that this step runs: the run has a living driver."""
    effects.write(f"asked {label}")
    run_id = activity_info().run_id
    assert run_id is not None
    getattr(operations, f"{label}_run")(run_id, reason="while it runs")


WORDS = {
    "write": write,
    "book": book,
    "make": make,
    "make_booked": make_booked,
    "make_in_vain": make_in_vain,
    "make_stubborn": make_stubborn,
    "attempt": attempt,
    "refuse": refuse,
    "refuse_until_repaired": refuse_until_repaired,
    "disturb": disturb,
    "disturb_always": disturb_always,
    "act": act_on_own_run,
}


async def play(workflow: Workflow[Script], script: Script) -> Script:
    """Each line as a step; `undo by hand`, `compensate` and `raise` are not steps of the cast."""
    results: list[str] = []
    for line in script:
        word, _, label = line.partition(":")
        if word == "by_hand":
            workflow.add_compensation(undo_write, label=label)
        elif word == "compensate":
            await workflow.compensate()
        elif word == "track":
            workflow.track(label, {"line": line})
        elif word == "raise":
            raise ValueError(f"the code gives up: {label}")
        else:
            results.append(str(await workflow.activity(WORDS[word], label=label)))
    return results


class CastWorkflow(Workflow[Script]):
    """Plays a script; undoes on failure and on cancel."""

    async def execute(self, script: Script) -> Script:
        return await play(self, script)


class CastHoldsWorkflow(Workflow[Script]):
    """Plays a script; waits for an operator on failure."""

    on_failure = "hold"

    async def execute(self, script: Script) -> Script:
        return await play(self, script)


class CastFailsWorkflow(Workflow[Script]):
    """Plays a script; fails without undoing."""

    on_failure = "fail"

    async def execute(self, script: Script) -> Script:
        return await play(self, script)


class CastLeavesWorkflow(Workflow[Script]):
    """Plays a script; a cancel leaves what was done, a failure waits."""

    on_cancel = "leave"
    on_failure = "hold"

    async def execute(self, script: Script) -> Script:
        return await play(self, script)


class CastGoesOnWorkflow(Workflow[Script]):
    """Plays a script; its plan goes on after an undo that failed."""

    compensation = "continue"

    async def execute(self, script: Script) -> Script:
        return await play(self, script)


NOW = timedelta(0)
