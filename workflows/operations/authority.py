"""Who acts, whether they may, and the audit row of what they did."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from workflows import clock
from workflows.core import payloads
from workflows.core.errors import InvalidInput, PermissionRefused, ReasonRequired
from workflows.models import AuditEntry

#: A Django user (whose permissions are checked), a principal's name such as `os:ada`, or None for the system.
Actor = AbstractBaseUser | AnonymousUser | str | None

MAX_REASON = 2000


def principal_of(actor: Actor) -> str:
    """The principal's name, where a token is the authority."""
    if actor is None:
        return "system"
    return actor if isinstance(actor, str) else actor.get_username()


def authorise(actor: Actor, act: str) -> str:
    """The principal's name; raises PermissionRefused unless the actor may do `act` on runs."""
    if actor is None:
        return "system"
    if isinstance(actor, str):
        return actor
    permission = f"workflows.{act}_run"
    if not actor.is_active or not getattr(actor, "has_perm", lambda _: False)(permission):
        raise PermissionRefused(f"{actor} lacks the permission {permission}")
    return actor.get_username()


def checked_reason(reason: str, *, required: bool) -> str:
    """The reason, trimmed; raises ReasonRequired when an act on an existing run has none."""
    if not isinstance(reason, str):
        raise InvalidInput("the reason is a text")
    reason = reason.strip()
    if required and not reason:
        raise ReasonRequired
    if len(reason) > MAX_REASON:
        raise InvalidInput(f"the reason is longer than {MAX_REASON} characters")
    return storable(reason, "reason")


def storable(text: str, what: str) -> str:
    """A text that every database stores; raises InvalidInput for NUL and lone surrogates."""
    if payloads.clean_text(text) != text:
        raise InvalidInput(f"{what}: text holds NUL or a lone surrogate, which cannot be stored")
    return text


def record(act: str, *, principal: str, reason: str, run_id: uuid.UUID | None, workflow: str, **detail: Any) -> None:
    """The audit row of an act, in the act's own transaction."""
    AuditEntry.objects.create(
        at=clock.now(),
        act=act,
        run_id=run_id,
        workflow=workflow,
        actor=principal,
        reason=reason,
        detail=payloads.dumps(detail),
    )
