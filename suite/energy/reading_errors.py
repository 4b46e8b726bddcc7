"""Whether the energy of one channel in one window is known, and how far it may be off, gain aside. Pure.

Errors that differ from trial to trial, since its phase against the sensor does, come from sampling; others are the same
in every trial.
"""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

from joulemark.suite.energy.aliasing import worst_unevenness
from joulemark.suite.energy.integration import LATE_UPDATES, Curve, Window
from joulemark.suite.energy.plausibility import most_in_words
from joulemark.suite.units import counted

MAX_SAMPLES = 1000
"""Samples folded by a step, at most. Over more, both neighbours of an aliased period would drift through the step, and
the aliased period between them would be missed; and folding a day of samples takes half a minute a reading."""
INSTANT_S = 1e-6
"""Windows shorter than this are as uncertain as one of this length."""
STUCK_S = 1.0
"""Hardware that is on draws power: a counter that has not moved for longer does not count."""
STUCK_W = 1e-9
"""A counter that has not moved, up to the rounding error between two equal reads."""
GAP_NEIGHBOURS = 3
"""Samples on either side of a gap that its power is compared with."""
GAP_SHARE = 0.05
"""Both sides of a gap agree if what they differ by is at most this share of the window's energy."""
MAX_LEFT_OUT = 0.25
"""A sensor that shows nonsense more often than this is not believed."""
MAX_POWER_FACTOR = 5.0
"""Where no power limit is known: about the most that a GPU draws, over what it draws while it waits for work."""


def border_errors_j(curve: Curve, window_s: Window) -> tuple[float, float]:
    """Return the errors from both ends of the window, joules: from sampling, and what repeats in every trial.

    From sampling, half an update; in every trial alike, where power steps, the publication lag and what interpolation
    makes of the step.
    """
    errors = [_border_errors_j(curve, time_s, window_s[1] - window_s[0]) for time_s in window_s]
    return sum(sampling_j for sampling_j, _ in errors), sum(repeated_j for _, repeated_j in errors)


def _border_errors_j(curve: Curve, time_s: float, length_s: float) -> tuple[float, float]:
    powers = _powers_near_w(curve, time_s)
    i = curve.index(time_s)
    interval_s = curve.t_s[i] - curve.t_s[i - 1]
    lag = curve.channel.publication_lag
    lag_error_s = (curve.update_period_s or 0.0) / 2 if lag is None else lag.error_s
    # A load that is shorter than this shows only as the mean over it.
    resolution_s = 2 * interval_s if curve.is_counter else curve.channel.average_s
    spread_w = (max(powers) - min(powers)) * (
        resolution_s / max(length_s, INSTANT_S) if length_s < resolution_s else 1.0
    )
    if curve.is_counter:
        # A slow counter goes on beyond its first and last update at the power next to them.
        beyond_s = max(curve.t_s[0] - time_s, time_s - curve.t_s[-1]) if curve.update_period_s else 0.0
        time_error_s = max(curve.time_error_s, min(beyond_s, LATE_UPDATES * (curve.update_period_s or 0.0)))
        share = min(max((time_s - curve.t_s[i - 1]) / interval_s, 0.0), 1.0)
        return time_error_s * max(powers), (lag_error_s + share * (1 - share) * interval_s) * spread_w
    averages_s = (interval_s + curve.channel.average_s) / 8 if lag is None else interval_s / 4
    return curve.time_error_s * spread_w, (lag_error_s + averages_s) * spread_w


def _powers_near_w(curve: Curve, time_s: float) -> list[float]:
    i = curve.index(time_s)
    reads = 2 + round(curve.channel.average_s / curve.read_period_s) if curve.read_period_s else 2
    near = range(max(1, i - reads), min(len(curve.t_s), i + reads + 1))
    return [curve.slope(j) if curve.is_counter else curve.values[j] for j in near]


def unobserved_error_j(curve: Curve, window_s: Window) -> float:
    """Return the error from the time that the sensor does not observe, joules: 95 % of the mean of its samples.

    Samples that resemble their neighbours count for fewer: n (1 - r) / (1 + r), r their correlation (Bayley and
    Hammersley, "The effective number of independent observations in an autocorrelated time series", 1946).
    """
    unobserved = 1 - curve.observed_share
    powers = curve.powers_w(window_s)
    length_s = window_s[1] - window_s[0]
    if unobserved <= 0 or not powers:
        return 0.0
    if len(powers) < 4:
        if shows_moments(curve):  # then those next to the window count too
            powers = curve.powers_w((window_s[0] - curve.read_period_s, window_s[1] + curve.read_period_s))
        return unobserved * length_s * (max(powers) - min(powers))
    mean_w = statistics.fmean(powers)
    variance = statistics.fmean((p - mean_w) ** 2 for p in powers)
    if variance == 0:
        return 0.0
    products = statistics.fmean((p - mean_w) * (q - mean_w) for p, q in pairwise(powers))
    correlation = min(max(products / variance, 0.0), 0.95)
    count = max(2.0, len(powers) * (1 - correlation) / (1 + correlation))
    quantile = 1.96 + 2.5 / count  # about Student's t at 97.5 % for `count` degrees of freedom
    return quantile * math.sqrt(unobserved * variance / count) * length_s


