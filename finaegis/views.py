"""Views of no domain: is the service alive, can it work, what do its runs do, and paths that are none."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, re_path
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from kombu import Connection
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from finaegis.prometheus import Exposition
from workflows import queries

log = logging.getLogger("finaegis.health")

#: Seconds that a probe waits for the broker or Redis.
_PATIENCE = 1
#: Counting runs takes at most one part in so many of the time, however often it is asked for.
_SPACING = 20
_OLDEST = 60.0


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """The process can work: database and schema, else 503.

    The broker and Redis, where they are configured, are told and make it `degraded`: starts and acts are rows, which
    workers find once the broker is back, so no request has to be sent elsewhere.
    """
    needed = {name: _passes(name, check) for name, check in (("database", _database), ("migrations", _migrations))}
    helpful = {}
    if settings.BROKER_URL:
        helpful["broker"] = _passes("broker", _broker)
    if settings.REDIS_URL:
        helpful["redis"] = _passes("redis", _redis)
    able = all(needed.values())
    body = {
        "status": ("ready" if all(helpful.values()) else "degraded") if able else "unavailable",
        "checks": {name: "ok" if passed else "failed" for name, passed in {**needed, **helpful}.items()},
    }
    return JsonResponse(body, status=200 if able else 503)


def _passes(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # a probe answers whatever its subject does
        log.warning("the check of %s failed", name, exc_info=True)
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def _migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _broker() -> bool:
    with Connection(settings.BROKER_URL, connect_timeout=_PATIENCE) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=_PATIENCE)
    return True


def _redis() -> bool:
    with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE) as client:
        return bool(client.ping())


class Counts:
    """The numbers of runs, counted anew at most in one part of the time: counting looks at every run there is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Count at the next reading."""
        self._kept: list[tuple[str, str, int]] = []
        self._good_until = 0.0

    def read(self) -> list[tuple[str, str, int]]:
        """(workflow, state, number), as old as counting took, times `_SPACING`; never older than `_OLDEST` seconds."""
        with self._lock:
            began = time.monotonic()
            if began >= self._good_until:
                self._kept = queries.count_by_type_and_state()
                now = time.monotonic()
                self._good_until = now + min((now - began) * _SPACING, _OLDEST)
            return self._kept


counts = Counts()


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus reads: how things stand now, from rows, and what happened to runs, from their figures.

    With `METRICS_TOKEN` set it asks for that as a bearer token, else for nothing: the proxy keeps it from the internet.
    """
    if settings.METRICS_TOKEN and not _shows_token(request):
        answer = HttpResponse("a bearer token is needed\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    try:
        exposition = Exposition(counts.read(), queries.read_gauges(), queries.read_metrics())
    except DatabaseError:
        log.warning("metrics could not be read", exc_info=True)
        return HttpResponse("the database is unreachable\n", status=503, content_type="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(exposition)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _shows_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)


@extend_schema(exclude=True)
class UnknownPath(APIView):
    """Every path below /api/ that is none: a problem, also where Django would show its debug page."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> NoReturn:
        hint = "" if request.path.endswith("/") else "; paths end with a slash"
        raise NotFound(f"There is no such path{hint}.")


urlpatterns: list[URLPattern] = [
    path("", RedirectView.as_view(url="/admin/")),
    path("health/live", live),
    path("health/ready", ready),
    path("metrics", metrics),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    # After every other path of the API.
    re_path(r"^api/", UnknownPath.as_view()),
]
