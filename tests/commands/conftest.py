"""The command line as a shell sees it, and runs in the states that a test asks for."""

from __future__ import annotations

import io
import json
import uuid
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from finaegis.shared.money import Money
from tests import talking  # noqa: F401 - registers workflows
from tests.commands import cast
from workflows import NonRetryable, operations, queries
from workflows.contracts import WorkflowRun
from workflows.management.commands.workflow import Command
from workflows.models import AuditEntry, HistoryEvent, Run
from workflows.testing import WorkflowEnvironment

AMOUNT = Money("250.00", "USD")
INPUT = {"trade": "T-1", "amount": {"amount": "250.00", "currency": "USD"}}


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def call(*arguments: str, out: io.StringIO | None = None, err: io.StringIO | None = None) -> Answer:
    """`manage.py workflow ARGUMENTS` on this test's database: parsed, run and left as at a shell."""
    out, err = out or io.StringIO(), err or io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        command = Command()
        command._called_from_command_line = True  # wrong usage then ends the process, as it does for `manage.py`
        try:
            options = vars(command.create_parser("manage.py", "workflow").parse_args(list(arguments)))
            command.execute(**options)
            code = 0
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture
def env(workflow_env: WorkflowEnvironment) -> WorkflowEnvironment:
    return workflow_env


@pytest.fixture
def make(env: WorkflowEnvironment) -> Runs:
    return Runs(env)


@pytest.fixture
def written(db: None) -> Any:
    """Counts of everything that a start or an act adds to."""
    return lambda: {kind.__name__: kind.objects.count() for kind in (Run, HistoryEvent, AuditEntry)}


@pytest.fixture
def operator(db: None) -> User:
    return _member("operator")


@pytest.fixture
def viewer(db: None) -> User:
    return _member("viewer")


def _member(role: str) -> User:
    user = User.objects.create_user(f"the-{role}", password="x")
    user.groups.add(Group.objects.get(name=role))
    return user


class Runs:
    """Makes runs in the state that a test asks for."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self.env = env

    def pending(self, **options: Any) -> WorkflowRun:
        return operations.start_run(cast.SettlementWorkflow, "T-1", AMOUNT, **options)

    def paused(self) -> WorkflowRun:
        return operations.pause_run(self.pending().id, reason="lunch")

    def completed(self) -> WorkflowRun:
        return self._driven(self.pending())

    def held(self) -> WorkflowRun:
        """Held as `failure`: its last step was refused."""
        self.env.mock(cast.settle).raises(NonRetryable("the venue is closed", code="venue_closed")).returns("settled")
        return self._driven(self.pending())

    def compensated(self) -> WorkflowRun:
        self.env.mock(cast.settle).raises(NonRetryable("the venue is closed", code="venue_closed"))
        return self._driven(operations.start_run(cast.UndoneWorkflow, "T-2", AMOUNT))

    def failed(self) -> WorkflowRun:
        self.env.mock(cast.settle).raises(NonRetryable("no", code="told_no"))
        return self._driven(operations.start_run(cast.HopelessWorkflow))

    def identified(self) -> WorkflowRun:
        return self._driven(operations.start_run(cast.IdentityWorkflow, cast.SECRET))

    def _driven(self, run: WorkflowRun) -> WorkflowRun:
        self.env.skip(timedelta(minutes=1))
        return queries.get_run(run.id)


def status_of(run_id: uuid.UUID | str) -> str:
    return queries.get_status(uuid.UUID(str(run_id)))
