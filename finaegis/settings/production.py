"""Production: every secret and address must be given; nothing has a convenient default."""

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import THIRD_PARTIES, WORKFLOWS, env

for _name in ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "BROKER_URL", "WORKFLOWS_HISTORY_KEY",
              "WORKFLOWS_ENCRYPTION_KEYS", "EMAIL_URL", "PUBLIC_URL"):  # fmt: skip
    if not env.str(_name, default=""):
        raise ImproperlyConfigured(f"{_name} must be set in production")

# Simulators decide about nobody's money here, and facts of customers do not travel in clear.
for _party, _address in THIRD_PARTIES.items():
    if not _address["TOKEN"] or not _address["URL"].startswith("https://"):
        raise ImproperlyConfigured(f"{_party.upper()}_URL (https) and {_party.upper()}_TOKEN must be set in production")

SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")

WORKFLOWS = {
    **WORKFLOWS,
    "HISTORY_KEY": env.str("WORKFLOWS_HISTORY_KEY"),
    "ENCRYPTION_KEYS": env.list("WORKFLOWS_ENCRYPTION_KEYS"),
}

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
