"""Settings every environment shares. Secrets and addresses come from the environment, never from this file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.templatetags.static import static
from django.urls import reverse_lazy

from finaegis.shared.version import code_version

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
#: Everything the embedded default writes (database, keys, seals) lies below this folder.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "django_celery_beat",
    "django_filters",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "finaegis.apps.FinAegisConfig",
    "finaegis.simulators.apps.SimulatorsConfig",
    "workflows.apps.WorkflowsConfig",
    "ledger.apps.LedgerConfig",
    "treasury.apps.TreasuryConfig",
    "lending.apps.LendingConfig",
    "exchange.apps.ExchangeConfig",
    "wallet.apps.WalletConfig",
    "reporting.apps.ReportingConfig",
]

MIDDLEWARE = [
    "workflows.api.bodies.WholeBodies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]

ROOT_URLCONF = "finaegis.urls"
ASGI_APPLICATION = "finaegis.asgi.application"
WSGI_APPLICATION = "finaegis.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


#: Seconds a silent process keeps its runs, and how long an activity may take that declares nothing else.
LEASE = float(env.str("WORKFLOWS_LEASE", default="") or 10.0)
ACTIVITY_TIMEOUT = timedelta(minutes=10)


def database(url: str) -> dict[str, Any]:
    """A database entry with the options the engine relies on (docs/architecture.md, "Databases")."""
    entry: dict[str, Any] = dict(environ.Env.db_url_config(url))
    options = entry.setdefault("OPTIONS", {})
    if entry["ENGINE"] == "django.db.backends.postgresql":
        # Both together make Django prepare statements: one alone does nothing.
        options.update(server_side_binding=True, prepare_threshold=1)
        # A frozen process must not keep locks for ever: waiting for one is tried again, idling in a transaction ends.
        lock = int(LEASE * 1000 / 2)
        idle = int(ACTIVITY_TIMEOUT.total_seconds() * 1000)
        options["options"] = f"-c lock_timeout={lock} -c idle_in_transaction_session_timeout={idle}"
        entry["CONN_MAX_AGE"] = None
        entry["CONN_HEALTH_CHECKS"] = True
    elif entry["ENGINE"] == "django.db.backends.sqlite3":
        # IMMEDIATE: a plain BEGIN that upgrades to a write lock fails at once whatever the time-out says.
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=30,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;",
        )
    return entry


DATABASES: dict[str, dict[str, Any]] = {
    "default": database(env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'finaegis.sqlite3'}"),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "finaegis.formats"
#: Thousand separators would break ids in hand-written URLs.
USE_THOUSAND_SEPARATOR = False

LOGIN_REDIRECT_URL = "admin:index"  # who asks for the login page itself names no page
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
#: Where the files of reports lie.
REPORTS_DIR = env.str("REPORTS_DIR", default="") or str(DATA_DIR / "reports")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Files of reports: not below any address, readable by the platform alone. Workers and web processes share it.
    "reports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": REPORTS_DIR,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

BROKER_URL = env.str("BROKER_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
#: What `/metrics` asks for as a bearer token; empty = nothing.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
#: Systems that share one broker keep apart by the name of their queue.
CELERY_QUEUE = env.str("CELERY_QUEUE", default="workflows")

_DATABASE = Path(str(DATABASES["default"]["NAME"])).stem
#: The engine's settings; read only through `workflows.conf.settings`, which documents and types each.
WORKFLOWS: dict[str, Any] = {
    "CELERY_APP": "finaegis.celery.app",
    # A chord joins where every process finds its results: in Redis, or in the memory of the one process there is.
    "CHORDS": bool(REDIS_URL) or not BROKER_URL,
    "LEASE": timedelta(seconds=LEASE),
    "ACTIVITY_TIMEOUT": ACTIVITY_TIMEOUT,
    # One file for each database: seals of runs that are in another one would look like runs that are gone.
    # Figures of runs; systems that share a Redis keep apart as they do by their queues.
    "REDIS_URL": REDIS_URL,
    "REDIS_PREFIX": f"{CELERY_QUEUE}:{_DATABASE}",
    "SEAL_FILE": env.str("WORKFLOWS_SEAL_FILE", default=str(DATA_DIR / f"history-{_DATABASE}.seals")),
}

#: Third parties and where they answer; one without an address is simulated. Read only through
#: `finaegis.shared.third_party.endpoint_of`.
THIRD_PARTIES: dict[str, dict[str, str]] = {
    "credit_bureau": {
        "URL": env.str("CREDIT_BUREAU_URL", default=""),
        "TOKEN": env.str("CREDIT_BUREAU_TOKEN", default=""),
    },
    "fraud_scoring": {
        "URL": env.str("FRAUD_SCORING_URL", default=""),
        "TOKEN": env.str("FRAUD_SCORING_TOKEN", default=""),
    },
    "document_verification": {
        "URL": env.str("DOCUMENT_VERIFICATION_URL", default=""),
        "TOKEN": env.str("DOCUMENT_VERIFICATION_TOKEN", default=""),
    },
    "disbursement_rail": {
        "URL": env.str("DISBURSEMENT_RAIL_URL", default=""),
        "TOKEN": env.str("DISBURSEMENT_RAIL_TOKEN", default=""),
    },
    "withdrawal_rail": {
        "URL": env.str("WITHDRAWAL_RAIL_URL", default=""),
        "TOKEN": env.str("WITHDRAWAL_RAIL_TOKEN", default=""),
    },
    "sanctions_screening": {
        "URL": env.str("SANCTIONS_SCREENING_URL", default=""),
        "TOKEN": env.str("SANCTIONS_SCREENING_TOKEN", default=""),
    },
}
#: How long a call may wait for a connection, and how long it may take as a whole.
THIRD_PARTY_CONNECT_TIMEOUT = timedelta(seconds=float(env.str("THIRD_PARTY_CONNECT_TIMEOUT", default="") or 3.0))
THIRD_PARTY_TIMEOUT = timedelta(seconds=float(env.str("THIRD_PARTY_TIMEOUT", default="") or 15.0))
#: What callers of `manage.py third_parties serve` must show as their token.
SIMULATORS_TOKEN = env.str("SIMULATORS_TOKEN", default="")

#: E-mail: `smtp+tls://user:password@host:587`, or the console where nothing is said.
globals().update(environ.Env.email_url_config(env.str("EMAIL_URL", default="") or "consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="") or "FinAegis <no-reply@finaegis.example>"

#: Lending's settings; read only through `lending.conf`, which documents and types each.
LENDING: dict[str, Any] = {
    "MAIL_FROM": DEFAULT_FROM_EMAIL,
    "LETTERS_DESK": env.str("LENDING_LETTERS_DESK", default="") or "letters@finaegis.example",
}
#: The wallet's settings; read only through `wallet.conf`, which documents and types each.
WALLET: dict[str, Any] = {
    "PUBLIC_URL": env.str("PUBLIC_URL", default="") or f"http://127.0.0.1:{env.str('PORT', default='') or 8000}",
    "MAIL_FROM": DEFAULT_FROM_EMAIL,
    # Currency -> calendar of its rail, as `USD=USD,EUR=EUR`; a currency without one settles after 72 hours.
    "CALENDARS": env.dict("WALLET_CALENDARS", default={}),
}

#: Reporting's settings; read only through `reporting.conf`, which documents and types each.
REPORTING: dict[str, Any] = {"CODE_VERSION": env.str("CODE_VERSION", default="") or code_version(BASE_DIR)}

#: A request body over this is refused with 413.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]

#: Requests are counted per token in the cache; several web processes share it through Redis.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # A request does not wait longer for its count.
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "workflows.api.authentication.ClientToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["workflows.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["workflows.api.throttles.TokenRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": env.str("API_TOKEN_RATE", default="1000/min")},
    "EXCEPTION_HANDLER": "finaegis.api_errors.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {"TOKEN_TTL": timedelta(hours=12), "AUTH_HEADER_PREFIX": "Token"}

SPECTACULAR_SETTINGS = {
    "TITLE": "FinAegis",
    "DESCRIPTION": "Durable business processes of a financial company.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": "workflows.api.serializers.RUN_STATUSES",
        "StepStatus": "workflows.api.serializers.STEP_STATUSES",
        "AccountStatus": "treasury.api.ACCOUNT_STATUSES",
        "AllocationStatus": "treasury.api.ALLOCATION_STATUSES",
        "HedgeStatus": "treasury.api.HEDGE_STATUSES",
        "RiskCause": "treasury.api.RISK_CAUSES",
        "RiskReason": "treasury.api.RISK_REASONS",
        "RiskSagaStatus": "treasury.api.SAGA_STATUSES",
        "AssetClass": "treasury.api.ASSET_CLASSES",
        "ComplianceCaseStatus": "treasury.api.CASE_STATUSES",
        "ComplianceTrigger": "treasury.api.CASE_TRIGGERS",
        "FindingKind": "treasury.api.FINDING_KINDS",
        "MovementDirection": "treasury.api.DIRECTIONS",
        "ApplicationStatus": "lending.api.serializers.APPLICATION_STATUSES",
        "DisbursementStatus": "lending.api.serializers.DISBURSEMENT_STATUSES",
        "DocumentCheckStatus": "lending.api.serializers.DOCUMENT_STATUSES",
        "LetterKind": "lending.api.serializers.LETTER_KINDS",
        "LoanStatus": "lending.api.serializers.LOAN_STATUSES",
        "OfferStatus": "lending.api.serializers.OFFER_STATUSES",
        "ReceivableStatus": "lending.api.serializers.CASE_STATUSES",
        "ReviewCause": "lending.api.serializers.REVIEW_CAUSES",
        "Verdict": "lending.api.serializers.VERDICTS",
        "DestinationStatus": "wallet.api.DESTINATION_STATUSES",
        "ReportFormat": "reporting.api.REPORT_FORMATS",
        "ReportKind": "reporting.api.REPORT_KINDS",
        "ReportStatus": "reporting.api.REPORT_STATUSES",
        "WithdrawalStatus": "wallet.api.WITHDRAWAL_STATUSES",
        "WalletEventKind": "wallet.api.EVENT_KINDS",
        "CaseKind": "wallet.api.CASE_KINDS",
        "CaseStatus": "wallet.api.CASE_STATUSES",
        "CaseResolution": "wallet.api.RESOLUTIONS",
        "InstrumentStatus": "exchange.api.serializers.INSTRUMENT_STATUSES",
        "OrderStatus": "exchange.api.serializers.ORDER_STATUSES",
        "OrderType": "exchange.api.serializers.ORDER_TYPES",
        "OrderSide": "exchange.api.serializers.SIDES",
        "TimeInForce": "exchange.api.serializers.TIMES_IN_FORCE",
        "TradeStatus": "exchange.api.serializers.TRADE_STATUSES",
        "ExchangeEventKind": "exchange.api.serializers.EVENT_KINDS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "workflows.api.openapi.describe_answers",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": ""},
}


def _list(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    """A list in the console's sidebar, shown to whoever may view its rows."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def _shows_timers(request: Any) -> bool:
    return bool(request.path == str(reverse_lazy("admin:workflows_run_timers")))


