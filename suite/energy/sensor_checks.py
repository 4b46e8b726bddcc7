"""Notices about a case's energy: sensors that disagree, alias or share, and what happened to its GPUs. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from joulemark.suite.energy.attribution import ReadingKey, reading_key
from joulemark.suite.energy.components import channel_label
from joulemark.suite.energy.integration import Curve, Window
from joulemark.suite.energy.window_energy import UPDATES_NEEDED
from joulemark.suite.notices import Code
from joulemark.suite.records import EnergyReading, Gpu, GpuState, Notice, Trace, Trial

RESIDUAL: Final = 0.10
"""Counter and integral of one GPU differ by more than this only if one of them is wrong."""
RESIDUAL_WINDOW_S: Final = 5.0
"""Below this they differ by their update period alone: -26 % at 0.5 s, about 0 at 5 s on a counter with one of
100 ms."""
STATE_PERIOD_S: Final = 1.0
"""How often a GPU's state is read: the states at both ends of a window are up to so far outside of it, where the load
is steady too (a trial on a GPU runs 1.2 s before and after its window)."""
CLOCK_MOVED: Final = 0.05
"""Between the first and the last state. Under a steady load and within its limits a GPU keeps its clock to a step or
two of 15 MHz."""
POWER_CAP: Final = "power_cap"
"""The reason for lower clocks that is no fault: the GPU draws what it may."""
UNKNOWN_CPU: Final = "does not know this CPU"


def sensor_notices(
    trials: Sequence[Trial], traces: Sequence[Trace], device: str, gpus: Sequence[Gpu]
) -> tuple[Notice, ...]:
    """Return the notices of a case on `device` (`cpu`, `cuda:0+cuda:1`).

    Args:
        trials: The trials of the case that are ok.
        traces: All traces of the run.
        device: Where the case ran.
        gpus: All GPUs of the machine.
    """
    attributed = [(trial, reading) for trial in trials for reading in trial.energy if reading.attributed]
    used = [gpu for gpu in gpus if gpu.device in device.split("+")]
    by_window = [states for gpu in used for states in _states(trials, traces, gpu.uuid)]
    states = [state for in_window in by_window for state in in_window]
    return (
        *_disagreement(attributed),
        *_aliasing(attributed, traces),
        *_implausible(trials),
        *_throttled(states),
        *_power_capped(states),
        *_clock_moved(by_window),
        *_shared(used, states),
        *_unknown_cpu(attributed, traces),
    )


def resolution_notices(attributed: Sequence[tuple[Trial, EnergyReading]]) -> list[Notice]:
    """Return the notice that the windows of a case are too short for a sensor, all of them together."""
    by_key: dict[ReadingKey, list[tuple[float, float]]] = {}
    for trial, reading in attributed:
        if reading.energy_j and reading.tick_s and reading.kind != "model":
            # Where the times of updates are known better than to half of one, as many more would be needed.
            update_s = reading.tick_s if reading.time_error_s is None else 2 * reading.time_error_s
            by_key.setdefault(reading_key(reading), []).append((reading.energy_j, trial.window_length_s / update_s))
    fewest = min(map(joined_updates, by_key.values()), default=UPDATES_NEEDED)
    return [Notice.of(Code.TOO_SHORT_FOR_SENSOR, fewest, UPDATES_NEEDED)] if fewest < UPDATES_NEEDED else []


def joined_updates(windows: Sequence[tuple[float, float]]) -> float:
    """Return how many updates one window would have that is as precise as `windows` together.

    A window of n updates is off by a share 1 / n at most. Trials begin at any phase of their sensor, so the errors of
    their windows are independent and add in quadrature, as in the range of a case's energy: four windows of 24 updates
    are as good as one of 48.

    Args:
        windows: Energy of each window, joules, and the updates in it.
    """
    return math.fsum(energy_j for energy_j, _ in windows) / math.hypot(*(e / updates for e, updates in windows))


def _disagreement(attributed: Sequence[tuple[Trial, EnergyReading]]) -> list[Notice]:
    residuals = [
        reading.residual
        for trial, reading in attributed
        if reading.residual is not None and trial.window_length_s >= RESIDUAL_WINDOW_S
    ]
    worst = max(residuals, key=abs, default=0.0)
    return [Notice.of(Code.SENSORS_DISAGREE, worst, RESIDUAL)] if abs(worst) > RESIDUAL else []


def _aliasing(attributed: Sequence[tuple[Trial, EnergyReading]], traces: Sequence[Trace]) -> list[Notice]:
    for trial, reading in attributed:
        if reading.in_step and trial.window_s and trial.steps:
            shares = [
                Curve.around(trace, channel, trial.window_s).observed_share
                for trace in traces
                for channel in trace.channels
                if (trace.sensor, channel.component, channel.scope)
                == (reading.sensor, reading.component, reading.scope)
            ]
            step_s = trial.window_length_s / trial.steps
            return [Notice.of(Code.NEAR_SENSOR_PERIOD, step_s, min(shares, default=0.0))]
    return []


def _implausible(trials: Sequence[Trial]) -> list[Notice]:
    """Return a notice of the samples that were left out, of components that are charged and of others."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for reading in (reading for trial in trials for reading in trial.energy):
        key = reading.sensor, channel_label(reading.component, reading.scope)
        left_out, samples = counts.get(key, (0, 0))
        counts[key] = left_out + reading.implausible, samples + reading.samples
    texts = [
        f"{sensor}, {label}, in {left_out} of {samples} samples"
        for (sensor, label), (left_out, samples) in counts.items()
        if left_out
    ]
    return [Notice.of(Code.IMPLAUSIBLE_SAMPLES, "; ".join(texts))] if texts else []


