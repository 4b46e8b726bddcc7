"""What could make a result misleading: the notices of a case and of a run, each with its threshold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from joulemark.suite.energy.attribution import attributed_readings, case_energy
from joulemark.suite.energy.energy_source import simulated_sensors
from joulemark.suite.energy.idle import idle_drift
from joulemark.suite.energy.sensor_checks import resolution_notices
from joulemark.suite.energy.whole_machine.share import share_of_run
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Cpu, Floor, Machine, Notice, Quantity, RunFile, Summary, Trial
from joulemark.suite.results.counter_notices import counter_notices
from joulemark.suite.results.responses.summary import part_trials
from joulemark.suite.stats.intervals import coefficient_of_variation
from joulemark.suite.trial.frameworks import FRAMEWORKS, mode_class
from joulemark.suite.trial.gpu_busy import BUSY_SHARE, LAUNCH_BOUND_RATIO

CARBON_CODES: Final = frozenset(
    {Code.WORLD_INTENSITY, Code.OLD_INTENSITY, Code.STALE_INTENSITY, Code.INTENSITY_FALLBACK, Code.OLD_TOKEN}
)
"""Notices about the carbon intensity in use; they are replaced together with it."""

MIN_TRIALS: Final = 2

HIGH_VARIATION: Final = 0.10
"""pyperf calls a benchmark unstable from a standard deviation of 10 % of the mean."""

IDLE_DRIFT: Final = 0.10
"""If idle power moves by a tenth, net energy of a small load is as uncertain as the load itself."""

FLOOR_VARIATION: Final = 0.05
"""Coefficient of variation of the fixed loop; small virtual machines show 2 to 5 % with nothing else running."""

OUTPUT_TOLERANCE: Final = {"fp32": 1e-4, "tf32": 1e-2, "bf16": 1e-2, "fp16": 1e-2}
"""Relative differences between trials of outputs from the same seed: sums in another order, with 24 bits of mantissa or
with 8 to 11."""

MODE_TOLERANCE: Final = 1e-3
"""Relative difference from eager: compilers reorder sums, but in fp32 they compute the same thing."""


TRAINING_DRIFT: Final = 0.10
"""Change of loss or gradient norm over a trial: within it, nothing that depends on values changes visibly."""


def case_notices(case: Case, summary: Summary | None) -> tuple[Notice, ...]:
    """Return the notices of `case`; none without a summary, since its status and reason say why."""
    if summary is None:
        return ()
    trials = case.ok_trials
    return (
        *_trial_notices(case, trials),
        *counter_notices(case, trials),
        *_gpu_notices(trials),
        *_energy_notices(summary.energy_per_item_j, trials),
    )


def binding_notices(trials: Iterable[Trial], cpu: Cpu) -> tuple[Notice, ...]:
    """Return the notice that a library bound `trials` to other cores than those of the process that ran them."""
    bound = {cores for trial in trials if (cores := trial.environment.get("affinity")) and cores != cpu.affinity}
    if not bound or not cpu.affinity:
        return ()
    return (Notice.of(Code.THREADS_BOUND, f"{' and '.join(sorted(bound))} instead of {cpu.affinity}"),)


def run_notices(run_file: RunFile) -> tuple[Notice, ...]:
    """Return the notices of the whole run: of its power, its idle power and an unstable machine."""
    simulated = simulated_sensors(run_file.traces)
    notices = [Notice.of(Code.SIMULATED, simulated)] if simulated else []
    share = share_of_run(run_file)
    if share is not None and share.contradicts:
        notices.append(Notice.of(Code.NODE_BELOW_PARTS, share.share, 1.0))
    drift = idle_drift(run_file)
    if drift is not None and abs(drift) > IDLE_DRIFT:
        notices.append(Notice.of(Code.IDLE_DRIFT, drift, IDLE_DRIFT))
    return (*notices, *machine_notices(run_file.machine, run_file.floor))


def machine_notices(machine: Machine, floor: Sequence[Floor]) -> list[Notice]:
    """Return the notices of the machine itself: its frequency governor and its noise floor."""
    notices = []
    governor = machine.cpu.governor
    if governor is not None and governor != "performance":
        notices.append(Notice.of(Code.FREQUENCY_SCALING, governor))
    loops = ([entry.arithmetic_s for entry in floor], [entry.copy_s for entry in floor])
    # A run that was interrupted early has no noise floor yet.
    variations = [value for loop in loops if loop and (value := coefficient_of_variation(loop)) is not None]
    variation = max(variations, default=0.0)
    if variation > FLOOR_VARIATION:
        notices.append(Notice.of(Code.NOISY_FLOOR, variation, FLOOR_VARIATION))
    return notices


def differences_from_eager(cases: Iterable[Case]) -> dict[str, Notice]:
    """Return notices by case id for fp32 cases whose first outputs differ from those of the same case in eager mode."""
    cases = list(cases)
    eager = {_without_mode(case): case for case in cases if _is_eager(case)}
    notices = {}
    for case in cases:
        reference = eager.get(_without_mode(case))
        if reference is None or reference is case or case.precision != "fp32":
            continue
        outputs, expected = _first_outputs(case), _first_outputs(reference)
        difference = _relative_difference((outputs, expected), outputs.keys() & expected.keys())
        if difference > MODE_TOLERANCE:
            notices[case.id] = Notice.of(Code.MODE_DIFFERS, difference, MODE_TOLERANCE)
    return notices


def _trial_notices(case: Case, trials: Sequence[Trial]) -> list[Notice]:
    notices = []
    lost = len(case.trials) - len(trials)
    if lost:
        notices.append(Notice.of(Code.TRIALS_LOST, lost))
    if len(trials) < MIN_TRIALS:
        notices.append(Notice.of(Code.TOO_FEW_TRIALS, len(trials), MIN_TRIALS))
    rates = [trial.items / trial.window_length_s for trial in trials if trial.is_usable]
    variation = coefficient_of_variation(rates) if rates else None
    if variation is not None and variation > HIGH_VARIATION:
        notices.append(Notice.of(Code.HIGH_VARIANCE, variation, HIGH_VARIATION))
    drifting = sum(trial.steady == "drifting" for trial in trials)
    if drifting:
        notices.append(Notice.of(Code.NOT_STEADY, drifting))
    tolerance = OUTPUT_TOLERANCE.get(case.precision, max(OUTPUT_TOLERANCE.values()))
    difference = _difference_between_trials(trials)
    if difference > tolerance:
        notices.append(Notice.of(Code.OUTPUTS_DIFFER, difference, tolerance))
    states = [trial.training for trial in trials if trial.training is not None]
    drift = max((ends.change for state in states for ends in (state.loss, state.gradient_norm) if ends), default=0.0)
    if drift > TRAINING_DRIFT:
        notices.append(Notice.of(Code.TRAINING_DRIFT, drift, TRAINING_DRIFT))
    return notices


def _gpu_notices(trials: Sequence[Trial]) -> list[Notice]:
    """Return the notice that the GPU waits for something, from the trial that measured it."""
    busy = next((trial.gpu_busy for trial in trials if trial.gpu_busy is not None), None)
    if busy is None or busy.share is None or busy.share >= BUSY_SHARE:
        return []
    launch_bound = busy.doubled_batch_ratio is not None and busy.doubled_batch_ratio >= LAUNCH_BOUND_RATIO
    return [Notice.of(Code.LAUNCH_BOUND if launch_bound else Code.GPU_IDLE, busy.share, BUSY_SHARE)]


def _energy_notices(energy: Quantity, trials: Sequence[Trial]) -> list[Notice]:
    if energy.value is None:
        return [Notice.of(Code.ENERGY_UNAVAILABLE, energy.reason)]
    notices = []
    readings = [(trial, reading) for trial in trials for reading in attributed_readings(trial.energy)]
    if energy.kind == "model":
        models: dict[str, dict[str, None]] = {}
        for _, reading in readings:
            if reading.kind == "model":
                models.setdefault(reading.evidence or reading.sensor or "a model", {})[reading.component] = None
        texts = (f"{', '.join(components)} by {model}" for model, components in models.items())
        notices.append(Notice.of(Code.ENERGY_ESTIMATED, "; ".join(texts)))
    if energy.lower_bound:
        missing = case_energy([trial for trial in trials if trial.is_usable]).missing
        notices.append(Notice.of(Code.ENERGY_LOWER_BOUND, "; ".join(missing)))
    # Each of the windows of a response must be long enough: the notice is of the first that is not.
    windows = [trials, *(part_trials(trials, name) for name in trials[0].parts)]
    found = ([(t, r) for t in window for r in attributed_readings(t.energy)] for window in windows)
    notices += next((notice for window in found if (notice := resolution_notices(window))), [])
    return notices


def _difference_between_trials(trials: Sequence[Trial]) -> float:
    """Return the largest relative difference between the first outputs of two trials; 1 if their names differ."""
    outputs = [trial.result.first for trial in trials if trial.result is not None]
    if any(output.keys() != outputs[0].keys() for output in outputs):
        return 1.0
    return _relative_difference(outputs, outputs[0] if outputs else ())


def _relative_difference(outputs: Sequence[Mapping[str, float]], names: Iterable[str]) -> float:
    """Return the largest spread of an output relative to its largest magnitude, over all `names`."""
    largest = 0.0
    for name in names:
        values = [output[name] for output in outputs]
        magnitude = max(abs(value) for value in values)
        if magnitude > 0:
            largest = max(largest, (max(values) - min(values)) / magnitude)
    return largest


def _is_eager(case: Case) -> bool:
    known = case.framework in FRAMEWORKS and case.mode in FRAMEWORKS[case.framework].modes
    return known and mode_class(case.framework, case.mode) == "eager"


def _without_mode(case: Case) -> str:
    return case.id.replace(f"/{case.framework}/{case.mode}/", f"/{case.framework}/*/")


def _first_outputs(case: Case) -> dict[str, float]:
    return next((trial.result.first for trial in case.trials if trial.result is not None), {})
