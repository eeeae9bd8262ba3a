"""The acts of the console: what each is called, which operation it calls, and whose buttons show it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse

from workflows import operations
from workflows.admin.forms import ReasonForm
from workflows.contracts import PlanItemView, WorkflowRun
from workflows.core import compensation
from workflows.core.status import allowed_acts

User = AbstractBaseUser | AnonymousUser
VIEW = "workflows.view_run"
START = "workflows.start_run"
AUDIT = "workflows.view_auditentry"
RESOLVE = "workflows.resolve_run"
RESCHEDULE = "workflows.reschedule_run"
#: Of a parked event: deliver it anew, give it up.
REPLAY = "workflows.retry_run"
DROP = "workflows.cancel_run"


@dataclass(frozen=True, slots=True)
class Act:
    """One act on a run. `perform` gets the run's id, the user and the dialog's valid form."""

    name: str
    title: str
    explains: str
    icon: str
    perform: Callable[[uuid.UUID, User, ReasonForm], WorkflowRun]
    variant: str = "default"

    @property
    def permission(self) -> str:
        return f"workflows.{self.name}_run"


@dataclass(frozen=True, slots=True)
class Button:
    """A link to an act's dialog."""

    title: str
    icon: str
    variant: str
    url: str


def _retry(run_id: uuid.UUID, user: User, given: ReasonForm) -> WorkflowRun:
    return operations.retry_run(
        run_id, actor=user, reason=given.cleaned_data["reason"], input=given.changed_input or None
    )


def _compensate(run_id: uuid.UUID, user: User, given: ReasonForm) -> WorkflowRun:
    return operations.compensate_run(run_id, actor=user, reason=given.cleaned_data["reason"])


def _cancel(run_id: uuid.UUID, user: User, given: ReasonForm) -> WorkflowRun:
    return operations.cancel_run(run_id, actor=user, reason=given.cleaned_data["reason"])


def _pause(run_id: uuid.UUID, user: User, given: ReasonForm) -> WorkflowRun:
    return operations.pause_run(run_id, actor=user, reason=given.cleaned_data["reason"])


def _resume(run_id: uuid.UUID, user: User, given: ReasonForm) -> WorkflowRun:
    return operations.resume_run(run_id, actor=user, reason=given.cleaned_data["reason"])


def _rerun(run_id: uuid.UUID, user: User, given: ReasonForm) -> WorkflowRun:
    return operations.rerun(run_id, actor=user, reason=given.cleaned_data["reason"])


#: In the order of the buttons.
ACTS: dict[str, Act] = {
    act.name: act
    for act in (
        Act("retry", "Retry", "The run goes on from the step that failed, with fresh attempts. What completed stands.",
            "replay", _retry, "primary"),
        Act("resume", "Resume", "The run goes on where it stands.", "play_arrow", _resume, "primary"),
        Act("pause", "Pause", "The run is held after the step in hand; outcomes are still recorded.", "pause", _pause),
        Act("compensate", "Compensate", "The undos below run in this order. The run ends as compensated and keeps "
            "its result or error.", "undo", _compensate, variant="danger"),
        Act("cancel", "Cancel", "The workflow is told to stop; then what it did is undone.",
            "cancel", _cancel, variant="danger"),
        Act("rerun", "Rerun", "A new run starts with the same input and without a key. This run stays as it is.",
            "restart_alt", _rerun),
    )
}  # fmt: skip


def remaining(plan: Sequence[PlanItemView]) -> list[PlanItemView]:
    """The undos that are still to run, first to run first."""
    return [item for item in plan if item.status != compensation.COMPLETED]


def fits(act: Act, run: WorkflowRun, plan: Sequence[PlanItemView]) -> bool:
    """Whether the run's state lets this act be asked for; the operation has the last word."""
    if act.name not in allowed_acts(run.status, run.hold_reason or "") or run.requested == act.name:
        return False
    return act.name != "compensate" or bool(remaining(plan))


def may(user: User, permission: str) -> bool:
    """Whether the user may look at runs and has this permission too."""
    has_perm: Callable[[str], bool] = getattr(user, "has_perm", lambda _: False)
    return has_perm(VIEW) and has_perm(permission)


def resolve_url(run_id: uuid.UUID, seq: int) -> str:
    """The dialog that says what a step in doubt did."""
    return reverse("admin:workflows_run_resolve", args=[run_id, seq])


def move_url(run_id: uuid.UUID, seq: int) -> str:
    """The dialog that moves a timer."""
    return reverse("admin:workflows_run_reschedule", args=[run_id, seq])


def buttons(run: WorkflowRun, plan: Sequence[PlanItemView], user: User) -> list[Button]:
    """The dialogs that fit the run's state and that this user may open."""
    return [
        Button(act.title, act.icon, act.variant, reverse(f"admin:workflows_run_{act.name}", args=[run.id]))
        for act in ACTS.values()
        if fits(act, run, plan) and may(user, act.permission)
    ]


def locked(run: WorkflowRun, plan: Sequence[PlanItemView], user: User) -> list[str]:
    """Titles of the acts that fit the run's state and that this user may not do."""
    return [act.title for act in ACTS.values() if fits(act, run, plan) and not may(user, act.permission)]
