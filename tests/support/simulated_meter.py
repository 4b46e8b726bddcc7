"""Meters of a simulated counter, and the joules that its trace says their windows took."""

from __future__ import annotations

import numpy as np

import joulemark

SENSOR = "simulated:rapl/telegraph"
"""A counter under a load that goes up and down at random."""


def meter(name: str = "meter", **more) -> joulemark.Meter:
    return joulemark.Meter(name, zone="CH", sensor=SENSOR, **more)


def true_j(run_file: joulemark.RunFile) -> list[float]:
    """Joules of each trial's window, from the counter in the trace of the file."""
    (trace,) = run_file.traces
    channel = next(channel for channel in trace.channels if channel.unit == "J")
    at = np.interp([t.window_s for t in run_file.cases[0].trials], np.array(trace.t_s) - 0.0005, channel.values)
    return list(at[:, 1] - at[:, 0])
