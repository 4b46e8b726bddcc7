"""The window that all ranks were in, on ranks whose steps are known."""

from __future__ import annotations

import pytest

from joulemark.suite.trial.ranks.common_window import RanksApartError, common_window, joined, steps_within


def rank(start: float, step_s: float, steps: int, per_block: int = 2, items_per_step: int = 10) -> dict:
    """Return a rank that took `steps` steps from `start` on, each of the same duration."""
    return {
        "window": (start, start + step_s * steps),
        "steps": steps,
        "items": steps * items_per_step,
        "steps_per_block": per_block,
        "block_s": (step_s * per_block,) * (steps // per_block),
        "first_call_s": step_s,
        "last_step": start + step_s * steps,
        "peak_memory_bytes": {"host": 100, "device": None},
        "device": "cpu",
        "own_s": step_s / 2,
        "environment": {},
    }


def test_the_common_window_is_the_intersection():
    assert common_window([(1.0, 5.0), (2.0, 6.0), (0.5, 4.5)]) == (2.0, 4.5)


def test_ranks_apart_have_none():
    with pytest.raises(RanksApartError):
        common_window([(1.0, 2.0), (2.0, 3.0)])


def test_steps_are_counted_up_to_the_ends_and_a_cut_block_by_its_share():
    steady = rank(10.0, 0.1, 20)
    assert steps_within(steady, (10.0, 12.0)) == pytest.approx(20)
    assert steps_within(steady, (10.5, 11.1)) == pytest.approx(6)
    assert steps_within(steady, (11.95, 20.0)) == pytest.approx(0.5)


def test_rates_are_added_up_over_ranks_of_unlike_speed():
    """100 and 200 items a second: 300 together, however their windows lie."""
    trial = joined([rank(10.0, 0.1, 40), rank(10.5, 0.05, 60)])
    start, end = trial["window"]
    assert (start, end) == pytest.approx((10.5, 13.5))
    assert trial["items"] / (end - start) == pytest.approx(300, abs=0.5 / (end - start))
    assert [each["rank"] for each in trial["ranks"]] == [0, 1]
    assert [each["own_s"] for each in trial["ranks"]] == [0.05, 0.025]
    assert sum(trial["block_s"]) <= end - start
    assert trial["peak_memory_bytes"] == {"host": 200, "device": None}
