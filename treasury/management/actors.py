"""Who acts when a command of the treasury does."""

from __future__ import annotations

import os
import pwd

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import CommandError

from workflows.operations import Actor

#: Exit codes of the command line, as those of `manage.py workflow`.
REFUSED, FORBIDDEN = 2, 5


def actor_with(permission: str, name: str | None) -> Actor:
    """The Django user of that name, who needs the permission, or whoever runs this process (`os:<login>`).

    The login is asked of the system, not of the environment, which anyone can set. Raises CommandError for a name that
    no user has, and for a user without the permission.
    """
    if name is None:
        try:
            return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
        except KeyError:
            return f"os:{os.getuid()}"
    users = get_user_model()
    found: AbstractBaseUser | None = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    if found is None:
        raise CommandError(f"there is no user {name!r}", returncode=REFUSED)
    if not getattr(found, "has_perm", lambda _: False)(permission):
        raise CommandError(f"{name} lacks the permission {permission}", returncode=FORBIDDEN)
    return found
