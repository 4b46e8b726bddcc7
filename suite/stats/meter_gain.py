"""What a meter of the whole machine shows of the gain of other sensors, from the windows of runs that had it. Pure.

A sensor of the same extent is compared directly: its gain is the meter's power over its own. Of a part of the machine
the meter gives an upper limit. What the part drew is at most what the meter showed less what others drew, in each
window; and the machine's power rises by more than the part's does, since conversion, fans and memory add to it. A lower
limit would need to know these.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.energy.components import MACHINE, component_named
from joulemark.suite.energy.whole_machine.share import MEASURED, parts_of
from joulemark.suite.records import Channel, EnergyReading, GainCalibration, RunFile
from joulemark.suite.stats.intervals import CONFIDENCE, t_quantile

MIN_WINDOWS: Final = 4
MIN_SPREAD: Final = 1.2
"""Highest over lowest power from which the rise of the machine's power with a part's is looked at."""
LEAST_GAIN, MOST_GAIN = 1e-3, 1e3
Key = tuple[str, str, str]
"""Sensor, component, scope."""


@dataclass(frozen=True)
class Comparison:
    """A sensor and the meter in one window."""

    run: str
    power_w: float
    """What the sensor reported, watts."""
    meter_w: float
    most_w: float
    """The most that the machine drew, by the meter's interval, watts."""
    others_w: float
    """What the other parts reported, watts."""
    least_others_w: float
    """The least that they drew, watts."""


def gain_calibrations(
    runs: Sequence[RunFile], meter: str, machine: str, made_at: str
) -> tuple[list[GainCalibration], list[str]]:
    """Return a record for each sensor that was read beside `meter`, and why there is none for others.

    Args:
        runs: Runs of one machine.
        meter: The sensor of the whole machine, such as `plug`.
        machine: What stands for this machine (`suite.sensors.calibrations.this_machine`).
        made_at: ISO 8601, UTC.
    """
    comparisons = _comparisons(runs, meter)
    traces = [trace for run in runs for trace in run.traces if not trace.simulated]
    channels = {(t.sensor, c.component, c.scope): c for t in reversed(traces) for c in reversed(t.channels)}
    reference = next((channel for (sensor, *_), channel in channels.items() if sensor == meter), None)
    records, reasons = [], []
    for key, pairs in comparisons.items():
        name = " ".join(key)
        if reference is None or key not in channels:
            reasons.append(f"{name}: its trace is not in the run")
        elif len(pairs) < MIN_WINDOWS:
            reasons.append(f"{name}: {len(pairs)} windows with both, and it takes {MIN_WINDOWS}")
        else:
            records.append(_record(key, channels[key], reference, meter, pairs, machine, made_at))
    return records, reasons


def _record(
    key: Key,
    channel: Channel,
    reference: Channel,
    meter: str,
    pairs: Sequence[Comparison],
    machine: str,
    made_at: str,
) -> GainCalibration:
    sensor, component, scope = key
    same_extent = component == MACHINE
    rise = None if same_extent else machine_w_per_w(pairs, reference.gain)
    if same_extent:
        gain = _ratio_limits(pairs, reference.gain)
    else:
        highest = _upper_limit(pairs, rise, is_model=channel.kind == "model")
        gain = min(channel.gain[0], highest), highest
    powers_w = [pair.power_w for pair in pairs]
    return GainCalibration(
        sensor=sensor,
        component=component,
        scope=scope,
        call=channel.call,
        machine=machine,
        made_at=made_at,
        meter=f"{meter} ({reference.call})",
        meter_identity=reference.identity,
        meter_gain=reference.gain,
        same_extent=same_extent,
        gain=gain,
        machine_w_per_w=rise,
        load_w=(min(powers_w), max(powers_w)),
        windows=len(pairs),
        runs=tuple(dict.fromkeys(pair.run for pair in pairs)),
    )


