"""Aliasing between the steps of a load and a sensor that observes only a part of the time. Pure.

Such a sensor observes for a while in each of its update periods. Folded by the duration of one step, its samples may
cover the step evenly, or hit the same part of it again and again: with steps as long as the period, half as long, twice
as long, or two thirds.
"""

from __future__ import annotations

PERIOD_ERROR = 0.005
"""A sensor's update period is known to within this share of itself (`suite.sensors.update_period`)."""
PERIODS_TRIED = 21
"""Periods tried within this error: over 100 samples, two neighbouring ones drift apart by a twentieth of a period."""
NEAR_PERIOD = 0.125
"""Steps that last as long as the period to within this share of it alias: step times vary, and some may match."""
UNEVENNESS_LIMIT = 0.1
"""Above this a reader must know: that share of the difference between a step's high and low power may be misread."""


def unevenness(step_s: float, period_s: float, sample_s: float, samples: int) -> float:
    """Return how far the samples are from covering a step evenly: 0 if evenly, 1 - sample / period at worst.

    This is the distance of Kuiper ("Tests concerning random points on a circle", 1960) between when the sensor observes
    and when the load runs, folded by `step_s`. For a step whose power is high once and low once the error is at most
    this times the difference between high and low (Koksma's inequality, on a circle).

    Args:
        step_s: Duration of one step of the load.
        period_s: Time from one sample to the next.
        sample_s: Time that one sample averages over.
        samples: Number of samples.
    """
    changes: list[tuple[float, float]] = []
    density = 0.0  # of the samples less that of the load, at the beginning of the step

    def add(begin_s: float, length_s: float, weight: float) -> None:
        nonlocal density
        begin_s, (whole_steps, rest_s) = begin_s % step_s, divmod(length_s, step_s)
        changes.extend(((begin_s, weight), ((begin_s + rest_s) % step_s, -weight)))
        density += weight * (whole_steps + (begin_s + rest_s >= step_s))

    for sample in range(samples):
        add((sample + 1) * period_s - sample_s, sample_s, 1 / sample_s)
    add(0.0, samples * period_s, -1 / period_s)
    difference = highest = lowest = at_s = 0.0
    for time_s, change in sorted(changes):
        difference += density * (time_s - at_s)
        density, at_s = density + change, time_s
        highest, lowest = max(highest, difference), min(lowest, difference)
    return (highest - lowest) / samples


def worst_unevenness(step_s: float, period_s: float, sample_s: float, samples: int) -> float:
    """Return the greatest unevenness for periods within `PERIOD_ERROR`: a small error decides whether steps alias."""
    errors = (PERIOD_ERROR * (2 * n / (PERIODS_TRIED - 1) - 1) for n in range(PERIODS_TRIED))
    return max(unevenness(step_s, period_s * (1 + error), sample_s, samples) for error in errors)


def is_aliased(step_s: float, period_s: float, step_unevenness: float) -> bool:
    """Return whether the samples hit the same part of each step, or may do so when step times change a little."""
    return step_unevenness > UNEVENNESS_LIMIT or abs(period_s / step_s - 1) <= NEAR_PERIOD