def sampling_unevenness(curve: Curve, window_s: Window, step_s: float | None) -> float:
    """Return how unevenly the sensor observes a load whose steps take `step_s` (`suite.energy.aliasing`).

    0 for a sensor that observes all the time, or where nothing is known of steps.
    """
    period_s, share = curve.sample_period_s, curve.observed_share
    if not step_s or period_s <= 0 or not 0 < share < 1:
        return 0.0
    samples = min(max(1, round((window_s[1] - window_s[0]) / period_s)), MAX_SAMPLES)
    return max(worst_unevenness(step_s, each, share * period_s, samples) for each in sample_periods_s(curve))


def sample_periods_s(curve: Curve) -> set[float]:
    """Return the periods that steps may alias with, seconds: of samples, and of updates that are read less often.

    Whenever it is read, a value is of an update: 20 ms apart, they alias with steps of 20 ms.
    """
    update_s = curve.update_period_s or 0.0
    is_seen = update_s > curve.observed_share * curve.sample_period_s
    return {curve.sample_period_s, update_s} if is_seen else {curve.sample_period_s}


def aliasing_error_j(curve: Curve, window_s: Window, step_s: float | None, unevenness: float) -> tuple[float, float]:
    """Return how far below and above the observed energy the true one may lie, joules, for uneven samples.

    This is `unevenness` times the difference between a step's highest and lowest power. Power that was never observed
    lies between nothing and the most that can be drawn. Samples longer than a step show averages, and nothing of that
    difference.
    """
    powers = curve.powers_w(window_s)
    if not step_s or unevenness <= 0 or not powers:
        return 0.0, 0.0
    mean_w, spread_w = statistics.fmean(powers), max(powers) - min(powers)
    most_w = curve.channel.limit_w or MAX_POWER_FACTOR * mean_w
    resolves_steps = curve.observed_share * curve.sample_period_s < step_s
    below_w = max(mean_w, spread_w) if resolves_steps else max(most_w, mean_w)
    uneven_s = unevenness * (window_s[1] - window_s[0])
    return uneven_s * below_w, uneven_s * max(most_w - mean_w, spread_w)


def unknown_reason(curve: Curve, window_s: Window, samples: int) -> str | None:
    """Return why the energy in the window is not known; None where it is."""
    if len(left_out_s(curve, window_s)) > MAX_LEFT_OUT * samples:
        return "too many to believe the others"
    reason = curve.coverage_gap(window_s) or _stuck(curve, window_s)
    if reason is None and shows_moments(curve) and samples < 2:
        return f"below resolution: it has {counted(samples, 'sample')}, and they are {curve.read_period_s:.3g} s apart"
    if reason is None and (gap_j := gap_error_j(curve, window_s)) > GAP_SHARE * curve.energy_j(window_s):
        return f"power before that and after it differs, by {gap_j:.3g} J over the gap"
    return reason


def shows_moments(curve: Curve) -> bool:
    """Return whether nothing is known of the power between two samples, as of a meter's rows."""
    return curve.channel.component == "machine" and not curve.is_counter and curve.observed_share == 0


def _stuck(curve: Curve, window_s: Window) -> str | None:
    """Return why a counter that did not move is not used; None where it moved. No hardware that is on draws nothing."""
    length_s = window_s[1] - window_s[0]
    if not curve.is_counter or length_s <= 0 or curve.energy_j(window_s) > STUCK_W * length_s:
        return None
    if length_s < STUCK_S:
        return f"the counter did not move in {length_s:.3g} s: it is stuck, or the window is below its resolution"
    return f"the counter did not move for {length_s:.1f} s: it is stuck"


def interruptions(curve: Curve, window_s: Window, samples: int) -> list[str]:
    """Return in words which of the window's `samples` were left out, and whether the counter was interrupted."""
    texts = []
    if left_out := len(left_out_s(curve, window_s)):
        of = f"{left_out} of {samples} samples left out"
        texts.append(f"{of}: hardware that draws at most {most_in_words(curve.channel)} cannot have shown them")
    if resets := len(_resets_s(curve, window_s)):
        texts.append(f"the counter was reset or jumped {counted(resets, 'time')} in the window")
    return texts


def left_out_s(curve: Curve, window_s: Window) -> list[float]:
    """Return the times in the window at which the sensor showed what its hardware cannot have shown, seconds."""
    return [time_s for time_s in curve.channel.implausible_s if window_s[0] <= time_s <= window_s[1]]


def _resets_s(curve: Curve, window_s: Window) -> list[float]:
    return [time_s for time_s in curve.channel.resets_s if window_s[0] <= time_s <= window_s[1]]


def gap_error_j(curve: Curve, window_s: Window) -> float:
    """Return how far the energy that is interpolated may be off, joules.

    In power samples that is where samples were left out; in a counter, which goes on counting meanwhile, only where it
    was reset or jumped.
    """
    at_s = _resets_s(curve, window_s) if curve.is_counter else left_out_s(curve, window_s)
    return sum(_gap_error_j(curve, i) for i in {curve.index(time_s) for time_s in at_s})


def _gap_error_j(curve: Curve, i: int) -> float:
    """Return what the power before and after the gap that ends at value `i` differs by, times its length."""
    near = range(max(0, i - GAP_NEIGHBOURS), min(len(curve.t_s), i + GAP_NEIGHBOURS))
    powers = [curve.slope(j) for j in near if j not in (0, i)] if curve.is_counter else [curve.values[j] for j in near]
    return (curve.t_s[i] - curve.t_s[i - 1]) * (max(powers) - min(powers)) if powers else 0.0
