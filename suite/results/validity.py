"""What could make a result mislead: the notices of a case and of a run, each with its threshold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from joulemark.suite.energy.attribution import attributed_readings
from joulemark.suite.energy.idle import idle_drift
from joulemark.suite.energy.window_energy import UPDATES_NEEDED
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, Quantity, RunFile, Summary, Trial
from joulemark.suite.results.disturbances import disturbances, machine_notices
from joulemark.suite.stats.intervals import coefficient_of_variation

CARBON_CODES: Final = frozenset(
    {Code.WORLD_INTENSITY, Code.OLD_INTENSITY, Code.STALE_INTENSITY, Code.INTENSITY_FALLBACK, Code.OLD_TOKEN}
)
"""Notices that belong to the intensity in use, and go when another one is."""

FEWEST_TRIALS: Final = 2

HIGH_VARIATION: Final = 0.10
"""pyperf calls a benchmark unstable from a standard deviation of 10 % of the mean."""

IDLE_DRIFT: Final = 0.10
"""Idle power that moves by a tenth makes net energy of a small load as uncertain as the load itself."""

TOLERANCE: Final = {"fp32": 1e-4, "tf32": 1e-2, "bf16": 1e-2, "fp16": 1e-2}
"""Relative differences between trials of outputs that come from the same seed: sums in another order in 24 bits of
mantissa, or in 8 to 11."""


def case_notices(case: Case, summary: Summary | None) -> tuple[Notice, ...]:
    """What a reader of `case` must know; nothing where it is not ok (its status and reason say why)."""
    if summary is None:
        return ()
    trials = [trial for trial in case.trials if trial.status == "ok"]
    return (
        *_trial_notices(case, trials),
        *disturbances(case, trials),
        *_energy_notices(summary.energy_per_item_j, trials),
    )


def run_notices(run_file: RunFile) -> tuple[Notice, ...]:
    """What a reader of the whole run must know: simulated power, idle power that moved, a restless machine."""
    simulated = sorted({trace.sensor for trace in run_file.traces if trace.simulated})
    notices = [Notice.of(Code.SIMULATED, ", ".join(simulated))] if simulated else []
    drift = idle_drift(run_file)
    if drift is not None and abs(drift) > IDLE_DRIFT:
        notices.append(Notice.of(Code.IDLE_DRIFT, drift, IDLE_DRIFT))
    return (*notices, *machine_notices(run_file.machine, run_file.floor))


def _trial_notices(case: Case, trials: Sequence[Trial]) -> list[Notice]:
    notices = []
    lost = len(case.trials) - len(trials)
    if lost:
        notices.append(Notice.of(Code.TRIALS_LOST, lost))
    if len(trials) < FEWEST_TRIALS:
        notices.append(Notice.of(Code.TOO_FEW_TRIALS, len(trials), FEWEST_TRIALS))
    rates = [trial.items / trial.window_length_s for trial in trials if trial.window_length_s > 0 and trial.items > 0]
    spread = coefficient_of_variation(rates) if rates else None
    if spread is not None and spread > HIGH_VARIATION:
        notices.append(Notice.of(Code.HIGH_VARIANCE, spread, HIGH_VARIATION))
    drifting = sum(trial.steady == "drifting" for trial in trials)
    if drifting:
        notices.append(Notice.of(Code.NOT_STEADY, drifting))
    tolerance = TOLERANCE.get(case.precision, max(TOLERANCE.values()))
    difference = _difference(trials)
    if difference > tolerance:
        notices.append(Notice.of(Code.OUTPUTS_DIFFER, difference, tolerance))
    return notices


def _difference(trials: Sequence[Trial]) -> float:
    """The largest relative difference between two trials' first outputs; 1 where they do not have the same ones."""
    outputs = [trial.result.first for trial in trials if trial.result is not None]
    if any(one.keys() != outputs[0].keys() for one in outputs):
        return 1.0
    largest = 0.0
    for name in outputs[0] if outputs else ():
        values = [one[name] for one in outputs]
        size = max(abs(value) for value in values)
        if size > 0:
            largest = max(largest, (max(values) - min(values)) / size)
    return largest


def _energy_notices(energy: Quantity, trials: Sequence[Trial]) -> list[Notice]:
    if energy.value is None:
        return [Notice.of(Code.ENERGY_UNAVAILABLE, energy.reason)]
    notices = []
    readings = [reading for trial in trials for reading in attributed_readings(trial.energy)]
    if energy.kind == "model":
        models = dict.fromkeys(
            f"{reading.component} by {reading.sensor or 'a model'}" for reading in readings if reading.kind == "model"
        )
        notices.append(Notice.of(Code.ENERGY_ESTIMATED, ", ".join(models)))
    if energy.lower_bound:
        notices.append(Notice.of(Code.ENERGY_LOWER_BOUND, energy.reason))
    updates = [
        trial.window_length_s / reading.tick_s
        for trial in trials
        for reading in attributed_readings(trial.energy)
        if reading.tick_s and reading.kind != "model"
    ]
    if updates and min(updates) < UPDATES_NEEDED:
        notices.append(Notice.of(Code.TOO_SHORT_FOR_SENSOR, min(updates), UPDATES_NEEDED))
    return notices
