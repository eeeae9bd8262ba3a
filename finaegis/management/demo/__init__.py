"""Demo data: what a newcomer looks at. Everything has a key, so a second call adds nothing.

`basics` are written at once: users, accounts, a few runs. `stories` need their runs to move between their parts; a
`Pace` brings them there. For development and tests only: the users share a password that everyone knows.
"""

from finaegis.management.demo.basics import (
    ALLOWED_SETTINGS,
    LOGINS,
    PASSWORD,
    Seeded,
    make_users,
    refuse_outside_development,
    seed,
)
from finaegis.management.demo.pace import Driving, Pace, Stopped, Watching
from finaegis.management.demo.stories import APPLICATIONS, SEED, tell

__all__ = [
    "ALLOWED_SETTINGS",
    "APPLICATIONS",
    "LOGINS",
    "PASSWORD",
    "SEED",
    "Driving",
    "Pace",
    "Seeded",
    "Stopped",
    "Watching",
    "make_users",
    "refuse_outside_development",
    "seed",
    "tell",
]
