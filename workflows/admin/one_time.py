"""One act per dialog, however often its form is sent.

Opening a dialog signs a key and writes nothing. Sending it inserts the key's mark in the transaction of the act
itself: a row of the session table, whose primary key is unique and whose rows `clearsessions` drops once they expire.
The second of two concurrent sends waits for the first on that key; when the first commits it acts no more, and when
the first was refused its mark is rolled back and the second may act. The mark holds the run that the act touched, and
is readable as a session by nobody: its name needs the secret, and it names no user.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from workflows import clock

_SALT = "workflows.admin.one_time"
#: How long an open dialog can still be sent.
LIFETIME = timedelta(hours=12)


class KeyRefused(Exception):
    """The key was not made for this user and dialog, or the dialog was open for too long."""


class _Used(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Outcome:
    """The run an act touched; `repeated` when an earlier send had acted already and this one did nothing."""

    run_id: uuid.UUID
    repeated: bool


def issue(*, user_id: object, dialog: str) -> str:
    """A fresh key for one user and one dialog (`retry:<run id>`)."""
    return signing.dumps([str(user_id), dialog, secrets.token_hex(8)], salt=_SALT)


def identity(key: str, *, user_id: object, dialog: str) -> str:
    """A name that is the same for every send of one dialog: for acts that are deduplicated by a name of their own.

    Raises KeyRefused.
    """
    _check(key, user_id=user_id, dialog=dialog)
    return _mark_name(key)


def act_once(key: str, *, user_id: object, dialog: str, act: Callable[[], uuid.UUID]) -> Outcome:
    """Call `act`, which gives the run's id, unless the key was used; its refusals leave the key unused."""
    touched, repeated = _once(key, user_id=user_id, dialog=dialog, act=lambda: str(act()))
    return Outcome(uuid.UUID(touched), repeated)


def do_once(key: str, *, user_id: object, dialog: str, act: Callable[[], object]) -> bool:
    """Call `act`, which is of no one run, unless the key was used: then True, and nothing was done."""

    def perform() -> str:
        act()
        return ""

    return _once(key, user_id=user_id, dialog=dialog, act=perform)[1]


def _once(key: str, *, user_id: object, dialog: str, act: Callable[[], str]) -> tuple[str, bool]:
    """What `act` touched, and whether that was done by an earlier send."""
    _check(key, user_id=user_id, dialog=dialog)
    name = _mark_name(key)
    try:
        with transaction.atomic():
            mark = _insert_mark(name)
            touched = act()
            mark.session_data = Session.objects.encode({"run": touched})
            mark.save(update_fields=["session_data"])
    except _Used:
        done = Session.objects.get(pk=name).get_decoded()
        return done["run"], True
    return touched, False


def _check(key: str, *, user_id: object, dialog: str) -> None:
    try:
        owner, made_for, _ = signing.loads(key, salt=_SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise KeyRefused from error
    if (owner, made_for) != (str(user_id), dialog):
        raise KeyRefused


def _mark_name(key: str) -> str:
    return "once-" + salted_hmac(_SALT, key, algorithm="sha256").hexdigest()[:35]


def _insert_mark(name: str) -> Session:
    try:
        with transaction.atomic():  # a savepoint, so that the refused insert leaves the transaction usable
            return Session.objects.create(
                session_key=name, session_data=Session.objects.encode({}), expire_date=clock.now() + 2 * LIFETIME
            )
    except IntegrityError as error:
        raise _Used from error
