"""Simulated sensors, whose true energy is known: for trying the whole chain and measuring its errors.

`--sensor simulated:a100/square` is the sensor of an A100 under load `square`. Its values are always labelled simulated.
The sensors follow Yang, Adamek, Armour, "Accurate and Convenient Energy Measurements for GPUs", SC24 (arXiv
2312.02741).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from joulemark.suite.errors import unknown
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions
from joulemark.suite.sensors.simulated_loads import Array, PowerProfile, constant, ramp, square, telegraph


@dataclass(frozen=True)
class SensorSpec:
    """The behaviour of a simulated sensor."""

    name: str
    update_period_s: float
    boxcar_s: float
    """The interval that each update averages over, seconds: shorter than the update period if the sensor observes only
    a part of the time."""
    counter: bool
    power: bool
    true_gain: float = 1.0
    """Reported over true energy."""
    error_range: tuple[float, float] = (1.0, 1.0)
    """True over reported energy as its vendor states it, low and high: what readings are made with."""
    limit_w: float | None = None
    """Its power limit, watts; None if it does not report one."""
    noise_w: float = 0.0
    """Standard deviation of one power value, watts."""
    resets_s: tuple[float, ...] = ()
    """When the counter starts again from 0, seconds since the sensor's start."""
    publication_lag_s: float = 0.0
    """From the moment of an update to when it can be read, seconds."""


SENSOR_SPECS: Mapping[str, SensorSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            SensorSpec("rapl", 0.001, 0.001, counter=True, power=False, error_range=(0.95, 1.05)),
            SensorSpec("full", 0.1, 0.1, counter=True, power=True, true_gain=0.957, error_range=(0.95, 1.06)),
            SensorSpec("hopper-average", 0.1, 1.0, counter=False, power=True, error_range=(0.95, 1.06)),
            SensorSpec("hopper-instant", 0.1, 0.025, False, True, error_range=(0.95, 1.06), limit_w=700.0),
            SensorSpec("a100", 0.1, 0.025, True, True, true_gain=0.945, error_range=(0.95, 1.06), limit_w=400.0),
        )
    }
)

LOADS: Mapping[str, Callable[[SensorSpec], PowerProfile]] = MappingProxyType(
    {
        "constant": lambda _: constant(),
        "ramp": lambda _: ramp(),
        "square": lambda spec: square(spec.update_period_s),
        "telegraph": lambda _: telegraph(),
    }
)
"""Loads by name. The square wave has the sensor's update period: the worst case of aliasing."""


def simulate(
    spec: SensorSpec, load: PowerProfile, t_s: Array, phase_s: float = 0.0, seed: int = 0
) -> tuple[Array, Array]:
    """Return what the sensor shows at times `t_s`: power (W) and counter (J), each of the shape of `t_s`.

    Updates are at `phase_s` plus multiples of the update period, and can be read after the publication lag. Each power
    value is the mean over the boxcar that ends with its update. The counter adds each value times the update period: if
    the sensor observes only a part of the time, the counter is no better than its samples.
    """
    import numpy as np

    k = np.floor((np.asarray(t_s) - spec.publication_lag_s - phase_s) / spec.update_period_s).astype(np.int64)
    first = int(k.min())
    updates_s = phase_s + spec.update_period_s * np.arange(first, int(k.max()) + 1)
    power = (load.energy_j(updates_s) - load.energy_j(updates_s - spec.boxcar_s)) / spec.boxcar_s * spec.true_gain
    if spec.noise_w:
        power = power + np.random.default_rng([seed, first & 0x7FFFFFFF]).normal(0.0, spec.noise_w, power.shape)
    counter = load.energy_j(updates_s) * spec.true_gain
    if spec.boxcar_s < spec.update_period_s:
        counter = np.cumsum(power) * spec.update_period_s
    for reset_s in spec.resets_s:
        after = updates_s >= reset_s
        counter = np.where(after, counter - np.interp(reset_s, updates_s, counter), counter)
    return power[k - first], counter[k - first]


def channels(spec: SensorSpec, load: str = "") -> tuple[Channel, ...]:
    """Return the sensor's channels. They stand for the CPU package: a case on the CPU is charged with them."""
    common: dict[str, Any] = {
        "component": "package",
        "scope": f"simulated {spec.name}",
        "tick_s": spec.update_period_s,
        "coverage": min(1.0, spec.boxcar_s / spec.update_period_s),
        "limit_w": spec.limit_w,
        "gain": spec.error_range,
        "source": f"simulated sensor {spec.name} under load {load}",
    }
    counter = [Channel(unit="J", kind="counter", **common)] if spec.counter else []
    power = [Channel(unit="W", kind="integrated", average_s=spec.boxcar_s, **common)] if spec.power else []
    return (*counter, *power)


class SimulatedSensor(Sensor):
    """A sensor under a load that begins when it is opened."""

    name = "simulated"
    simulated = True

    def __init__(self, spec: SensorSpec, load: PowerProfile) -> None:
        super().__init__(channels(spec, load.name))
        self._spec = spec
        self._load = load
        self._begin_s = time.monotonic()
        self._last_s = 0.0
        self._counter_j = 0.0

    def read(self) -> list[float | None]:
        now_s = time.monotonic() - self._begin_s
        # Two times: a counter that is a sum over updates continues from the last read.
        (_, power), (before, after) = simulate(self._spec, self._load, [self._last_s, now_s])
        self._counter_j += max(0.0, float(after - before))
        self._last_s = now_s
        values = {"J": self._counter_j, "W": float(power)}
        return [values[channel.unit] for channel in self.channels]


def parse(argument: str) -> tuple[SensorSpec, str]:
    """Return the sensor and the load's name in `a100/square`, by default `constant`. Raises UsageError if unknown."""
    name, _, load = argument.partition("/")
    if name not in SENSOR_SPECS:
        raise unknown("simulated sensor", name, SENSOR_SPECS)
    if (load or "constant") not in LOADS:
        raise unknown("simulated load", load, LOADS)
    return SENSOR_SPECS[name], load or "constant"


def check(argument: str) -> None:
    """Raise UsageError if `argument` names an unknown sensor or load."""
    parse(argument)


def find(options: SensorOptions) -> FindResult:
    """Start the simulation."""
    spec, load = parse(options.argument)
    reason = f"simulated sensor {spec.name} under load {load}"
    finding = Finding("simulated", found=True, readable=True, reason=reason, tick_s=spec.update_period_s)
    return FindResult(SimulatedSensor(spec, LOADS[load](spec)), (finding,))
