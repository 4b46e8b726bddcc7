"""How far the energy of one channel in one window may be off, gain aside. Pure.

Errors that differ from trial to trial, since its phase against the sensor does, come from sampling; others are the same
in every trial.
"""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

from joulemark.suite.energy.aliasing import worst_unevenness
from joulemark.suite.energy.integration import Curve, Window

MAX_SAMPLES = 1000
"""Samples folded by a step, at most. Over more, both neighbours of an aliased period would drift through the step, and
the aliased period between them would be missed; and folding a day of samples takes half a minute a reading."""
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
    spread_w = (max(powers) - min(powers)) * (resolution_s / length_s if 0 < length_s < resolution_s else 1.0)
    if curve.is_counter:
        share = min(max((time_s - curve.t_s[i - 1]) / interval_s, 0.0), 1.0)
        return curve.time_error_s * max(powers), (lag_error_s + share * (1 - share) * interval_s) * spread_w
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
    return worst_unevenness(step_s, period_s, share * period_s, samples)


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
