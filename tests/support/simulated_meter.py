"""Meters of a simulated energy counter, and the true energy of their windows."""

from __future__ import annotations

import numpy as np

import joulemark

SENSOR = "simulated:rapl/telegraph"
"""A counter whose power switches at random."""
HALF_PERIOD_S = 0.0005
"""Half an update period of the counter: its value stands for that much earlier than the sensor sample."""


def meter(name: str = "meter", **arguments) -> joulemark.Meter:
    return joulemark.Meter(name, zone="CH", sensor=SENSOR, **arguments)


def true_energies_j(run_file: joulemark.RunFile) -> list[float]:
    """Return the energy of each trial's window, joules, interpolated in the trace of the file."""
    (trace,) = run_file.traces
    counter = next(channel for channel in trace.channels if channel.unit == "J")
    windows_s = [trial.window_s for trial in run_file.cases[0].trials]
    ends_j = np.interp(windows_s, np.array(trace.t_s) - HALF_PERIOD_S, counter.values)
    return list(ends_j[:, 1] - ends_j[:, 0])
