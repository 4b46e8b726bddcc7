"""Simulated sensors, whose true energy is known: for trying the whole chain and measuring its errors.

`--sensor simulated:a100/square` is the sensor of an A100 under load `square`. Its values are always labelled simulated.
The GPUs' sensors follow Yang, Adamek, Armour, "Accurate and Convenient Energy Measurements for GPUs", SC24 (arXiv
2312.02741); `h200` follows a log of a real one (`docs/results/h200-nvml-10hz.csv.gz`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from joulemark.suite.errors import unknown
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions
from joulemark.suite.sensors.simulated_loads import Array, PowerProfile, constant, ramp, square, steps, telegraph


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
    update_jitter_s: float = 0.0
    """Standard deviation of the time of an update about the multiple of the update period, seconds."""
    quantum_j: float = 0.0
    """What the counter counts in, joules; 0 for no rounding."""
    filtered: float = 0.0
    """Each increment of the counter is off by up to this share, at random."""


RAPL_QUANTUM_J: Final = 2.0**-14
"""61 microjoules: the energy unit of Intel's server processors (SDM 3B, 15.10.1)."""
RAPL_JITTER_S: Final = 0.00025
"""RAPL is updated about once a millisecond; how exactly is not specified. To keep the error below 5 %, it must not be
read more often than 20 times a second (Khan et al., "RAPL in Action", TOMPECS 3(2), 2018): both ends of 50 ms together
are off by up to 2.5 ms, an update each and 0.25 ms for either."""
FILTERED: Final = 0.5
"""With Intel's energy filtering, a countermeasure to power side channels, values differ from the truth by up to 50 %,
at random (green-coding.io, "RAPL, SGX and energy filtering"). That increments do so independently is assumed."""
H200_JITTER_S: Final = 0.00013
"""In the log, increments of 0.1 s vary by 0.15 to 0.21 % (standard deviation) when nothing runs: the difference of the
times of two updates, if power itself is constant."""
NVML_QUANTUM_J: Final = 0.001
"""NVML counts in millijoules."""
H200_LAG_S: Final = 0.015
"""The log's values are published within about 15 ms (`docs/power.md`)."""
INSTANT_NOISE_W: Final = 0.35
"""Instant power of the H200 varies by 0.32 to 0.36 W (standard deviation) when nothing runs."""
H200: Final = SensorSpec(
    "h200", 0.1, 0.1, counter=True, power=False, error_range=(0.95, 1.06), limit_w=700.0,
    quantum_j=NVML_QUANTUM_J, publication_lag_s=H200_LAG_S, update_jitter_s=H200_JITTER_S,
)  # fmt: skip
"""Its counter observes more than instants: for steps of 44 ms its increments vary by 5 %, instant power by 18 %."""
RAPL: Final = SensorSpec(
    "rapl", 0.001, 0.001, counter=True, power=False, error_range=(0.95, 1.05),
    quantum_j=RAPL_QUANTUM_J, update_jitter_s=RAPL_JITTER_S,
)  # fmt: skip

SENSOR_SPECS: Mapping[str, SensorSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            RAPL,
            replace(RAPL, name="rapl-filtered", filtered=FILTERED),
            H200,
            SensorSpec("v100-instant", 0.02, 0.01, False, True, error_range=(0.95, 1.06), noise_w=INSTANT_NOISE_W),
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
        "steps": lambda _: steps(),
    }
)
"""Loads by name. The square wave has the sensor's update period: the worst case of aliasing. Steps have the noise of a
real GPU."""
DRAWS: Final = 65_536
"""Updates before the random numbers of jitter and filter repeat: they belong to updates, whenever these are read."""


def simulate(
    spec: SensorSpec, load: PowerProfile, t_s: Array, phase_s: float = 0.0, seed: int = 0
) -> tuple[Array, Array]:
    """Return what the sensor shows at times `t_s`: power (W) and counter (J), each of the shape of `t_s`.

    Updates are at `phase_s` plus multiples of the update period, and can be read after the publication lag. Each power
    value is the mean over the boxcar that ends with its update. The counter adds each value times the update period: if
    the sensor observes only a part of the time, the counter is no better than its samples.
    """
    import numpy as np

    readable_s = np.asarray(t_s) - spec.publication_lag_s
    k = np.floor((readable_s - phase_s) / spec.update_period_s).astype(np.int64)
    margin = 1 if spec.update_jitter_s else 0
    first = int(k.min()) - margin
    numbers = np.arange(first, int(k.max()) + margin + 1)
    updates_s = phase_s + spec.update_period_s * numbers
    if spec.update_jitter_s:
        jitter_s = spec.update_jitter_s * _draws()[0][numbers % DRAWS]
        updates_s = updates_s + np.clip(jitter_s, -spec.update_period_s / 3, spec.update_period_s / 3)
        k = first - 1 + np.searchsorted(updates_s, readable_s, side="right")
    power = (load.energy_j(updates_s) - load.energy_j(updates_s - spec.boxcar_s)) / spec.boxcar_s * spec.true_gain
    if spec.noise_w:
        power = power + np.random.default_rng([seed, first & 0x7FFFFFFF]).normal(0.0, spec.noise_w, power.shape)
    return power[k - first], _counter_j(spec, load, updates_s, power, numbers)[k - first]


@cache
def _draws() -> tuple[Array, Array]:
    """Return the random numbers of updates: normal ones, and ones from -1 to 1."""
    import numpy as np

    rng = np.random.default_rng(1)
    return rng.standard_normal(DRAWS), rng.uniform(-1.0, 1.0, DRAWS)


def _counter_j(spec: SensorSpec, load: PowerProfile, updates_s: Array, power_w: Array, numbers: Array) -> Array:
    """Return the counter after each update, joules."""
    import numpy as np

    counter = load.energy_j(updates_s) * spec.true_gain
    if spec.filtered:
        shares = spec.filtered * _draws()[1][numbers % DRAWS]
        counter = counter + np.cumsum(np.diff(counter, prepend=counter[0]) * shares)
    if spec.boxcar_s < spec.update_period_s:
        counter = np.cumsum(power_w) * spec.update_period_s
    for reset_s in spec.resets_s:
        after = updates_s >= reset_s
        counter = np.where(after, counter - np.interp(reset_s, updates_s, counter), counter)
    return np.floor(counter / spec.quantum_j) * spec.quantum_j if spec.quantum_j else counter


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