def _comparisons(runs: Sequence[RunFile], meter: str) -> dict[Key, list[Comparison]]:
    """Return what each other sensor reported beside `meter`, one for each window of idle and of trials."""
    comparisons: dict[Key, list[Comparison]] = defaultdict(list)
    for run in runs:
        for length_s, readings in _windows(run):
            whole = next((r for r in readings if r.sensor == meter and r.component == MACHINE and r.energy_j), None)
            if whole is None or length_s <= 0:
                continue
            for each in _comparable(readings, meter):
                others = [part for part in parts_of(readings) if part is not each]
                comparisons[each.sensor, each.component, each.scope].append(
                    Comparison(
                        run=run.run.id,
                        power_w=(each.energy_j or 0.0) / length_s,
                        meter_w=(whole.energy_j or 0.0) / length_s,
                        most_w=(whole.high_j or whole.energy_j or 0.0) / length_s,
                        others_w=sum(part.energy_j or 0.0 for part in others) / length_s,
                        least_others_w=sum(part.low_j or 0.0 for part in others) / length_s,
                    )
                )
    return comparisons


def _windows(run: RunFile) -> Iterator[tuple[float, Sequence[EnergyReading]]]:
    for idle in run.idle:
        yield idle.window_s[1] - idle.window_s[0], idle.energy
    for case in run.cases:
        for trial in case.trials:
            if trial.window_s is not None:
                yield trial.window_length_s, trial.energy


def _comparable(readings: Sequence[EnergyReading], meter: str) -> list[EnergyReading]:
    """Return the readings of parts, of other sensors of the whole machine, and of models."""
    return [
        r
        for r in readings
        if r.energy_j
        and r.sensor != meter
        and (r.component == MACHINE or component_named(r.component).charged)
        and (r.kind in MEASURED or r.kind == "model")
    ]


def _ratio_limits(pairs: Sequence[Comparison], meter_gain: tuple[float, float]) -> tuple[float, float]:
    """Return the limits that the ratio of one more window is within, 95 %, times those of the meter."""
    ratios = [pair.meter_w / pair.power_w for pair in pairs]
    n = len(ratios)
    half = t_quantile((1 + CONFIDENCE) / 2, n - 1) * statistics.stdev(ratios) * math.sqrt(1 + 1 / n)
    mean = statistics.fmean(ratios)
    return _clipped((mean - half) * meter_gain[0]), _clipped((mean + half) * meter_gain[1])


def machine_w_per_w(pairs: Sequence[Comparison], meter_gain: tuple[float, float]) -> tuple[float, float] | None:
    """Return by how many watts the machine's power rises for one of the sensor's: 95 %, with the meter's limits.

    What other parts reported is subtracted first. None where the load hardly varied, or the power did not rise with it.
    """
    powers_w = [pair.power_w for pair in pairs]
    rest_w = [pair.meter_w - pair.others_w for pair in pairs]
    if len(pairs) < MIN_WINDOWS or max(powers_w) < MIN_SPREAD * min(powers_w):
        return None
    slope, intercept = statistics.linear_regression(powers_w, rest_w)
    residuals = [y - slope * x - intercept for x, y in zip(powers_w, rest_w, strict=True)]
    mean_w, degrees = statistics.fmean(powers_w), len(pairs) - 2
    squares = math.fsum((x - mean_w) ** 2 for x in powers_w)
    error = math.sqrt(math.fsum(residual**2 for residual in residuals) / degrees / squares)
    half = t_quantile((1 + CONFIDENCE) / 2, degrees) * error
    if slope - half <= 0:
        return None
    return _clipped((slope - half) * meter_gain[0]), _clipped((slope + half) * meter_gain[1])


def _upper_limit(pairs: Sequence[Comparison], rise: tuple[float, float] | None, is_model: bool) -> float:
    """Return the most that true over reported can be of a part.

    A sensor's gain is the same in all windows, so the window that allows least decides. A model's is not: the one that
    allows most does, and how the machine's power rises says nothing of an offset.
    """
    limits = [(pair.most_w - pair.least_others_w) / pair.power_w for pair in pairs]
    if is_model:
        return _clipped(max(limits))
    return _clipped(min([*limits, *([rise[1]] if rise is not None else [])]))


def _clipped(gain: float) -> float:
    return min(max(gain, LEAST_GAIN), MOST_GAIN)
