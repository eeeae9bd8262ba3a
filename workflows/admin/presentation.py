"""Values as the console's text: moments, spans of time, JSON, and the colour of a state. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from workflows.core.status import RunStatus, StepStatus

#: The theme's label variants by state; what needs somebody is red.
RUN_COLOURS: dict[str, str] = {
    RunStatus.PENDING: "default",
    RunStatus.RUNNING: "info",
    RunStatus.WAITING: "primary",
    RunStatus.COMPENSATING: "warning",
    RunStatus.HELD: "danger",
    RunStatus.COMPLETED: "success",
    RunStatus.FAILED: "danger",
    RunStatus.COMPENSATED: "warning",
    RunStatus.CANCELLED: "default",
    RunStatus.TERMINATED: "danger",
    RunStatus.TIMED_OUT: "danger",
    RunStatus.CONTINUED: "success",
}
STEP_COLOURS: dict[str, str] = {
    "planned": "default",
    StepStatus.SCHEDULED: "default",
    StepStatus.RUNNING: "info",
    StepStatus.COMPLETED: "success",
    StepStatus.FAILED: "danger",
    StepStatus.TIMED_OUT: "danger",
    StepStatus.CANCELLED: "default",
}
ABSENT = "-"


def state_text(status: str, hold_reason: str | None) -> str:
    """A status in words; a held run names its reason."""
    text = status.replace("_", " ")
    return f"{text}: {hold_reason.replace('_', ' ')}" if hold_reason else text


def moment(at: datetime | None) -> str:
    """A time in UTC to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at is not None else ABSENT


def instant(at: datetime) -> str:
    """A time in UTC to the millisecond: events of one second keep their distance."""
    return at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def span(length: timedelta) -> str:
    """A length of time by its two largest units: 480 ms, 3.2 s, 2 min 5 s, 3 h 10 min, 4 d 2 h."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    for size, unit, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit}" + (f" {rest // below} {smaller}" if rest // below else "")
    raise AssertionError("a span of a minute or more has a unit")


def pretty(value: Any) -> str:
    """JSON for reading, indented; the value is already masked."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def pair(number: int, noun: str) -> str:
    """A number with its noun: `1 attempt`, `3 attempts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def error_text(error: dict[str, Any]) -> str:
    """A recorded error in one line, its stable code in brackets."""
    return f"{error['message']} ({error['code']})"


def money_text(amount: str, currency: str) -> str:
    """An amount with its thousands grouped, so that nobody counts zeros: `1,000,000.00 USD`."""
    try:
        return f"{Decimal(amount):,f} {currency}"
    except InvalidOperation:  # a masked amount
        return f"{amount} {currency}"


def amounts_text(amounts: tuple[dict[str, str], ...]) -> str:
    """Amounts of money as text: `100.00 USD, 5.00 EUR`."""
    return ", ".join(money_text(item["amount"], item["currency"]) for item in amounts)


def brief(value: Any, limit: int = 120) -> str:
    """JSON on one line, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def text_of(value: Any, limit: int = 400) -> str:
    """An answer in one line: a text as it is, anything else as JSON."""
    return brief(value, limit) if not isinstance(value, str) else value if len(value) <= limit else value[:limit] + "…"
