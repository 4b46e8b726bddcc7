"""The energy and emissions of one call, from the windows of many. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joulemark import Amount, Measurement, Reading

UPDATES_NEEDED = 50.0
"""A window of fewer updates of its sensor is below resolution: each end is uncertain by up to one update. Windows of
`joulemark run` are made for as many too, and pass with two fewer."""
KINDS = ("counter", "integrated", "model", "unavailable")
"""Strongest first."""

Quantity = dict[str, Any]
"""`value`, `low`, `high` (the sensors' interval), `kind`, `lower_bound`, `reason`."""


@dataclass(frozen=True)
class CallEnergy:
    """The energy and emissions of one call."""

    energy: Quantity
    """In joules."""
    emissions: Quantity
    """In grams of CO2-equivalent."""
    calls: int
    """Number of calls that were measured."""
    window_s: float
    """Length of all windows together, seconds."""
    details: Mapping[str, Any]
    """`power_w`, `sensors`, `source`, `scope`, `intensity`, `notices`."""

    @property
    def extra_info(self) -> dict[str, Any]:
        """For pytest-benchmark's `extra_info`."""
        window = {"calls": self.calls, "window_s": self.window_s}
        return {"energy_j": self.energy, "emissions_g": self.emissions, "joulemark": {**window, **self.details}}

    @property
    def explanation(self) -> list[str]:
        """Lines for the terminal: where the energy comes from, and what may make it misleading; none without energy."""
        if self.energy["value"] is None:
            return []
        marks = [
            "~ is an estimate from load and rated power, not a measurement" if self.energy["kind"] == "model" else "",
            f"≥ lacks a component; {self.energy['reason']}" if self.energy["lower_bound"] else "",
        ]
        covered = f"Energy: {self.details['source']}; {self.details['scope']}."
        return [covered, *filter(None, marks), *self.details["notices"]]


def call_energy(windows: Sequence[Measurement], calls: int) -> CallEnergy:
    """Return the mean of `calls` calls that were made in `windows`, which contain nothing else."""
    if not windows:
        return unmeasured("the function was not called")
    too_short = next((reason for window in windows if (reason := _below_resolution(window, len(windows)))), None)
    power_w = _mean_power_w(windows)
    first = windows[0]
    return CallEnergy(
        energy=_per_call([window.energy for window in windows], calls, too_short),
        emissions=_per_call([window.emissions for window in windows], calls, too_short),
        calls=calls,
        window_s=sum(window.duration_s for window in windows),
        details={
            "power_w": None if too_short else power_w,
            "sensors": ", ".join(dict.fromkeys(r.sensor for window in windows for r in _attributed(window))),
            "source": "; ".join(dict.fromkeys(window.source for window in windows)),
            "scope": first.scope,
            "intensity": first.intensity,
            "notices": list(dict.fromkeys(notice for window in windows for notice in window.notices)),
        },
    )


def required_length_s(window: Measurement) -> float:
    """Return how long `window` must be for its slowest sensor, seconds. Longer does not improve an estimate."""
    periods_s = [reading.tick_s for reading in _attributed(window) if reading.tick_s and reading.kind != "model"]
    return UPDATES_NEEDED * max(periods_s, default=0.0)


def _below_resolution(window: Measurement, count: int) -> str | None:
    """Return why one of `count` windows is too short; None if it is long enough."""
    required_s = required_length_s(window)
    if window.duration_s >= required_s:
        return None
    subject = "each call, between which setup or teardown runs, takes" if count > 1 else "the window is"
    return f"below resolution: {subject} {window.duration_s:.3g} s, and the sensor needs {required_s:.3g} s"


def _attributed(window: Measurement) -> list[Reading]:
    return [reading for reading in window.readings if reading.attributed and reading.energy_j is not None]


def _mean_power_w(windows: Sequence[Measurement]) -> float | None:
    return _ratio([window.energy.value for window in windows], sum(window.duration_s for window in windows))


def _per_call(amounts: Sequence[Amount], calls: int, too_short: str | None) -> Quantity:
    """Return the sum of `amounts` over `calls`: of the weakest kind, and unknown if one of them is."""
    reasons = "; ".join(dict.fromkeys(amount.reason for amount in amounts if amount.reason)) or None
    unknown = too_short or (reasons or "not measured" if any(amount.value is None for amount in amounts) else None)
    if unknown:
        return _unknown(unknown)
    return {
        "value": _ratio([amount.value for amount in amounts], calls),
        "low": _ratio([amount.low for amount in amounts], calls),
        "high": _ratio([amount.high for amount in amounts], calls),
        "kind": max((amount.kind for amount in amounts), key=KINDS.index),
        "lower_bound": any(amount.lower_bound for amount in amounts),
        "reason": reasons,
    }


def _ratio(values: Sequence[float | None], divisor: float) -> float | None:
    """Return the sum of `values` over `divisor`; None if one of them is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) / divisor if len(known) == len(values) else None


def unmeasured(reason: str) -> CallEnergy:
    """Return the result for a call that could not be measured."""
    details: dict[str, Any] = {
        "power_w": None,
        "sensors": "",
        "source": "not measured",
        "scope": "nothing was measured",
        "intensity": {},
        "notices": [],
    }
    return CallEnergy(_unknown(reason), _unknown(reason), 0, 0.0, details)


def _unknown(reason: str) -> Quantity:
    ends = {"value": None, "low": None, "high": None}
    return {**ends, "kind": "unavailable", "lower_bound": False, "reason": reason}