def _shows_events(request: Any) -> bool:
    return bool(request.path.startswith(str(reverse_lazy("admin:workflows_run_events"))))


def _shows_runs(request: Any) -> bool:
    """Timers and events stand below the address of runs, and are pages of their own."""
    return "/workflows/run/" in request.path and not _shows_timers(request) and not _shows_events(request)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "FinAegis",
    "SITE_HEADER": "FinAegis",
    "SITE_SUBHEADER": "Operations console",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": None,  # no "Return to site": the console is all there is for people
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("workflows/icon.svg")}],
    "DASHBOARD_CALLBACK": "workflows.admin.front_page.front_page",
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Operations",
                "items": [
                    {"title": "Front page", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                    _list("Runs", "play_circle", "workflows", "run") | {"active": _shows_runs},
                    {
                        "title": "Timers",
                        "icon": "timer",
                        "link": reverse_lazy("admin:workflows_run_timers"),
                        "permission": lambda request: request.user.has_perm("workflows.view_run"),
                        "active": _shows_timers,
                    },
                    {
                        "title": "Events",
                        "icon": "campaign",
                        "link": reverse_lazy("admin:workflows_run_events"),
                        "permission": lambda request: request.user.has_perm("workflows.view_run"),
                        "active": _shows_events,
                        "badge": "workflows.admin.events.parked_badge",
                        "badge_variant": "warning",
                    },
                    _list("Audit trail", "history_edu", "workflows", "auditentry"),
                    _list("Calendars", "calendar_month", "workflows", "calendar"),
                    _list("Processes", "memory", "workflows", "process"),
                ],
            },
            {
                "title": "Ledger",
                "separator": True,
                "items": [
                    _list("Accounts", "account_balance_wallet", "ledger", "account"),
                    _list("Transfers", "swap_horiz", "ledger", "transfer"),
                    _list("Holds", "lock", "ledger", "hold"),
                ],
            },
            {
                "title": "Treasury",
                "separator": True,
                "items": [
                    _list("Accounts", "savings", "treasury", "treasuryaccount"),
                    _list("Allocations", "pie_chart", "treasury", "allocation"),
                    _list("Movements", "sync_alt", "treasury", "movement"),
                    _list("Compliance cases", "policy", "treasury", "compliancecase"),
                    _list("AML thresholds", "speed", "treasury", "amlthreshold"),
                    _list("Risk assessments", "speed", "treasury", "riskassessment"),
                    _list("Hedges", "shield", "treasury", "hedgeposition"),
                    _list("Freezes", "ac_unit", "treasury", "freeze"),
                    _list("Instruments", "candlestick_chart", "treasury", "instrument"),
                    _list("Events", "event_note", "treasury", "storedevent"),
                ],
            },
            {
                "title": "Lending",
                "separator": True,
                "items": [
                    _list("Reviews", "rule", "lending", "review"),
                    _list("Applications", "description", "lending", "application"),
                    _list("Loans", "request_quote", "lending", "loan"),
                    _list("Disbursements", "payments", "lending", "disbursement"),
                    _list("Receivables", "assignment_late", "lending", "receivablecase"),
                    _list("Letters", "mail", "lending", "letter"),
                ],
            },
            {
                "title": "Exchange",
                "separator": True,
                "items": [
                    _list("Instruments", "currency_exchange", "exchange", "instrument"),
                    _list("Orders", "receipt_long", "exchange", "order"),
                    _list("Trades", "handshake", "exchange", "trade"),
                    _list("Accounts", "badge", "exchange", "tradingaccount"),
                    _list("Batches", "stacks", "exchange", "batchentry"),
                ],
            },
            {
                "title": "Wallet",
                "separator": True,
                "items": [
                    _list("Withdrawals", "outbound", "wallet", "withdrawal"),
                    _list("Cases", "gavel", "wallet", "case"),
                    _list("Accounts", "wallet", "wallet", "walletaccount"),
                    _list("Destinations", "bookmark", "wallet", "destination"),
                    _list("Limits", "speed", "wallet", "limitset"),
                ],
            },
            {
                "title": "Reporting",
                "separator": True,
                "items": [
                    _list("Reports", "summarize", "reporting", "report"),
                    _list("Downloads", "download", "reporting", "download"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _list("Users", "person", "auth", "user"),
                    _list("Groups", "group", "auth", "group"),
                ],
            },
        ],
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The admin theme's components evaluate expressions (Alpine).
        "script-src": ["'self'", "'unsafe-eval'", "'unsafe-inline'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
    }
}
