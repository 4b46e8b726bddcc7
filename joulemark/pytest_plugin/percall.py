"""Windows of calls -> joules and grams of one call, each with what it must carry. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joulemark import Amount, Measurement

UPDATES_NEEDED = 50.0
"""A window of fewer updates of its sensor is below resolution: each border is uncertain by up to one update. Those of
`joulemark run` are made for as many too, and pass with two fewer."""
KINDS = ("counter", "integrated", "model", "unavailable")
"""Best first."""

Quantity = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What one call took."""

    energy: Quantity
    """`value` (J), `low`, `high` (the sensors' interval), `kind`, `lower_bound`, `reason`."""
    emissions: Quantity
    """The same in grams of CO2-equivalent."""
    calls: int
    window_s: float
    """Seconds of all windows together."""
    details: Mapping[str, Any]

    @property
    def info(self) -> dict[str, Any]:
        """For `extra_info`."""
        window = {"calls": self.calls, "window_s": self.window_s}
        return {"energy_j": self.energy, "emissions_g": self.emissions, "joulemark": {**window, **self.details}}

    @property
    def lines(self) -> list[str]:
        """For people: what the joules are of, and what could make them mislead."""
        marks = [
            "~ is an estimate from load and rated power, no measurement" if self.energy["kind"] == "model" else "",
            f"≥ lacks a part: {self.energy['reason']}" if self.energy["lower_bound"] else "",
        ]
        of = f"{self.details['sensors'] or 'no sensor'}: {self.details['scope']}"
        return [of, *filter(None, marks), *self.details["notices"]]


def outcome(windows: Sequence[Measurement], calls: int) -> Outcome:
    """Of `calls` calls in `windows`, which hold nothing else."""
    if not windows:
        return nothing("the function was not called")
    below = next((reason for window in windows if (reason := _below_resolution(window, len(windows)))), None)
    power_w = _power_w(windows)
    first = windows[0]
    return Outcome(
        energy=_per_call([window.energy for window in windows], calls, below),
        emissions=_per_call([window.emissions for window in windows], calls, below),
        calls=calls,
        window_s=sum(window.duration_s for window in windows),
        details={
            "power_w": None if below else power_w,
            "sensors": ", ".join(dict.fromkeys(r.sensor for window in windows for r in window.attributed_readings)),
            "scope": first.scope,
            "intensity": first.intensity,
            "notices": list(dict.fromkeys(notice for window in windows for notice in window.notices)),
        },
    )


def needed_s(window: Measurement) -> float:
    """How long the window must be for its slowest sensor, seconds. An estimate gains nothing by length."""
    ticks = [reading.tick_s for reading in window.attributed_readings if reading.tick_s and reading.kind != "model"]
    return UPDATES_NEEDED * max(ticks, default=0.0)


def _below_resolution(window: Measurement, count: int) -> str | None:
    wanted_s = needed_s(window)
    if window.duration_s >= wanted_s:
        return None
    each = "each call, between which setup or teardown runs, takes" if count > 1 else "the window is"
    return f"below resolution: {each} {window.duration_s:.3g} s, and the sensor needs {wanted_s:.3g} s"


def _power_w(windows: Sequence[Measurement]) -> float | None:
    values = [window.energy.value for window in windows]
    known = [value for value in values if value is not None]
    return sum(known) / sum(window.duration_s for window in windows) if len(known) == len(values) else None


def _per_call(amounts: Sequence[Amount], calls: int, below: str | None) -> Quantity:
    """The sum of `amounts` over `calls`: of the weakest kind, and unknown where one of them is."""
    reasons = "; ".join(dict.fromkeys(amount.reason for amount in amounts if amount.reason)) or None
    unknown = below or (reasons or "not measured" if any(amount.value is None for amount in amounts) else None)
    if unknown:
        return _unknown(unknown)
    return {
        "value": _mean([amount.value for amount in amounts], calls),
        "low": _mean([amount.low for amount in amounts], calls),
        "high": _mean([amount.high for amount in amounts], calls),
        "kind": max((amount.kind for amount in amounts), key=KINDS.index),
        "lower_bound": any(amount.lower_bound for amount in amounts),
        "reason": reasons,
    }


def _mean(values: Sequence[float | None], calls: int) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / calls if len(known) == len(values) else None


def nothing(reason: str) -> Outcome:
    """What there is where nothing could be measured."""
    details: dict[str, Any] = {
        "power_w": None,
        "sensors": "",
        "scope": "nothing was measured",
        "intensity": {},
        "notices": [],
    }
    return Outcome(_unknown(reason), _unknown(reason), 0, 0.0, details)


def _unknown(reason: str) -> Quantity:
    ends = {"value": None, "low": None, "high": None}
    return {**ends, "kind": "unavailable", "lower_bound": False, "reason": reason}
