"""Operations of lending that fail as a test says, and what a run looks like afterwards."""

from contextlib import contextmanager

from lending import operations
from workflows import queries as runs


@contextmanager
def failing(monkeypatch, name, *errors):
    """The operation raises these errors, one at each call, and then does its work."""
    works = getattr(operations, name)
    left = list(errors)

    def act(*args, **kwargs):
        if left:
            raise left.pop(0)
        return works(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(operations, name, act)
        yield


def steps(run):
    """Name and status of each activity of the run's own way, in order."""
    return [(step.name.removeprefix("lending."), step.status) for step in runs.list_steps(run.id) if is_forward(step)]


def is_forward(step):
    return step.kind == "activity"


def attempts(run, name):
    return [step.attempts for step in runs.list_steps(run.id) if step.name == f"lending.{name}"]


def undone(run):
    """The undos that ran, in the order they did."""
    done = [step for step in runs.list_steps(run.id) if step.kind == "compensation" and step.status == "completed"]
    return [step.name.removeprefix("lending.") for step in sorted(done, key=lambda step: step.settled_at or step.seq)]


def status(run):
    found = runs.get_run(run.id)
    return found.status if found.hold_reason is None else f"{found.status}: {found.hold_reason}"
