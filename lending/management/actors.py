"""Who acts when a command does."""

from __future__ import annotations

import os
import pwd

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import CommandError

from lending.management.credit_file import UNUSABLE
from workflows.operations import Actor


def actor_named(name: str | None) -> Actor:
    """The Django user of that name, whose permission is then checked, or whoever runs this process (`os:<login>`).

    The login is asked of the system, not of the environment, which anyone can set. Raises CommandError for a name that
    no user has.
    """
    if name is None:
        try:
            return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
        except KeyError:
            return f"os:{os.getuid()}"
    users = get_user_model()
    found: AbstractBaseUser | None = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    if found is None:
        raise CommandError(f"there is no user {name!r}", returncode=UNUSABLE)
    return found
