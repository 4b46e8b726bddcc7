"""What a whole run took: joules and grams over its windows and from end to end, on the grid of its own hours. Pure.

The table ranks cases on one intensity; here each part of the run meets the intensity of its own interval, where the
file has intervals. The pragmatic scaling factor multiplies these totals and nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j
from joulemark.suite.energy.attribution import weakest
from joulemark.suite.energy.window_energy import CHARGED, compute_readings
from joulemark.suite.records import Emissions, EnergyReading, Intensity, Kind, RunFile, Trace

Window = tuple[float, float]
"""Seconds since the run's start."""

A_MOMENT_S = 1.0
"""All sensors begin and end within it, unless one was lost: the slowest is read once a second."""


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
        """As often as `factor`."""
        return Total(
            energy_j=_times(self.energy_j, factor),
            facility_energy_j=_times(self.facility_energy_j, factor),
            emissions_g=_times(self.emissions_g, factor),
            kind=self.kind,
            lower_bound=self.lower_bound,
            reason=self.reason,
            duration_s=self.duration_s * factor,
        )


@dataclass(frozen=True)
class RunTotals:
    """The two totals of a run."""

    windows: Total
    """All measured windows together: what the results rest on."""
    run: Total
    """From the first read of the sensors to the last, of each start of the run: with imports, compilation, warm-up and
    waiting."""
    psf: float
    projected: Total
    """`run` as often as the pragmatic scaling factor says."""


def run_totals(run_file: RunFile) -> RunTotals:
    """Totals of `run_file` under its own emissions record."""
    windows = [
        trial.window_s
        for case in run_file.cases
        for trial in case.trials
        if trial.status == "ok" and trial.window_s is not None
    ]
    over_windows = _total(run_file, _of_trials(run_file), sum(end - start for start, end in windows))
    spans = covered(run_file)
    nothing = _Sum(None, "unavailable", False, "the file has no traces", ())
    over_run = _total(run_file, _over(run_file, spans) if spans else nothing, sum(end - start for start, end in spans))
    psf = run_file.emissions.psf
    return RunTotals(over_windows, over_run, psf, over_run.times(psf))


def what_if(run_file: RunFile, grids: Mapping[str, Intensity]) -> dict[str, Total]:
    """The total of the run from end to end as it would be under each of `grids`; energy is the same in all."""
    found = {}
    for name, intensity in grids.items():
        emissions = run_file.emissions.model_copy(update={"intensity": intensity, "intervals": ()})
        found[name] = run_totals(run_file.model_copy(update={"emissions": emissions})).run
    return found


def weighted(run_file: RunFile, emissions: Emissions) -> Emissions:
    """`emissions` with the mean intensity of its intervals by the energy of `run_file` in each, instead of by time.

    As given where it has no intervals, or the energy of one is not known.
    """
    spans = covered(run_file)
    if not emissions.intervals or not spans:
        return emissions
    weighed = []
    for part in emissions.intervals:
        start, end = _seconds(run_file, part.start, part.end)
        cut = [(max(start, span[0]), min(end, span[1])) for span in spans]
        inside = [(first, last) for first, last in cut if last > first]
        energy_j = _over(run_file, inside).energy_j if inside else 0.0
        if energy_j is None:
            return emissions
        weighed.append((energy_j, part.g_per_kwh))
    total_j = sum(energy_j for energy_j, _ in weighed)
    if total_j <= 0:
        return emissions
    mean = sum(energy_j * value for energy_j, value in weighed) / total_j
    return emissions.model_copy(update={"intensity": emissions.intensity.model_copy(update={"g_per_kwh": mean})})


def g_per_kwh(emissions: Emissions, run_file: RunFile, window: Window) -> float:
    """The actual grid over `window` by time: of its interval, or the mean of several; the one value without them."""
    weights = []
    for part in emissions.intervals:
        start, end = _seconds(run_file, part.start, part.end)
        weights.append((max(0.0, min(end, window[1]) - max(start, window[0])), part.g_per_kwh))
    inside = sum(weight for weight, _ in weights)
    if inside <= 0:
        return emissions.intensity.g_per_kwh
    return sum(weight * value for weight, value in weights) / inside


