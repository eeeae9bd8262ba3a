"""The timeline picture of a run: one bar per step, an axis in time. Pure geometry; the template draws it as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.admin.presentation import moment, pair, span
from workflows.contracts import AttemptView, StepView
from workflows.core.status import StepKind, StepStatus

WIDTH = 1000
_LABELS = 270
_RIGHT = 40
_TOP = 30
_ROW = 26
_BAR = 12
_THINNEST = 3.0
_TICKS = 6
#: More bars than this say nothing any more; the newest are shown.
MOST_STEPS = 60

COLOURS: dict[str, str] = {
    StepStatus.SCHEDULED: "#94a3b8",
    StepStatus.RUNNING: "#2563eb",
    StepStatus.COMPLETED: "#16a34a",
    StepStatus.FAILED: "#dc2626",
    StepStatus.TIMED_OUT: "#b91c1c",
    StepStatus.CANCELLED: "#6b7280",
}
UNDO_COLOUR = "#ea580c"
#: Time that only passes: sleeps and waits.
WAIT_COLOUR = "#7c3aed"
_WAITS = frozenset({StepKind.TIMER, StepKind.WAIT})
_STEPS_OF_AXIS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
    7200, 14400, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a row that is coloured; all figures are texts ready for SVG."""

    x: str
    y: str
    width: str
    height: str
    colour: str
    title: str
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A step's line: its label and its bars."""

    y: str
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Bracket:
    """A mark beside rows whose steps run side by side."""

    x: str
    y: str
    height: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis."""

    x: str
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture; `left_out` steps are older than the first row."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    height: int
    left_out: int
    begins: str
    lasts: str
    brackets: tuple[Bracket, ...] = ()
    #: Whether a row is of time that only passes.
    has_waits: bool = False
    width: int = WIDTH
    top: int = _TOP
    text_x: int = _LABELS - 12


class _Scale:
    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin = begin
        self.seconds = max((end - begin).total_seconds(), 0.001)

    def x(self, at: datetime) -> float:
        share = (at - self.begin).total_seconds() / self.seconds
        return _LABELS + min(max(share, 0.0), 1.0) * (WIDTH - _LABELS - _RIGHT)


def draw(steps: Sequence[StepView], *, begin: datetime, end: datetime) -> Timeline | None:
    """The picture of the steps between two moments; None when there is no step."""
    if not steps:
        return None
    shown = list(steps)[-MOST_STEPS:]
    left_out = len(steps) - len(shown)
    if left_out:
        begin = min(step.scheduled_at for step in shown)
    scale = _Scale(begin, max([end, *(step.settled_at for step in shown if step.settled_at is not None)]))
    rows = tuple(_row(number, step, scale, end) for number, step in enumerate(shown))
    return Timeline(
        rows=rows,
        ticks=tuple(_ticks(scale)),
        height=_TOP + _ROW * len(rows) + 10,
        left_out=left_out,
        begins=moment(begin),
        lasts=span(timedelta(seconds=scale.seconds)),
        brackets=tuple(_brackets(shown)),
        has_waits=any(step.kind in _WAITS for step in shown),
    )


def _brackets(shown: Sequence[StepView]) -> Iterator[Bracket]:
    """One for each gather of which several steps are shown; its steps were asked for together and stand together."""
    for batch in dict.fromkeys(step.batch for step in shown if step.batch is not None):
        rows = [number for number, step in enumerate(shown) if step.batch == batch]
        if len(rows) < 2:
            continue
        top, bottom = _TOP + _ROW * rows[0] + 4, _TOP + _ROW * (rows[-1] + 1) - 4
        title = f"{pair(len(rows), 'step')} side by side"
        yield Bracket(str(_LABELS - 7), str(top), str(bottom - top), title)


def _row(number: int, step: StepView, scale: _Scale, now: datetime) -> Row:
    top = _TOP + _ROW * number
    until = step.settled_at or now
    asked = WAIT_COLOUR if step.kind in _WAITS else COLOURS[StepStatus.SCHEDULED]
    waiting = _bar(scale, top, step.scheduled_at, until, asked, _title(step), faint=True)
    bars = [waiting]
    for attempt in step.tries:
        if attempt.started_at is not None:
            colour = _attempt_colour(step, attempt)
            ended = attempt.ended_at or until
            bars.append(_bar(scale, top, attempt.started_at, ended, colour, _attempt_title(step, attempt, ended)))
    if not step.tries and step.status != StepStatus.SCHEDULED:
        bars.append(_bar(scale, top, step.scheduled_at, until, _colour(step), _title(step)))
    return Row(y=f"{top + _ROW / 2 + 4:.1f}", label=_label(step), bars=tuple(bars))


def _bar(
    scale: _Scale, top: int, start: datetime, end: datetime, colour: str, title: str, *, faint: bool = False
) -> Bar:
    left = scale.x(start)
    width = max(scale.x(end) - left, _THINNEST)
    left = min(left, WIDTH - _RIGHT - width)
    return Bar(f"{left:.1f}", f"{top + (_ROW - _BAR) / 2:.1f}", f"{width:.1f}", str(_BAR), colour, title, faint)


def _label(step: StepView) -> str:
    name = step.name if step.undoes is None and step.kind != StepKind.COMPENSATION else f"undo: {step.name}"
    text = f"{step.seq} {name}"
    return text if len(text) <= 38 else text[:37] + "…"


def _colour(step: StepView) -> str:
    if step.kind == StepKind.COMPENSATION and step.status == StepStatus.COMPLETED:
        return UNDO_COLOUR
    if step.kind in _WAITS and step.status == StepStatus.COMPLETED:
        return WAIT_COLOUR
    return COLOURS[step.status]


def _attempt_colour(step: StepView, attempt: AttemptView) -> str:
    return COLOURS[StepStatus.FAILED] if attempt.error is not None else _colour(step)


def _title(step: StepView) -> str:
    return f"{step.name}: {step.status}, asked for at {moment(step.scheduled_at)}"


def _attempt_title(step: StepView, attempt: AttemptView, ended: datetime) -> str:
    assert attempt.started_at is not None
    how = f"failed ({attempt.error.get('code')})" if attempt.error is not None else step.status
    return f"{step.name}, attempt {attempt.number}: {how}, took {span(ended - attempt.started_at)}"


def _ticks(scale: _Scale) -> list[Tick]:
    size = next((step for step in _STEPS_OF_AXIS if scale.seconds / step <= _TICKS), _STEPS_OF_AXIS[-1])
    offsets = [size * number for number in range(int(scale.seconds / size) + 1)][: _TICKS * 4]
    return [_tick(scale, timedelta(seconds=offset)) for offset in offsets]


def _tick(scale: _Scale, offset: timedelta) -> Tick:
    return Tick(f"{scale.x(scale.begin + offset):.1f}", span(offset) if offset else "0")
