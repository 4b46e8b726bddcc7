"""A real GPU's run files against a second reader of the same counter: reader agreement, not the counter's truth."""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from places import DOCS

from joulemark.suite.energy.publication_lag import publication_lag
from joulemark.suite.energy.update_times import update_times
from joulemark.suite.energy.window_energy import compute_reading
from joulemark.suite.records import Channel, Trace, Trial
from joulemark.suite.results.run_files import read

RESULTS = DOCS / "results"
RUNS = ("quick-small-fp32", "base-bf16")
AGREEMENT = 0.015
PERIOD_S = 0.1
AGE_S = 0.0405
"""How old the counter is when the second reader reads it. Every value of the runs' own reads is one of the second
reader's: up to 59 ms after its reads the same value, from 60 ms after them its next one."""
GUARD_S = 1.2
"""The load goes on for this time after a window on a GPU, and to the end of a block."""


@dataclass(frozen=True)
class Log:
    """What the second reader read, at times of a run."""

    t_s: np.ndarray
    energy_j: np.ndarray

    def joules(self, window_s: tuple[float, float]) -> float:
        """Return the energy of a window, linear between reads."""
        begin_j, end_j = np.interp(np.asarray(window_s) + AGE_S, self.t_s, self.energy_j)
        return float(end_j - begin_j)

    def trace(self, tick_s: float | None) -> Trace:
        """Return the log as a trace."""
        fields = {"component": "gpu", "scope": "GPU", "unit": "J", "kind": "counter", "tick_s": tick_s}
        channel = Channel.model_validate({**fields, "values": tuple(self.energy_j.tolist())})
        return Trace(sensor="log", t_s=tuple(self.t_s.tolist()), channels=(channel,))


@dataclass(frozen=True)
class Measured:
    """A run file, and the log in its time."""

    trials: tuple[Trial, ...]
    trace: Trace
    log: Log

    @property
    def counter(self) -> Channel:
        return self.trace.channels[0]


@cache
def measured(name: str) -> Measured:
    file = read(RESULTS / f"h200-{name}.json")
    segment = file.run.segments[0]
    with gzip.open(RESULTS / "h200-nvml-10hz.csv.gz", "rt") as lines:
        t_s, energy_mj = np.loadtxt(lines, delimiter=",", skiprows=1, usecols=(0, 1), unpack=True)
    (trace,) = (trace for trace in file.traces if trace.sensor == "nvml")
    trials = tuple(trial for case in file.cases for trial in case.trials)
    return Measured(trials, trace, Log(t_s - segment.monotonic_s + segment.at_s, energy_mj / 1000))


@pytest.mark.parametrize("name", RUNS)
def test_every_window_agrees_with_the_second_reader(name: str) -> None:
    run = measured(name)
    assert len(run.trials) > 10
    for trial in run.trials:
        assert trial.window_s is not None
        (gpu,) = (reading for reading in trial.energy if reading.component == "gpu")
        assert gpu.energy_j == pytest.approx(run.log.joules(trial.window_s), rel=AGREEMENT)


def test_the_times_of_updates_make_windows_more_exact_without_the_lag() -> None:
    """The readings in these files were made before; nothing in the files shows the lag. A lag moves both ends alike."""
    kept_errors, errors = [], []
    for run in map(measured, RUNS):
        for trial in run.trials:
            assert trial.window_s is not None
            (kept,) = (reading for reading in trial.energy if reading.component == "gpu")
            again = compute_reading(
                run.trace, run.counter, trial.window_s, load_period_s=trial.window_length_s / trial.steps
            )
            joules = run.log.joules(trial.window_s)
            assert kept.energy_j is not None
            assert again.energy_j is not None
            assert again.low_j is not None
            assert again.high_j is not None
            assert again.publication_lag_s is None
            assert again.low_j <= joules <= again.high_j
            kept_errors.append(math.log(kept.energy_j / joules))
            errors.append(math.log(again.energy_j / joules))
    assert np.std(errors) < 0.85 * np.std(kept_errors)
    assert np.max(np.abs(errors)) < 0.01


@pytest.mark.parametrize("name", RUNS)
def test_updates_are_found_from_reads_six_updates_apart(name: str) -> None:
    """The run read the counter every 0.64 s. Both readers together show when its updates were."""
    run = measured(name)
    updated_s = run.log.t_s[0] - AGE_S
    for trial in run.trials:
        for border_s in trial.window_s or ():
            times_s, error_s = update_times(run.trace.t_s, run.counter.values, PERIOD_S, [border_s], is_counter=True)
            near_s = min(times_s, key=lambda time_s: abs(time_s - border_s))
            distance_s = (near_s - updated_s + PERIOD_S / 2) % PERIOD_S - PERIOD_S / 2
            assert abs(distance_s) < 0.02
            assert error_s < 0.03


@pytest.mark.parametrize("name", RUNS)
def test_this_counter_is_published_within_a_fifth_of_its_update_period(name: str) -> None:
    """These files do not say when loads ended: it is the first end of a block after the guard time."""
    run = measured(name)
    ends_s = []
    for trial in run.trials:
        assert trial.window_s is not None
        block_s = sum(trial.block_s) / len(trial.block_s)
        ends_s.append(trial.window_s[1] + math.ceil(GUARD_S / block_s) * block_s)
    log = run.log.trace(PERIOD_S)
    lag = publication_lag(log, log.channels[0], ends_s, "end of block")
    assert lag is not None
    assert lag.steps >= 10
    # The second reader keeps step with the counter: its values count as half a period old.
    assert abs(lag.lag_s + PERIOD_S / 2 - AGE_S) < 0.02


def test_trials_begin_at_all_phases_of_the_counter() -> None:
    """What narrows the intervals of several trials: the Rayleigh test finds no common phase."""
    for name in RUNS:
        run = measured(name)
        begins_s = [trial.window_s[0] - run.log.t_s[0] for trial in run.trials if trial.window_s is not None]
        resultant = abs(np.mean(np.exp(2j * np.pi * np.asarray(begins_s) / PERIOD_S)))
        assert math.exp(-len(begins_s) * resultant**2) > 0.05
