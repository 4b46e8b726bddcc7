"""One number of a case, with its uncertainty and origin."""

from __future__ import annotations

from joulemark.suite.records.base import Count, Limits, Record, Value
from joulemark.suite.records.energy import Kind


class Ranges(Record):
    """Factors (low, high) by which the sensor, the intensity and the PUE may be off.

    They are separate from `Quantity.low` and `.high`, which are the spread between trials and nothing else. None if
    that uncertainty does not affect the value, or is unknown.
    """

    sensor: Limits | None = None
    """Gain and sampling of the sensors: the second part narrows with the number of trials."""
    gain: Limits | None = None
    """The part of `sensor` that is the sensors' gain: the same in all trials, and in all cases on one device."""
    intensity: Limits | None = None
    pue: Limits | None = None


class Quantity(Record):
    """One number of a case, with its uncertainty and origin."""

    value: Value | None
    """Geometric mean over trials, in `unit`; None, with a reason, if not measured."""
    low: Value | None = None
    """Lower end of the 95 % interval between trials; None at n = 1."""
    high: Value | None = None
    unit: str
    n: Count
    """Number of trials that it is the mean of."""
    kind: Kind | None = None
    """Kind of the energy in it; None if it depends on the clock alone."""
    lower_bound: bool = False
    """Whether part of the energy is missing."""
    reason: str | None = None
    """Why `value` is None, or why there is no interval; None if there is nothing to say."""
    ranges: Ranges = Ranges()
