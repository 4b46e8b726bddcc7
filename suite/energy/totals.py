"""Totals of a whole run: joules and grams over its windows and from end to end. Pure.

The results table ranks cases on one intensity. Here each stretch of the run gets the intensity of its own interval,
where the file has intervals. The pragmatic scaling factor (PSF) multiplies these totals and nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j
from joulemark.suite.energy.attribution import attributed_readings, energy_sum
from joulemark.suite.energy.components import component_named
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Emissions, EnergyReading, Intensity, Kind, RunFile, Trace

Window = tuple[float, float]
"""Begin and end, seconds since the run's start."""
SENSOR_START_S = 1.0
"""All sensors start and stop within this time, unless one was lost: the slowest is read once a second."""


@dataclass(frozen=True)
class Total:
    """Energy over some time, and what follows from it. All None where it was not measured, with the reason."""

    energy_j: float | None
    facility_energy_j: float | None
    emissions_g: float | None
    kind: Kind
    lower_bound: bool
    reason: str | None
    duration_s: float

    def times(self, factor: float) -> Total:
        """Return the total of `factor` such runs."""
        amounts = {name: getattr(self, name) for name in ("energy_j", "facility_energy_j", "emissions_g", "duration_s")}
        return replace(self, **{name: amount * factor for name, amount in amounts.items() if amount is not None})


@dataclass(frozen=True)
class RunTotals:
    """The two totals of a run."""

    windows: Total
    """All measured windows together: what the results are computed from."""
    run: Total
    """From the first sensor read to the last, for each start of the run: imports, compilation, warm-up and waiting
    included."""
    psf: float
    projected: Total
    """`run` times the pragmatic scaling factor."""


def run_totals(run_file: RunFile) -> RunTotals:
    """Return the totals of `run_file` under its own emissions record."""
    trials = [
        (window_s, energy)
        for case in run_file.cases
        for trial in case.trials
        if trial.status == "ok"
        for window_s, energy in (
            (trial.window_s, trial.energy),
            *((part.window_s, part.energy) for part in trial.parts.values()),
        )
        if window_s is not None
    ]
    in_trials = [(window, reading) for window, readings in trials for reading in readings]
    over_windows = _total(run_file, in_trials, _duration_s([window for window, _ in trials]))
    windows = sampled_windows(run_file)
    if windows:
        over_run = _total(run_file, _attributed_readings(run_file, windows), _duration_s(windows))
    else:
        over_run = Total(None, None, None, "unavailable", False, "the file has no traces", 0)
    psf = run_file.emissions.psf
    return RunTotals(over_windows, over_run, psf, over_run.times(psf))


def what_if(run_file: RunFile, grids: Mapping[str, Intensity]) -> dict[str, Total]:
    """Return the total of the run from end to end under each of `grids`; energy is the same in all."""
    totals = {}
    for name, intensity in grids.items():
        emissions = run_file.emissions.model_copy(update={"intensity": intensity, "intervals": ()})
        totals[name] = run_totals(run_file.model_copy(update={"emissions": emissions})).run
    return totals


def weight_by_energy(run_file: RunFile, emissions: Emissions) -> Emissions:
    """Return `emissions` with the mean of its intervals weighted by the run's energy in each, instead of by time.

    Unchanged where it has no intervals, or the energy in one of them is not known.
    """
    windows = sampled_windows(run_file)
    if not emissions.intervals or not windows:
        return emissions
    weights = []
    for interval in emissions.intervals:
        start, end = _seconds(run_file, interval.start, interval.end)
        overlaps = [(max(start, window[0]), min(end, window[1])) for window in windows]
        inside = [(first, last) for first, last in overlaps if last > first]
        by_window = _joules_by_window(_attributed_readings(run_file, inside))
        if inside and not by_window:
            return emissions
        weights.append((sum(by_window.values()), interval.g_per_kwh))
    return with_mean_intensity(emissions, weights)


def with_mean_intensity(emissions: Emissions, parts: Sequence[tuple[float, float]]) -> Emissions:
    """Return `emissions` with the mean intensity of `parts`, pairs of joules and g/kWh; unchanged without energy."""
    total_j = sum(energy_j for energy_j, _ in parts)
    if total_j <= 0:
        return emissions
    mean = sum(energy_j * g_per_kwh for energy_j, g_per_kwh in parts) / total_j
    return emissions.model_copy(update={"intensity": emissions.intensity.model_copy(update={"g_per_kwh": mean})})


