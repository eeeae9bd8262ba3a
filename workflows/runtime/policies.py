"""The options a step was asked for with, kept on its row: a worker that runs one attempt does not know the code."""

from __future__ import annotations

import json
import pkgutil
from dataclasses import replace
from datetime import timedelta
from typing import Any

from workflows.core import payloads
from workflows.core.definitions import Activity
from workflows.core.retry import Retry

#: Options that bound an attempt in time.
BOUNDS = ("timeout", "heartbeat", "schedule_to_start")


def stored(activity: Activity[..., Any]) -> str:
    """An activity's options as text for its step's row."""
    options, retry = activity.options_, activity.options_.retry
    data: dict[str, Any] = {
        "retry": [retry.max_attempts, retry.initial, retry.backoff, retry.maximum, retry.jitter],
        "non_retryable": [f"{error.__module__}.{error.__qualname__}" for error in retry.non_retryable],
    }
    data |= {name: value.total_seconds() for name in BOUNDS if (value := getattr(options, name)) is not None}
    return payloads.dumps(data)


def restored(activity: Activity[..., Any], text: str | None) -> Activity[..., Any]:
    """The registered activity with the options that its step was asked for with."""
    if text is None:
        return activity
    data = json.loads(text)
    most, initial, backoff, maximum, jitter = data["retry"]
    final = tuple(error for name in data["non_retryable"] if (error := _error_class(name, activity)) is not None)
    retry = Retry(
        max_attempts=most, initial=initial, backoff=backoff, maximum=maximum, jitter=jitter, non_retryable=final
    )
    times: dict[str, Any] = {name: timedelta(seconds=data[name]) if name in data else None for name in BOUNDS}
    return activity.with_options(replace(activity.options_, retry=retry, **times))


def start_within(text: str | None) -> timedelta | None:
    """How long a step waits for a worker at most, if that is bounded."""
    seconds = json.loads(text).get("schedule_to_start") if text is not None else None
    return timedelta(seconds=seconds) if seconds is not None else None


def _error_class(name: str, activity: Activity[..., Any]) -> type[BaseException] | None:
    """The class by its name; one that a module hides, or that is gone, is taken from the activity's own policy."""
    for known in activity.options_.retry.non_retryable:
        if f"{known.__module__}.{known.__qualname__}" == name:
            return known
    try:
        found = pkgutil.resolve_name(name)  # it also finds a class inside another
    except (ImportError, AttributeError, ValueError):
        return None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