def covered(run_file: RunFile) -> list[Window]:
    """The times that sensors were read over: one for each start of the run, since a resumed one was away in between.

    Sensors begin and end together but for a moment. One that was lost on the way does not shorten the time: the rest of
    it is a part that was not measured.
    """
    begins = [segment.at_s for segment in run_file.run.segments][1:]
    groups: dict[int, list[Trace]] = defaultdict(list)
    for trace in run_file.traces:
        # A wall meter is listed beside, and its logger ends when it likes.
        if len(trace.t_s) >= 2 and any(channel.component in CHARGED for channel in trace.channels):
            groups[bisect_right(begins, trace.t_s[0])].append(trace)
    spans = [_together(group) for _, group in sorted(groups.items())]
    return [(start, end) for start, end in spans if end > start]


def _together(traces: Sequence[Trace]) -> Window:
    begins, ends = [trace.t_s[0] for trace in traces], [trace.t_s[-1] for trace in traces]
    start = max(begin for begin in begins if begin <= min(begins) + A_MOMENT_S)
    return max(0.0, start), min(end for end in ends if end >= max(ends) - A_MOMENT_S)


def _total(run_file: RunFile, found: _Sum, duration_s: float) -> Total:
    """Facility energy and grams of the energy `found`."""
    if found.energy_j is None:
        return Total(None, None, None, found.kind, found.lower_bound, found.reason, duration_s)
    pue = run_file.emissions.pue.value
    grams = sum(
        emissions_g(facility_energy_j(energy_j, pue), g_per_kwh(run_file.emissions, run_file, window))
        for window, energy_j in found.by_window
    )
    facility_j = facility_energy_j(found.energy_j, pue)
    return Total(found.energy_j, facility_j, grams, found.kind, found.lower_bound, found.reason, duration_s)


@dataclass(frozen=True)
class _Sum:
    """Energies added up."""

    energy_j: float | None
    kind: Kind
    lower_bound: bool
    reason: str | None
    by_window: tuple[tuple[Window, float], ...]


def _of_trials(run_file: RunFile) -> _Sum:
    """What all ok trials were charged with."""
    parts = [
        (trial.window_s, reading)
        for case in run_file.cases
        for trial in case.trials
        if trial.status == "ok" and trial.window_s is not None
        for reading in trial.energy
        if reading.attributed
    ]
    return _sum(parts)


def _over(run_file: RunFile, windows: Sequence[Window]) -> _Sum:
    """What the run's cases would be charged with over `windows`, each part once, cut at the grid's intervals."""
    cuts = {time for part in run_file.emissions.intervals for time in _seconds(run_file, part.start, part.end)}
    pieces = [
        piece
        for start, end in windows
        for piece in pairwise(sorted({start, end, *(time for time in cuts if start < time < end)}))
    ]
    return _sum((piece, reading) for piece in pieces for reading in _attributed(run_file, piece))


def _attributed(run_file: RunFile, window: Window) -> list[EnergyReading]:
    """The parts that any case is charged with; a model's only where nothing is measured."""
    devices = sorted({case.device for case in run_file.cases if case.trials})
    found: dict[tuple[str, str], EnergyReading] = {}
    for device in devices:
        for reading in compute_readings(run_file.traces, window, device, run_file.machine.gpus):
            if reading.attributed:
                found[reading.component, reading.scope] = reading
    measured = any(reading.kind in {"counter", "integrated"} for reading in found.values())
    return [reading for reading in found.values() if not (measured and reading.kind == "model")]


def _sum(parts: Iterable[tuple[Window, EnergyReading]]) -> _Sum:
    listed = list(parts)
    known = [(window, reading) for window, reading in listed if reading.energy_j is not None]
    missing = dict.fromkeys(f"{r.component}: {r.reason}" for _, r in listed if r.energy_j is None)
    if not known:
        return _Sum(None, "unavailable", False, "; ".join(missing) or "no sensor was read", ())
    by_window: dict[Window, float] = {}
    for window, reading in known:
        by_window[window] = by_window.get(window, 0.0) + (reading.energy_j or 0.0)
    return _Sum(
        energy_j=sum(by_window.values()),
        kind=weakest(reading.kind for _, reading in known),
        lower_bound=bool(missing),
        reason="not measured: " + "; ".join(missing) if missing else None,
        by_window=tuple(by_window.items()),
    )


def _seconds(run_file: RunFile, start: str, end: str) -> Window:
    """Two times as seconds since the run's start."""
    origin = datetime.fromisoformat(run_file.run.started_at)
    one, other = (datetime.fromisoformat(time) for time in (start, end))
    return (one - origin).total_seconds(), (other - origin).total_seconds()


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
