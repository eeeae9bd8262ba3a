"""Tests: SQLite unless DATABASE_URL is set; fault points can be armed; fixed keys."""

from .base import *  # noqa: F403
from .base import BROKER_URL, MIDDLEWARE, STORAGES, WORKFLOWS, database, env

DEBUG = False
SECRET_KEY = "test-only"  # noqa: S105
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES = {"default": database(env.str("DATABASE_URL", default="") or "sqlite:////tmp/finaegis-test.sqlite3")}
IN_MEMORY = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
STORAGES = {
    "default": IN_MEMORY,
    # Processes of one system share a folder; a test by itself leaves none behind.
    "reports": STORAGES["reports"] if env.str("REPORTS_DIR", default="") else IN_MEMORY,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WORKFLOWS = {
    **WORKFLOWS,
    "HISTORY_KEY": "test-only-history",
    "ENCRYPTION_KEYS": ["test-only-encryption"],
    "FAULTS": True,
    "GUARD": True,
    "SEAL_FILE": "",
    # Hints go out only where a test started workers for them.
    "CELERY_APP": WORKFLOWS["CELERY_APP"] if BROKER_URL else "",
}
AXES_ENABLED = False
MIDDLEWARE = [entry for entry in MIDDLEWARE if "whitenoise" not in entry]
