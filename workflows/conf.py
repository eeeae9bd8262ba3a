"""The engine's settings, typed, with their defaults. The only reader of `settings.WORKFLOWS`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Each field is a key of `settings.WORKFLOWS` in capitals."""

    #: Dotted path of the Celery app that carries hints; empty = none (tests, commands without a broker).
    celery_app: str = ""
    #: Whether results of tasks stand where every process finds them; without that no chord can join.
    chords: bool = False
    #: How long a silent process keeps its runs.
    lease: timedelta = timedelta(seconds=10)
    #: How long an activity may take that declares no time-out of its own.
    activity_timeout: timedelta = timedelta(minutes=10)
    #: Consecutive crashes without progress after which a run is held.
    poison_crashes: int = 5
    #: How long a run may be due without a living process that has its code, before it is held as `code_missing`.
    code_missing_after: timedelta = timedelta(minutes=5)
    #: How long a driver keeps a run while others wait.
    slice: timedelta = timedelta(seconds=5)
    #: How many suspended runs a process keeps in memory, so that coming back costs no replay.
    suspended_runs: int = 200
    #: Most runs one wake or sweep takes at once.
    wake_batch: int = 500
    #: Secret of the history's keyed hashes and of input digests; never stored in the database.
    history_key: str = ""
    #: Secrets of sensitive fields, newest first; older ones still decrypt.
    encryption_keys: tuple[str, ...] = ()
    #: Append-only file that keeps the heads of histories, so that a cut tail shows; empty = no seals.
    seal_file: str = ""
    #: Redis that keeps the figures of `workflows.metrics`; empty = a table. Names in it begin with the prefix.
    redis_url: str = ""
    redis_prefix: str = "workflows"
    #: Largest stored input of a run, in bytes.
    max_input_bytes: int = 256 * 1024
    #: Acts that need a second person (a later release enforces it; until then the permission alone decides).
    four_eyes: tuple[str, ...] = ("terminate", "compensate_completed", "resolve_step", "reveal", "batch")
    #: Whether fault points can be armed: test settings only.
    faults: bool = False
    #: Whether workflow code that asks for the clock, chance, threads or an event loop is stopped: tests and dev.
    guard: bool = False


@cache
def _load() -> EngineSettings:
    given: dict[str, Any] = dict(getattr(django_settings, "WORKFLOWS", {}))
    known = {field.name.upper(): field.name for field in fields(EngineSettings)}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ImproperlyConfigured(f"unknown WORKFLOWS setting(s): {', '.join(unknown)}")
    values: dict[str, Any] = {
        known[key]: tuple(value) if isinstance(value, list) else value for key, value in given.items()
    }
    return EngineSettings(**values)


def engine() -> EngineSettings:
    """The engine's settings; cached, and read anew when a test changes them."""
    return _load()


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "WORKFLOWS":
        _load.cache_clear()


setting_changed.connect(_forget)
