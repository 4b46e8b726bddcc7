"""A simulated board whose true joules are known: runs of trials in two arms, with the noise of real sensors and loads.

The sensors are those of `suite.sensors.simulated`, and the noise within a trial is that of `simulated_loads`; both name
their sources. What differs between trials is here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from joulemark.suite.energy.publication_lag import with_publication_lags
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import EnergyReading, Trace
from joulemark.suite.sensors import simulated
from joulemark.suite.sensors.base import Sensor
from joulemark.suite.sensors.simulated import SENSOR_SPECS, SensorSpec
from joulemark.suite.sensors.simulated_loads import H200_NOISE, LoadNoise, PowerProfile, noisy_steps

ARMS = ("a", "b")
IDLE_W = 120.0
"""Of an H200 with a program's context resident: 118 to 122 W, which drifts by 2 % in five minutes."""
READ_JITTER_S = 0.0005
"""Reads come up to this late."""
PERIOD_ERROR = 0.0004
"""Standard deviation of the measured update period: 99.96 ms was found for 100.00 ms on the H200."""


@dataclass(frozen=True)
class Machine:
    """A kind of sensor, and what its trials cost."""

    name: str
    spec: SensorSpec
    read_s: float
    """Time between two reads, seconds."""
    guard_s: float
    """The load goes on for this long before and after a window, seconds (`suite.plan.plan`)."""
    start_s: tuple[float, float]
    """From the end of a trial's load to the load of the next, seconds: shortest and longest."""
    power_w: float
    """Mean power of the load. An H200 draws 141 W while it decodes token by token: not so much more than idle that the
    end of a trial would show the publication lag."""

    def trial_s(self, window_s: float) -> float:
        """Return the duration of a trial, seconds."""
        return window_s + 2 * self.guard_s + sum(self.start_s) / 2


GPU_START_S = (3.0, 4.4)
"""Between two trials on the H200, in the second round of its run: 8.4 to 10.6 s from start to start, of which 5 s were
the window and 2.4 s the guard times; the rest of the longest is first calls."""
CPU_START_S = (0.7, 1.3)
"""A fork, the build and the first call of an eager CPU case, 0.7 s by the plan, and its warm-up of 0.3 s."""
SLOW_READ_S = 0.64
"""On the H200, a read takes 3.4 ms of CPU time: the sampler reads it more seldom, so as not to disturb."""

MACHINES: dict[str, Machine] = {
    machine.name: machine
    for machine in (
        Machine("RAPL, 1 ms", simulated.RAPL, Sensor.period_s, 0.15, CPU_START_S, 150.0),
        Machine("RAPL, filtered", SENSOR_SPECS["rapl-filtered"], Sensor.period_s, 0.15, CPU_START_S, 150.0),
        Machine("H200 counter, 100 ms", simulated.H200, SLOW_READ_S, 1.2, GPU_START_S, 550.0),
        Machine("H200 counter, low load", simulated.H200, SLOW_READ_S, 1.2, GPU_START_S, 141.0),
        Machine("counter, 25 of 100 ms", SENSOR_SPECS["a100"], Sensor.period_s, 1.2, GPU_START_S, 350.0),
        Machine("instant, 10 of 20 ms", SENSOR_SPECS["v100-instant"], Sensor.period_s, 1.2, GPU_START_S, 250.0),
        Machine("instant, 25 of 100 ms", SENSOR_SPECS["hopper-instant"], Sensor.period_s, 1.2, GPU_START_S, 550.0),
        Machine("average over 1 s", SENSOR_SPECS["hopper-average"], Sensor.period_s, 1.2, GPU_START_S, 550.0),
    )
}


@dataclass(frozen=True)
class SimulatedTrial:
    """A window, its readings, and what is true of it."""

    readings: tuple[EnergyReading, ...]
    window_s: tuple[float, float]
    steps: int
    true_j: float

    @property
    def measured_j(self) -> float | None:
        """What the sensor gives for the window; None where it gives nothing."""
        return next((reading.energy_j for reading in self.readings if reading.kind != "unavailable"), None)


def simulated_run(
    machine: Machine,
    window_s: float,
    rounds: int,
    rng: np.random.Generator,
    more_power: float = 0.0,
    step_s: float | None = None,
    noise: LoadNoise = H200_NOISE,
) -> list[tuple[SimulatedTrial, SimulatedTrial]]:
    """Return the trials of both arms of a run, round by round; the order within a round alternates, as in `ab`.

    Args:
        machine: Its sensor and the times around a window.
        window_s: Length of a window, to whole steps, seconds.
        rounds: Number of rounds.
        rng: Source of all that is random.
        more_power: By how much arm B draws more, a share.
        step_s: Duration of a step, seconds; drawn between 5 and 80 ms if None.
        noise: That of the load.
    """
    step_s = step_s or float(np.exp(rng.uniform(math.log(0.005), math.log(0.08))))
    steps = max(1, round(window_s / step_s))
    widths, powers, windows, ends_s = [np.array([4.0])], [np.array([IDLE_W])], [], []
    now_s = 4.0
    for number in range(rounds):
        for arm in (0, 1) if number % 2 == 0 else (1, 0):
            drift = 1 + 0.02 * math.sin(now_s / 300 * math.pi)
            load_s = 2 * machine.guard_s + steps * step_s
            power_w = machine.power_w * drift * (1 + more_power * arm)
            for width, power in (
                noisy_steps(rng, load_s, power_w, step_s, noise),
                (np.array([rng.uniform(*machine.start_s)]), np.array([IDLE_W * drift])),
            ):
                widths.append(width)
                powers.append(power)
            begin_s = now_s + machine.guard_s + rng.uniform(0, step_s)
            windows.append((number, arm, (begin_s, begin_s + steps * step_s)))
            ends_s.append(now_s + load_s)
            now_s += load_s + float(widths[-1][0])
    points = np.concatenate([[0.0], np.cumsum(np.concatenate([*widths, [4.0]]))])
    load = PowerProfile("run", tuple(points.tolist()), tuple(np.concatenate([*powers, [IDLE_W]]).tolist()))
    traces = with_publication_lags([_trace(machine, load, rng)], ends_s, method="the end of the last step of trials")
    trials = {
        (number, arm): SimulatedTrial(
            readings=compute_readings(traces, window, "cpu", step_s=step_s),
            window_s=window,
            steps=steps,
            true_j=float(np.diff(load.energy_j(window))[0]),
        )
        for number, arm, window in windows
    }
    return [(trials[number, 0], trials[number, 1]) for number in range(rounds)]


def _trace(machine: Machine, load: PowerProfile, rng: np.random.Generator) -> Trace:
    """Return what the sampler records of `load`, at random phases of the sensor and of its reads."""
    times_s = np.arange(rng.uniform(0.01, machine.read_s), load.t_s[-1], machine.read_s)
    times_s = times_s + rng.uniform(0.0, READ_JITTER_S, times_s.shape)
    phase_s = rng.uniform(0.0, machine.spec.update_period_s)
    power_w, counter_j = simulated.simulate(machine.spec, load, times_s, phase_s, int(rng.integers(2**31)))
    channel = simulated.channels(machine.spec)[0]
    values: Sequence[float] = (counter_j if channel.unit == "J" else power_w).tolist()
    found_s = machine.spec.update_period_s * (1 + rng.normal(0.0, PERIOD_ERROR))
    channel = channel.model_copy(update={"values": tuple(values), "tick_s": found_s})
    return Trace(sensor="simulated", simulated=True, t_s=tuple(times_s.tolist()), channels=(channel,))
