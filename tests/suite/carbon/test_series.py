"""Intensity over time: means, gaps, and the best window against brute force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.carbon.series import Point, Series, best_window, in_order, iso, parse_time

T0 = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def series(*values: float | None, start: datetime = T0, length: timedelta = HOUR) -> Series:
    points = [
        Point(start + i * length, start + (i + 1) * length, value)
        for i, value in enumerate(values)
        if value is not None
    ]
    return Series(in_order(points), "test", "CH", "lifecycle")


def test_mean_is_weighted_by_time() -> None:
    hourly = series(100, 200, 400)
    assert hourly.mean(T0, T0 + HOUR) == 100
    # half an hour at 100, one at 200, a quarter at 400
    assert hourly.mean(T0 + HOUR / 2, T0 + 2.25 * HOUR) == pytest.approx((50 + 200 + 100) / 1.75)


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2.5, 3.5), (0.5, 2.5), (1, 1), (2, 1)])
def test_mean_over_a_gap_is_refused(start: float, end: float) -> None:
    hourly = series(100, None, 300)
    with pytest.raises(ValueError, match="does not cover"):
        hourly.mean(T0 + start * HOUR, T0 + end * HOUR)


def test_gaps_take_the_nearest_value_from_both_sides() -> None:
    pieces = series(100, None, None, 300).pieces(T0 - HOUR, T0 + 5 * HOUR)
    values = [((p.start - T0) / HOUR, (p.end - T0) / HOUR, p.point.g_per_kwh, p.nearest) for p in pieces]
    assert values == [
        (-1, 0, 100, True),
        (0, 1, 100, False),
        (1, 2, 100, True),
        (2, 3, 300, True),
        (3, 4, 300, False),
        (4, 5, 300, True),
    ]


def test_corrected_rows_replace_earlier_ones_and_overlaps_are_cut() -> None:
    first = Point(T0, T0 + 2 * HOUR, 1.0)
    points = in_order([first, Point(T0 + HOUR, T0 + 2 * HOUR, 2.0), Point(T0, T0 + 2 * HOUR, 3.0)])
    assert [(point.end - T0, point.g_per_kwh) for point in points] == [(HOUR, 3.0), (2 * HOUR, 2.0)]


def test_best_window_may_start_between_hours() -> None:
    # 1.5 h: from half past one on, half an hour at 50 and an hour at 10.
    window = best_window(series(100, 50, 10, 100), 1.5 * HOUR, T0)
    assert (window.start, window.g_per_kwh) == (T0 + 1.5 * HOUR, pytest.approx((0.5 * 50 + 10) / 1.5))


def test_best_window_takes_the_earliest_of_equals() -> None:
    assert best_window(series(100, 50, 100, 50, 50), HOUR, T0).start == T0 + HOUR
    assert best_window(series(*[0.1] * 30), 7 * HOUR, T0 + timedelta(minutes=7)).start == T0 + timedelta(minutes=7)


def test_rounding_errors_do_not_decide() -> None:
    # Every window of three hours has the same three values; sums of them differ in the last digit.
    assert best_window(series(*[270.9, 265.4, 274.9] * 6), 3 * HOUR, T0).start == T0


def test_best_window_ends_within_the_forecast_and_before_the_limit() -> None:
    hourly = series(100, 90, 80, 10)
    assert best_window(hourly, 2 * HOUR, T0).end == T0 + 4 * HOUR
    assert best_window(hourly, 2 * HOUR, T0, T0 + 3.5 * HOUR).end == T0 + 3.5 * HOUR
    with pytest.raises(ValueError, match="no window fits"):
        best_window(hourly, 5 * HOUR, T0)
    with pytest.raises(ValueError, match="no window fits"):
        best_window(hourly, 2 * HOUR, T0, T0 + HOUR)


def test_best_window_does_not_cross_a_gap() -> None:
    assert best_window(series(100, 10, None, 5, 90), 2 * HOUR, T0).start == T0 + 3 * HOUR


values = st.lists(st.integers(0, 900), min_size=3, max_size=12)


@given(values, st.integers(10, 179), st.integers(0, 59))
def test_best_window_is_the_best_of_all_minutes(hours: list[int], minutes: int, after: int) -> None:
    hourly = series(*map(float, hours))
    length, earliest = timedelta(minutes=minutes), T0 + timedelta(minutes=after)
    end = T0 + len(hours) * HOUR
    starts = []
    start = earliest
    while start + length <= end:
        starts.append(start)
        start += timedelta(minutes=1)
    if not starts:
        return
    best = best_window(hourly, length, earliest)
    brute = min(hourly.mean(start, start + length) for start in starts)
    assert best.g_per_kwh == pytest.approx(brute, rel=1e-9, abs=1e-9)
    first = next(s for s in starts if hourly.mean(s, s + length) <= brute + 1e-9 * max(1, brute))
    assert best.start == first


@given(values, st.floats(0, 1), st.floats(0, 1))
def test_mean_is_the_sum_of_its_pieces(hours: list[int], u: float, v: float) -> None:
    hourly = series(*map(float, hours))
    span = len(hours) * HOUR
    start, end = sorted((T0 + u * span, T0 + v * span))
    if end - start < timedelta(seconds=1):
        return
    pieces = hourly.pieces(start, end)
    assert pieces[0].start == start
    assert pieces[-1].end == end
    assert not any(piece.nearest for piece in pieces)
    total = sum(piece.point.g_per_kwh * (piece.end - piece.start).total_seconds() for piece in pieces)
    assert hourly.mean(start, end) == pytest.approx(total / (end - start).total_seconds(), rel=1e-9, abs=1e-9)


def test_times() -> None:
    assert parse_time("2026-11-23T13:00:00.000+01:00") == T0
    assert iso(T0) == "2026-11-23T12:00:00Z"
    assert parse_time(iso(T0)) == T0
    with pytest.raises(ValueError, match="no offset"):
        parse_time("2026-11-23T12:00:00")
