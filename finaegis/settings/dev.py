"""The embedded default: SQLite, one process, debug pages. Keys are made once and kept below DATA_DIR."""

import contextlib
import secrets
from pathlib import Path

from .base import *  # noqa: F403
from .base import DATA_DIR, WORKFLOWS, env

DEBUG = env.bool("DEBUG", default=True)
ALLOWED_HOSTS = ["*"]


def _kept_secret(name: str) -> str:
    """The secret of this checkout, created at first use and readable by its owner alone."""
    path: Path = DATA_DIR / "keys" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):  # another process was first: then its secret is the one
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_secret("django")
WORKFLOWS = {
    **WORKFLOWS,
    "GUARD": True,
    "HISTORY_KEY": env.str("WORKFLOWS_HISTORY_KEY", default="") or _kept_secret("history"),
    "ENCRYPTION_KEYS": env.list("WORKFLOWS_ENCRYPTION_KEYS", default=[]) or [_kept_secret("encryption")],
}
