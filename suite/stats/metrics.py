"""The metrics that comparisons judge: one value for each trial. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.records import Case, Trial

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """A quantity that a comparison judges."""

    key: str
    title: str
    unit: str
    better: Better
    labels: tuple[str, str]
    """What B is called if it is better, and if it is worse."""
    energy: bool
    """Whether the values come from power sensors."""
    drifts: bool
    """Whether the values change from run to run with the state of the machine."""
    values: Callable[[Case], Mapping[int, float]]
    """Return the value of each usable trial, by round; trials without a value are left out."""
    phase: str | None = None
    """The phase whose cases alone have it; None: those of every phase."""

    def belongs_to(self, case: Case) -> bool:
        """Return whether a case of its phase has the metric."""
        return self.phase in (None, case.phase)


def _usable(case: Case) -> list[Trial]:
    return [trial for trial in case.trials if trial.is_usable]


def _throughput(case: Case) -> Mapping[int, float]:
    return {trial.round: trial.items / trial.window_length_s for trial in _usable(case)}


def _energy(case: Case) -> Mapping[int, float]:
    return {energy.trial.round: energy.energy_j / energy.trial.items for energy in case_energy(_usable(case)).trials}


def _memory(case: Case) -> Mapping[int, float]:
    key = "host" if case.device == "cpu" else "device"
    peaks = {trial.round: trial.peak_memory_bytes.get(key) for trial in _usable(case)}
    return {round_number: float(peak) for round_number, peak in peaks.items() if peak}


def _first_call(case: Case) -> Mapping[int, float]:
    """Return first-call times; where anything is compiled, only those with a cold cache: cold and warm differ."""
    compiled = any(trial.compile_cache is not None for trial in _usable(case))
    return {
        trial.round: trial.first_call_s
        for trial in _usable(case)
        if trial.first_call_s and (trial.compile_cache == "cold" or not compiled)
    }


def _first_token(case: Case) -> Mapping[int, float]:
    return {trial.round: trial.token_times.ttft.p50_s for trial in _usable(case) if trial.token_times is not None}


def _output_token(case: Case) -> Mapping[int, float]:
    times = {trial.round: trial.token_times.tpot for trial in _usable(case) if trial.token_times is not None}
    return {round_number: latency.p50_s for round_number, latency in times.items() if latency is not None}


METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        metric.key: metric
        for metric in (
            Metric("throughput", "Throughput", "items/s", "higher", ("faster", "slower"), False, True, _throughput),
            Metric("energy", "Energy per item", "J", "lower", ("less energy", "more energy"), True, True, _energy),
            Metric("memory", "Peak memory", "B", "lower", ("less memory", "more memory"), False, False, _memory),
            Metric(
                "first-call", "First call", "s", "lower", ("starts faster", "starts slower"), False, True, _first_call
            ),
            Metric(
                "ttft",
                "Time to first token",
                "s",
                "lower",
                ("answers sooner", "answers later"),
                False,
                True,
                _first_token,
                "response",
            ),
            Metric(
                "tpot",
                "Time per output token",
                "s",
                "lower",
                ("writes faster", "writes slower"),
                False,
                True,
                _output_token,
                "response",
            ),
        )
    }
)
"""Metrics by key. Emissions are not among them: on one grid, their ratio is that of energy."""
