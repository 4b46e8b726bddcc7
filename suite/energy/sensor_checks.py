"""What the sensors themselves say against a case's energy: notices from its readings and its board's state. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from joulemark.suite.energy.integration import curve
from joulemark.suite.notices import Code
from joulemark.suite.records import BoardState, EnergyReading, Gpu, Notice, Trace, Trial

RESIDUAL: Final = 0.10
"""Counter and integral of one board differ by more than this only when one of them is wrong."""
RESIDUAL_WINDOW_S: Final = 5.0
"""Below this they differ by their ticks alone: -26 % at 0.5 s, about 0 at 5 s on a counter with a 100 ms tick."""
LOOK_S: Final = 1.0
"""A board's state is looked at once a second: the looks at both ends of a window are up to so far outside of it, where
the load is steady too (a trial on a board runs 1.2 s before and after its window)."""
CLOCK_MOVED: Final = 0.05
"""Between the first and the last look. Under a steady load and within its limits a board keeps its clock to a step or
two of 15 MHz."""
POWER_CAP: Final = "power_cap"
"""The reason for lower clocks that is no fault: the board draws what it may."""
UNKNOWN_CPU: Final = "does not know this CPU"


def sensor_notices(
    trials: Sequence[Trial], traces: Sequence[Trace], device: str, gpus: Sequence[Gpu]
) -> tuple[Notice, ...]:
    """Notices of a case on `device` (`cpu`, `cuda:0+cuda:1`) from its `trials` that are ok, and the run's `traces`."""
    charged = [(trial, energy) for trial in trials for energy in trial.energy if energy.attributed]
    boards = [gpu for gpu in gpus if gpu.device in device.split("+")]
    looks = [of_window for board in boards for of_window in _looks(trials, traces, board.uuid)]
    states = [state for of_window in looks for state in of_window]
    return (
        *_disagreement(charged),
        *_in_step(charged, traces),
        *_throttled(states),
        *_power_capped(states),
        *_clock_moved(looks),
        *_shared(boards, states),
        *_unknown_cpu(charged, traces),
    )


def _disagreement(charged: Sequence[tuple[Trial, EnergyReading]]) -> list[Notice]:
    residuals = [
        energy.residual
        for trial, energy in charged
        if energy.residual is not None and trial.window_length_s >= RESIDUAL_WINDOW_S
    ]
    worst = max(residuals, key=abs, default=0.0)
    return [Notice.of(Code.SENSORS_DISAGREE, worst, RESIDUAL)] if abs(worst) > RESIDUAL else []


def _in_step(charged: Sequence[tuple[Trial, EnergyReading]], traces: Sequence[Trace]) -> list[Notice]:
    for trial, energy in charged:
        if energy.in_step and trial.window_s and trial.steps:
            shares = [
                curve(trace, channel, trial.window_s).seen_share
                for trace in traces
                for channel in trace.channels
                if (trace.sensor, channel.component, channel.scope) == (energy.sensor, energy.component, energy.scope)
            ]
            return [Notice.of(Code.NEAR_SENSOR_PERIOD, trial.window_length_s / trial.steps, min(shares, default=0.0))]
    return []


def _looks(trials: Sequence[Trial], traces: Sequence[Trace], scope: str) -> list[list[BoardState]]:
    """The states of a board about the window of each trial, in the order of time."""
    states = sorted((s for trace in traces for s in trace.states if s.scope == scope), key=lambda state: state.t_s)
    windows = [trial.window_s for trial in trials if trial.window_s]
    return [[s for s in states if begin - LOOK_S <= s.t_s <= end + LOOK_S] for begin, end in windows]


def _clock_moved(looks: Sequence[Sequence[BoardState]]) -> list[Notice]:
    """The window whose clock moved most from its first look to its last."""
    worst, text = CLOCK_MOVED, ""
    for of_window in looks:
        clocks = [state.sm_clock_mhz for state in of_window if state.sm_clock_mhz]
        if clocks and (moved := abs(clocks[-1] / clocks[0] - 1)) > worst:
            worst, text = moved, f"from {clocks[0]:.0f} to {clocks[-1]:.0f} MHz in one window"
    return [Notice.of(Code.BOARD_CLOCK_MOVED, text, CLOCK_MOVED)] if text else []


def _throttled(states: Sequence[BoardState]) -> list[Notice]:
    held = [set(state.throttled or ()) - {POWER_CAP} for state in states]
    reasons = sorted(set().union(*held))
    text = f"{', '.join(reasons)} in {sum(map(bool, held))} of {len(states)} looks"
    return [Notice.of(Code.BOARD_THROTTLED, text)] if reasons else []


def _power_capped(states: Sequence[BoardState]) -> list[Notice]:
    capped = [state for state in states if POWER_CAP in (state.throttled or ())]
    limits = sorted({state.power_limit_w for state in capped if state.power_limit_w is not None})
    limit = f"{' and '.join(f'{limit_w:.0f} W' for limit_w in limits)}, " if limits else ""
    text = f"{limit}in {len(capped)} of {len(states)} looks"
    return [Notice.of(Code.BOARD_POWER_CAPPED, text)] if capped else []


def _shared(boards: Sequence[Gpu], states: Sequence[BoardState]) -> list[Notice]:
    if any(board.mig for board in boards):
        return [Notice.of(Code.BOARD_SHARED, "it is split (MIG), and power is measured for the whole of it")]
    most = max((state.processes or 0 for state in states), default=0)
    return [Notice.of(Code.BOARD_SHARED, f"{most} processes computed on it at once")] if most > 1 else []


def _unknown_cpu(charged: Sequence[tuple[Trial, EnergyReading]], traces: Sequence[Trace]) -> list[Notice]:
    if not any(energy.kind == "model" and energy.component == "cpu" for _, energy in charged):
        return []
    sources = [c.source for trace in traces for c in trace.channels if c.component == "cpu" and UNKNOWN_CPU in c.source]
    return [Notice.of(Code.CPU_NOT_KNOWN, sources[0])] if sources else []
