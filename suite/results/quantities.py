"""Numbers of a case over its trials, with their intervals, kinds and reasons. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from joulemark.suite.energy.attribution import CaseEnergy
from joulemark.suite.records import Quantity, Ranges
from joulemark.suite.stats.intervals import geometric_mean

ONE_TRIAL: Final = "n=1, no interval"
_Sample = TypeVar("_Sample")


def timed_quantity(trials: Sequence[_Sample], unit: str, value: Callable[[_Sample], float]) -> Quantity:
    """Return the mean of a quantity that depends on time alone; `value` gives that of one trial."""
    mean = geometric_mean([value(trial) for trial in trials])
    reason = ONE_TRIAL if mean.n == 1 else None
    return Quantity(value=mean.value, low=mean.low, high=mean.high, unit=unit, n=mean.n, reason=reason)


def energy_quantity(energy: CaseEnergy, unit: str, values: Sequence[float]) -> Quantity:
    """Return the mean of `values`, one for each trial of `energy`; no value, with the reason, without any trial."""
    if not energy.trials:
        return unknown(unit, "; ".join(energy.excluded))
    mean = geometric_mean(values)
    reasons = [ONE_TRIAL] if mean.n == 1 else []
    if energy.missing:
        reasons.append("not measured: " + "; ".join(energy.missing))
    if energy.excluded:
        reasons.append("trials left out: " + "; ".join(energy.excluded))
    return Quantity(
        value=mean.value,
        low=mean.low,
        high=mean.high,
        unit=unit,
        n=mean.n,
        kind=energy.kind,
        lower_bound=bool(energy.missing),
        reason="; ".join(reasons) or None,
        ranges=Ranges(sensor=energy.sensor_range, gain=energy.gain_range),
    )


def unknown(unit: str, reason: str) -> Quantity:
    """Return an energy, or what follows from it, without a value and with the reason."""
    return Quantity(value=None, unit=unit, n=0, kind="unavailable", reason=reason)


def scaled(quantity: Quantity, factor: float, unit: str, **ranges: tuple[float, float] | None) -> Quantity:
    """Return `quantity` times a constant, with the constant's range added to its ranges."""
    if quantity.value is None:
        return quantity.model_copy(update={"unit": unit})
    return quantity.model_copy(
        update={
            "value": quantity.value * factor,
            "low": None if quantity.low is None else quantity.low * factor,
            "high": None if quantity.high is None else quantity.high * factor,
            "unit": unit,
            "ranges": quantity.ranges.model_copy(update=ranges),
        }
    )
