"""Pure parts of the console: spans of time, amounts, the geometry of the timeline."""

from datetime import UTC, datetime, timedelta

import pytest

from workflows.admin import timeline
from workflows.admin.presentation import instant, money_text, pair, span, state_text
from workflows.contracts import AttemptView, StepView

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "seconds,text",
    [
        (-1, "0 ms"), (0, "0 ms"), (0.48, "480 ms"), (1, "1 s"), (3.21, "3.2 s"), (59.99, "60.0 s".replace(".0", "")),
        (60, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (11400, "3 h 10 min"), (353000, "4 d 2 h"),
    ],
)  # fmt: skip
def test_a_span_is_told_by_its_two_largest_units(seconds, text):
    assert span(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    "amount,currency,text",
    [
        ("1000000.00", "USD", "1,000,000.00 USD"),
        ("-750000.00", "EUR", "-750,000.00 EUR"),
        ("0.00000001", "BTC", "0.00000001 BTC"),
        ("1000000000000.001", "KWD", "1,000,000,000,000.001 KWD"),
        ("500", "JPY", "500 JPY"),
        ("•••", "USD", "••• USD"),
    ],
)
def test_an_amount_is_grouped_and_keeps_every_digit(amount, currency, text):
    assert money_text(amount, currency) == text


def test_moments_of_one_second_keep_their_distance():
    assert instant(START + timedelta(milliseconds=7)) == "2026-01-05 12:00:00.007"


def test_a_number_agrees_with_its_noun():
    assert [pair(number, "undo") for number in (0, 1, 2)] == ["0 undos", "1 undo", "2 undos"]


def test_a_held_run_names_its_reason():
    assert state_text("held", "compensation_failed") == "held: compensation failed"
    assert state_text("timed_out", None) == "timed out"


def step(seq, began, ended=None, *, status="completed", tries=None, kind="activity", **more):
    at = START + timedelta(seconds=began)
    settled = START + timedelta(seconds=ended) if ended is not None else None
    if tries is None:
        tries = (AttemptView(1, at, settled, None),)
    return StepView(
        seq, kind, f"step_{seq}", status, len(tries), tries, "key", {}, None, None, None, at, at, settled, None, **more
    )


def drawn(*steps, seconds=100):
    return timeline.draw(steps, begin=START, end=START + timedelta(seconds=seconds))


def test_bars_stand_where_their_time_is():
    line = drawn(step(1, 0, 50), step(2, 50, 100))

    first, second = (row.bars[-1] for row in line.rows)
    assert float(first.x) + float(first.width) == pytest.approx(float(second.x), abs=0.2)
    assert float(first.width) == pytest.approx(float(second.width), abs=0.2)


def test_a_step_without_length_can_still_be_seen_inside_the_picture():
    line = drawn(step(1, 100, 100))

    bar = line.rows[0].bars[-1]
    assert float(bar.width) >= 3
    assert float(bar.x) + float(bar.width) <= line.width


def test_each_failed_attempt_is_a_red_bar():
    error = {"code": "down", "message": "down"}
    tries = tuple(AttemptView(n, START, START + timedelta(seconds=n), error) for n in (1, 2))

    line = drawn(step(1, 0, 50, status="failed", tries=tries))

    assert [bar.colour for bar in line.rows[0].bars[1:]] == [timeline.COLOURS["failed"]] * 2
    assert "attempt 2: failed (down)" in line.rows[0].bars[2].title


def test_an_undo_is_told_apart():
    line = drawn(step(1, 0, 10, kind="compensation"))

    assert line.rows[0].label.startswith("1 undo: ")
    assert line.rows[0].bars[-1].colour == timeline.UNDO_COLOUR


def test_steps_side_by_side_overlap_and_have_one_bracket():
    line = drawn(step(1, 0, 10), *(step(seq, 10, 50, batch=2) for seq in (2, 3, 4)), step(5, 50, 60))

    first, last = line.rows[1].bars[-1], line.rows[3].bars[-1]
    (bracket,) = line.brackets
    assert (first.x, first.width) == (last.x, last.width)
    assert bracket.title == "3 steps side by side"
    assert float(bracket.y) < float(first.y) < float(last.y) < float(bracket.y) + float(bracket.height)


def test_one_step_alone_is_not_side_by_side():
    assert drawn(step(1, 0, 10, batch=1), step(2, 0, 10)).brackets == ()


def test_time_that_only_passes_is_told_apart():
    line = drawn(step(1, 0, 50, kind="timer", tries=()), step(2, 0, None, kind="wait", status="scheduled", tries=()))

    done, open_ = line.rows
    assert line.has_waits
    assert [bar.colour for bar in done.bars] == [timeline.WAIT_COLOUR] * 2
    assert [(bar.colour, bar.faint) for bar in open_.bars] == [(timeline.WAIT_COLOUR, True)]


@pytest.mark.parametrize("seconds", [0, 0.004, 3, 100, 86400 * 400])
def test_the_axis_has_a_handful_of_ticks_whatever_the_length(seconds):
    line = drawn(step(1, 0, seconds), seconds=seconds)

    assert 1 <= len(line.ticks) <= 14


def test_a_long_run_shows_its_newest_steps():
    line = drawn(*(step(n, n, n + 1) for n in range(1, 101)))

    assert (len(line.rows), line.left_out) == (timeline.MOST_STEPS, 40)


def test_a_run_without_steps_has_no_picture():
    assert drawn() is None
