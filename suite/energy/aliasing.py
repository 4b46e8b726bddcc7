"""Where in its step a load is looked at by a sensor that looks away for a part of the time. Pure.

A sensor looks for a while in each of its cycles. Folded by the time of one step, its looks may cover the step evenly,
or fall on one part of it again and again: with steps as long as the cycle, as a half, as two or as two thirds of it.
"""

from __future__ import annotations

CYCLE_ERROR = 0.005
"""A sensor's cycle is known to within this share of itself (`suite.sensors.update_period`)."""
CYCLES_TRIED = 21
"""As many within this error: over 100 looks, neighbours among them drift apart by a twentieth of a cycle."""
NEAR = 0.125
"""Steps that last as long as the cycle to within this share of it: step times vary, and some may keep pace."""
UNEVEN = 0.1
"""From here on a reader must know: that share of the difference between a step's high and low power may be misread."""


def unevenness(step_s: float, cycle_s: float, look_s: float, looks: int) -> float:
    """By how much the looks miss an even cover of the step, as a share of it: 0 for even, 1 - look / cycle at worst.

    It is the distance of Kuiper ("Tests concerning random points on a circle", 1960) between when the sensor looked and
    when the load ran, folded by `step_s`. A step whose power is high once and low once is misread by no more than this
    times the difference between high and low (Koksma's inequality, on a circle).
    """
    changes: list[tuple[float, float]] = []
    density = 0.0  # of looks less that of the load, at the beginning of the step

    def add(begin_s: float, length_s: float, weight: float) -> None:
        nonlocal density
        begin_s, (whole, rest_s) = begin_s % step_s, divmod(length_s, step_s)
        changes.extend(((begin_s, weight), ((begin_s + rest_s) % step_s, -weight)))
        density += weight * (whole + (begin_s + rest_s >= step_s))

    for look in range(looks):
        add((look + 1) * cycle_s - look_s, look_s, 1 / look_s)
    add(0.0, looks * cycle_s, -1 / cycle_s)
    ahead = most = least = at_s = 0.0
    for time_s, change in sorted(changes):
        ahead += density * (time_s - at_s)
        density, at_s = density + change, time_s
        most, least = max(most, ahead), min(least, ahead)
    return (most - least) / looks


def worst_unevenness(step_s: float, cycle_s: float, look_s: float, looks: int) -> float:
    """The greatest unevenness for cycles about `cycle_s`, which is not quite known: little decides on keeping pace."""
    errors = (CYCLE_ERROR * (2 * n / (CYCLES_TRIED - 1) - 1) for n in range(CYCLES_TRIED))
    return max(unevenness(step_s, cycle_s * (1 + error), look_s, looks) for error in errors)


def is_aliased(step_s: float, cycle_s: float, uneven: float) -> bool:
    """Whether the looks fall on a part of each step, or may do so when step times change a little."""
    return uneven > UNEVEN or abs(cycle_s / step_s - 1) <= NEAR