def _states(trials: Sequence[Trial], traces: Sequence[Trace], uuid: str) -> list[list[GpuState]]:
    return gpu_states([trial.window_s for trial in trials if trial.window_s], traces, uuid)


def gpu_states(windows: Sequence[Window], traces: Sequence[Trace], uuid: str) -> list[list[GpuState]]:
    """Return the states of a GPU around each window, in the order of time."""
    states = sorted((s for trace in traces for s in trace.states if s.scope == uuid), key=lambda state: state.t_s)
    return [[s for s in states if begin - STATE_PERIOD_S <= s.t_s <= end + STATE_PERIOD_S] for begin, end in windows]


def _clock_moved(by_window: Sequence[Sequence[GpuState]]) -> list[Notice]:
    """Return a notice about the window whose clock moved most from its first state to its last."""
    worst, text = CLOCK_MOVED, ""
    for states in by_window:
        clocks = [state.sm_clock_mhz for state in states if state.sm_clock_mhz]
        if clocks and (moved := abs(clocks[-1] / clocks[0] - 1)) > worst:
            worst, text = moved, f"from {clocks[0]:.0f} to {clocks[-1]:.0f} MHz in one window"
    return [Notice.of(Code.BOARD_CLOCK_MOVED, text, CLOCK_MOVED)] if text else []


def throttle_reasons(states: Sequence[GpuState]) -> tuple[str, ...]:
    """Return why the clocks of a GPU were reduced, but for its power limit, which binds in any heavy load."""
    return tuple(sorted(set().union(*(_reasons(state) for state in states))))


def _reasons(state: GpuState) -> set[str]:
    return set(state.throttled or ()) - {POWER_CAP}


def _throttled(states: Sequence[GpuState]) -> list[Notice]:
    reasons, in_states = throttle_reasons(states), sum(bool(_reasons(state)) for state in states)
    text = f"{', '.join(reasons)} in {in_states} of {len(states)} samples"
    return [Notice.of(Code.BOARD_THROTTLED, text)] if reasons else []


def _power_capped(states: Sequence[GpuState]) -> list[Notice]:
    capped = [state for state in states if POWER_CAP in (state.throttled or ())]
    limits = sorted({state.power_limit_w for state in capped if state.power_limit_w is not None})
    limit = f"{' and '.join(f'{limit_w:.0f} W' for limit_w in limits)}, " if limits else ""
    text = f"{limit}in {len(capped)} of {len(states)} samples"
    return [Notice.of(Code.BOARD_POWER_CAPPED, text)] if capped else []


def _shared(gpus: Sequence[Gpu], states: Sequence[GpuState]) -> list[Notice]:
    if any(gpu.mig for gpu in gpus):
        return [Notice.of(Code.BOARD_SHARED, "it is split (MIG), and power is measured for the whole of it")]
    most = max((state.processes or 0 for state in states), default=0)
    return [Notice.of(Code.BOARD_SHARED, f"{most} processes computed on it at once")] if most > 1 else []


def _unknown_cpu(attributed: Sequence[tuple[Trial, EnergyReading]], traces: Sequence[Trace]) -> list[Notice]:
    if not any(reading.kind == "model" and reading.component == "cpu" for _, reading in attributed):
        return []
    sources = [c.source for trace in traces for c in trace.channels if c.component == "cpu" and UNKNOWN_CPU in c.source]
    # The notice itself says that the processor is not known.
    return [Notice.of(Code.CPU_NOT_KNOWN, re.sub(rf", since [^)]*{UNKNOWN_CPU}", "", sources[0]))] if sources else []
