"""The settings of a sweep as points: time and joules of an item in each round, and whether its limit binds. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from joulemark.suite.energy.attribution import case_energy, is_estimated
from joulemark.suite.energy.whole_machine.share import MEASURED, whole_of
from joulemark.suite.records import SWEPT_FIELDS, Case, GpuState, RunFile, Settings, SweepKey, Trial
from joulemark.suite.stats.intervals import GeometricMean, geometric_mean
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.sweep.selection import Logs

UNMEASURED: Final = "energy was not measured"
POWER_CAP: Final = "power_cap"
"""The reason for lower clocks that a GPU gives where its limit binds (`GpuState.throttled`)."""
REACHED: Final = 0.95
"""Share of its limit from which on a device is taken to reach it: a limit holds for an average, and power sensors are
off by up to 5 %."""


@dataclass(frozen=True)
class Point:
    """One setting of a sweep, in the rounds that all settings have."""

    case: Case
    settings: Mapping[SweepKey, int | str | None]
    """Its value of each swept key; None for a clock that is not locked."""
    is_default: bool
    times: Logs
    """Log of the seconds an item took, by round."""
    joules: Logs
    """Log of the joules an item was charged with, by round; empty where there are none that may be compared."""
    shown_joules: Logs
    """The same, also where they may not be compared."""
    is_estimated: bool
    """Whether its joules come from a model."""
    node_joules: Logs
    """The same for the whole machine."""
    components: frozenset[str]
    """What its energy is the sum of."""
    limit_binds: bool | None
    """Whether its power limit lowered its speed; None without a limit, or without anything that shows it."""
    shown_clock_mhz: float | None
    """Mean clock that its GPU showed in the windows, where it was locked; None otherwise."""

    @property
    def delay_products(self) -> Logs:
        """Log of energy times time of an item, by round."""
        return {number: self.joules[number] + self.times[number] for number in self.joules.keys() & self.times.keys()}

    @property
    def speed(self) -> GeometricMean:
        """Items per second."""
        return _mean([-value for value in self.times.values()])

    @property
    def energy_j(self) -> GeometricMean | None:
        """Joules an item."""
        return _mean(list(self.joules.values())) if self.joules else None

    @property
    def shown_energy_j(self) -> GeometricMean | None:
        """Joules an item, also where they may not be compared."""
        return _mean(list(self.shown_joules.values())) if self.shown_joules else None

    @property
    def node_energy_j(self) -> GeometricMean | None:
        """Joules an item, of the whole machine."""
        return _mean(list(self.node_joules.values())) if self.node_joules else None


def _mean(logs: Sequence[float]) -> GeometricMean:
    return geometric_mean([math.exp(value) for value in logs])


def point(case: Case, run_file: RunFile, rounds: range) -> Point | None:
    """Return the setting of `case` with its values in `rounds`; None if it has none."""
    trials = tuple(trial for trial in case.trials if trial.round in rounds)
    seen = case.model_copy(update={"trials": trials})
    rates = METRICS["throughput"].values(seen)
    if not rates:
        return None
    times = {number: -math.log(rate) for number, rate in rates.items()}
    shown_joules = {number: math.log(value) for number, value in METRICS["energy"].values(seen).items()}
    joules = shown_joules if energy_refusal(seen, run_file) is None else {}
    return Point(
        case=case,
        settings={key: getattr(case, SWEPT_FIELDS[key]) for key in run_file.settings.over},
        is_default=case.sweep_default,
        times=times,
        joules=joules,
        shown_joules=shown_joules,
        is_estimated=is_estimated(seen),
        node_joules=_node_joules(seen, joules, times, run_file.settings.host_watts),
        components=frozenset(name for energy in case_energy(trials).trials for _, name, _ in energy.keys),
        limit_binds=_limit_binds(seen, run_file),
        shown_clock_mhz=_shown_clock_mhz(seen, run_file) if case.clock_mhz is not None else None,
    )


def energy_refusal(case: Case, run_file: RunFile) -> str | None:
    """Return why the energy of a setting is not compared with that of others; None where it is."""
    if not METRICS["energy"].values(case):
        return UNMEASURED
    if not is_estimated(case):
        return None
    if sweeps_limits(run_file.settings):
        return "its energy is estimated by a model, which sees neither limits nor clocks"
    return None if run_file.settings.allow_estimates else "its energy is estimated (--allow-estimates compares it)"


def unranked_reason(points: Sequence[Point], run_file: RunFile) -> str:
    """Return why the joules of a task are not ranked, and what to do."""
    estimated = any(each.is_estimated for each in points)
    if sweeps_limits(run_file.settings):
        found = "energy is estimated by a model, which sees neither limits nor clocks" if estimated else UNMEASURED
        return f"{found}: no setting is ranked; `joulemark doctor` says which sensors can be read"
    if not estimated:
        return f"{UNMEASURED}: settings are ranked by speed alone; `joulemark doctor` says which sensors can be read"
    command = f"`joulemark show {run_file.run.id} --allow-estimates`"
    return f"energy is estimated, not measured: settings are ranked by speed alone; {command} ranks estimated joules"


def sweeps_limits(settings: Settings) -> bool:
    """Return whether power limits or clocks are swept, which no model of energy sees."""
    return bool({"power-limit", "clock"} & settings.over.keys())


def _node_joules(case: Case, joules: Logs, times: Logs, host_watts: float | None) -> Logs:
    """Return what the whole machine used for an item: measured, else what was charged and `host_watts` beside it.

    A model may be of the whole machine already: nothing is added to its joules.
    """
    if (measured := _measured_node_joules(case)).keys() >= times.keys():
        return measured
    if host_watts is None or is_estimated(case):
        return {}
    return {n: math.log(math.exp(joules[n]) + host_watts * math.exp(times[n])) for n in joules.keys() & times.keys()}


def _measured_node_joules(case: Case) -> Logs:
    usable = [trial for trial in case.trials if trial.is_usable]
    wholes = {trial.round: (whole_of(trial.energy), trial.items) for trial in usable}
    return {
        number: math.log(whole.energy_j / items)
        for number, (whole, items) in wholes.items()
        if whole is not None and whole.energy_j
    }


def node_source(case: Case) -> str | None:
    """Return the sensor that measured the whole machine in all trials of `case`; None where none did."""
    usable = [trial for trial in case.trials if trial.is_usable]
    if not usable or len(_measured_node_joules(case)) < len(usable):
        return None
    whole = whole_of(usable[0].energy)
    return whole.sensor if whole is not None else None


def _limit_binds(case: Case, run_file: RunFile) -> bool | None:
    """Return whether a GPU said so in a window or, where it does not say why it lowers its clocks, whether power came
    near the limit; None if nothing shows either."""
    powers_w = [power for trial in case.trials if (power := device_power_w(trial, case.device)) is not None]
    if case.power_limit_w is None or not powers_w:
        return None
    said = [state.throttled for state in _states(case, run_file) if state.throttled is not None]
    return any(POWER_CAP in reasons for reasons in said) if said else fmean(powers_w) >= REACHED * case.power_limit_w


def _shown_clock_mhz(case: Case, run_file: RunFile) -> float | None:
    clocks = [state.sm_clock_mhz for state in _states(case, run_file) if state.sm_clock_mhz is not None]
    return fmean(clocks) if clocks else None


def _states(case: Case, run_file: RunFile) -> Iterator[GpuState]:
    """Yield the states of the GPU of a case in the windows of its trials."""
    uuids = {gpu.uuid for gpu in run_file.machine.gpus if gpu.device == case.device}
    windows = [trial.window_s for trial in case.trials if trial.window_s is not None]
    for state in (state for trace in run_file.traces for state in trace.states if state.scope in uuids):
        if any(begin_s <= state.t_s <= end_s for begin_s, end_s in windows):
            yield state


def device_power_w(trial: Trial, device: str) -> float | None:
    """Return the mean measured power of the GPU, or of one processor package, in the window; None if not measured."""
    component = "package" if device == "cpu" else "gpu"
    readings = [r for r in trial.energy if r.attributed and r.component == component and r.kind in MEASURED]
    if not readings or trial.window_length_s <= 0:
        return None
    return fmean(reading.energy_j or 0.0 for reading in readings) / trial.window_length_s
