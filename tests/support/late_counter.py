"""The trace of a counter that is published late, around loads whose begin and end are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from joulemark.suite.records import Trace
from joulemark.suite.sensors import simulated
from joulemark.suite.sensors.base import Sensor
from joulemark.suite.sensors.simulated import SensorSpec
from joulemark.suite.sensors.simulated_loads import PowerProfile

IDLE_W, LOAD_W, LAG_S = 120.0, 690.0, 0.1
SPEC = SensorSpec("late", 0.1, 0.1, counter=True, power=False, publication_lag_s=LAG_S)


def late_trace(loads: Sequence[tuple[float, float]]) -> Trace:
    """Return the trace of `loads`, pairs of begin and end in seconds, and of four seconds after the last."""
    borders = [0.0, *(border for load in loads for border in load), loads[-1][1] + 4.0]
    load = PowerProfile("loads", tuple(borders), (IDLE_W, *(LOAD_W, IDLE_W) * len(loads)))
    times_s = np.arange(0.01, borders[-1], Sensor.period_s)
    _, counter_j = simulated.simulate(SPEC, load, times_s, phase_s=0.03)
    channel = simulated.channels(SPEC)[0].model_copy(update={"values": tuple(counter_j.tolist())})
    return Trace(sensor="simulated", simulated=True, t_s=tuple(times_s.tolist()), channels=(channel,))
