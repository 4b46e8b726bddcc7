"""What is compared between cases: one value a trial. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from joulemark.suite.energy.attribution import charges, window_length_s
from joulemark.suite.records import Case, Trial

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """One kind of number that a comparison judges."""

    key: str
    title: str
    unit: str
    better: Better
    words: tuple[str, str]
    """What B is where it is better, and where it is worse."""
    energy: bool
    """Whether sensors enter it."""
    drifts: bool
    """Whether it changes from run to run with the state of the machine."""
    values: Callable[[Case], Mapping[int, float]]
    """Value of each ok trial by round; a trial without one is left out."""


def _ok(case: Case) -> list[Trial]:
    return [
        trial
        for trial in case.trials
        if trial.status == "ok" and window_length_s(trial) > 0 and trial.items > 0 and trial.steps > 0
    ]


def _throughput(case: Case) -> Mapping[int, float]:
    return {trial.round: trial.items / window_length_s(trial) for trial in _ok(case)}


def _energy(case: Case) -> Mapping[int, float]:
    return {charge.trial.round: charge.energy_j / charge.trial.items for charge in charges(_ok(case)).charged}


def _memory(case: Case) -> Mapping[int, float]:
    key = "host" if case.device == "cpu" else "device"
    found = {trial.round: trial.peak_memory_bytes.get(key) for trial in _ok(case)}
    return {number: float(peak) for number, peak in found.items() if peak}


def _first_call(case: Case) -> Mapping[int, float]:
    """Of trials with a cold compile cache where anything is compiled: cold and warm are unlike."""
    compiled = any(trial.compile_cache is not None for trial in _ok(case))
    return {
        trial.round: trial.first_call_s
        for trial in _ok(case)
        if trial.first_call_s and (trial.compile_cache == "cold" or not compiled)
    }


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
        )
    }
)
"""Emissions are not among them: on one grid their ratio is that of energy."""