def mean_g_per_kwh(emissions: Emissions, run_file: RunFile, window: Window) -> float:
    """Return the mean intensity over `window`, weighted by time; the one value of `emissions` without intervals."""
    weights = []
    for interval in emissions.intervals:
        start, end = _seconds(run_file, interval.start, interval.end)
        weights.append((max(0.0, min(end, window[1]) - max(start, window[0])), interval.g_per_kwh))
    inside = sum(weight for weight, _ in weights)
    if inside <= 0:
        return emissions.intensity.g_per_kwh
    return sum(weight * value for weight, value in weights) / inside


def sampled_windows(run_file: RunFile) -> list[Window]:
    """Return the times that sensors were read in: one for each start of the run, since a resumed run has pauses.

    Sensors start and stop almost together. One that was lost on the way does not shorten the window: its component
    counts as not measured.
    """
    starts = [segment.at_s for segment in run_file.run.segments][1:]
    groups: dict[int, list[Trace]] = defaultdict(list)
    for trace in run_file.traces:
        # A wall meter's log may start and end at any time, and it is not charged to cases.
        if len(trace.t_s) >= 2 and any(component_named(channel.component).charged for channel in trace.channels):
            groups[bisect_right(starts, trace.t_s[0])].append(trace)
    windows = [_common_window(traces) for _, traces in sorted(groups.items())]
    return [(start, end) for start, end in windows if end > start]


def _common_window(traces: Sequence[Trace]) -> Window:
    starts, ends = [trace.t_s[0] for trace in traces], [trace.t_s[-1] for trace in traces]
    start = max(start for start in starts if start <= min(starts) + SENSOR_START_S)
    return max(0.0, start), min(end for end in ends if end >= max(ends) - SENSOR_START_S)


def _total(run_file: RunFile, readings: Sequence[tuple[Window, EnergyReading]], duration_s: float) -> Total:
    """Return the total of the attributed ones of `readings`, each with its window."""
    energy = energy_sum(reading for _, reading in readings)
    by_window = _joules_by_window(readings)
    if not by_window:
        return Total(None, None, None, energy.kind, energy.lower_bound, energy.reason, duration_s)
    energy_j, pue = sum(by_window.values()), run_file.emissions.pue.value
    return Total(
        energy_j=energy_j,
        facility_energy_j=facility_energy_j(energy_j, pue),
        emissions_g=sum(
            emissions_g(facility_energy_j(joules, pue), mean_g_per_kwh(run_file.emissions, run_file, window))
            for window, joules in by_window.items()
        ),
        kind=energy.kind,
        lower_bound=energy.lower_bound,
        reason=energy.reason,
        duration_s=duration_s,
    )


def _joules_by_window(readings: Sequence[tuple[Window, EnergyReading]]) -> dict[Window, float]:
    by_window: dict[Window, float] = {}
    for window, reading in readings:
        if attributed_readings([reading]):
            by_window[window] = by_window.get(window, 0.0) + (reading.energy_j or 0.0)
    return by_window


def _attributed_readings(run_file: RunFile, windows: Sequence[Window]) -> list[tuple[Window, EnergyReading]]:
    """Return the readings that the run's cases would be charged with over `windows`, cut at the grid's intervals."""
    cuts = {time for part in run_file.emissions.intervals for time in _seconds(run_file, part.start, part.end)}
    pieces = [
        piece
        for start, end in windows
        for piece in pairwise(sorted({start, end, *(time for time in cuts if start < time < end)}))
    ]
    return [(piece, reading) for piece in pieces for reading in _readings_of_all_cases(run_file, piece)]


def _readings_of_all_cases(run_file: RunFile, window: Window) -> list[EnergyReading]:
    """Return each component that any case is charged with, once; modelled ones only where nothing is measured."""
    devices = sorted({case.charged_devices for case in run_file.cases if case.trials})
    by_component: dict[tuple[str, str], EnergyReading] = {}
    for device in devices:
        for reading in compute_readings(run_file.traces, window, device, run_file.machine.gpus):
            if reading.attributed:
                by_component[reading.component, reading.scope] = reading
    measured = any(reading.kind in {"counter", "integrated"} for reading in by_component.values())
    return [reading for reading in by_component.values() if not (measured and reading.kind == "model")]


def _seconds(run_file: RunFile, start: str, end: str) -> Window:
    """Return two times as seconds since the run's start."""
    origin = datetime.fromisoformat(run_file.run.started_at)
    begin, finish = (datetime.fromisoformat(time) for time in (start, end))
    return (begin - origin).total_seconds(), (finish - origin).total_seconds()


def _duration_s(windows: Sequence[Window]) -> float:
    return sum(end - start for start, end in windows)
