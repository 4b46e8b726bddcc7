"""What the machine drew at rest: before and after a run, and with a program resident on its device. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from joulemark.suite.records import Case, EnergyReading, Kind, RunFile, Trial

When = Literal["before", "after", "resident"]


@dataclass(frozen=True)
class IdlePowerRow:
    """Mean power of one component over one window at rest."""

    when: When
    case: Case | None
    """Whose program was resident, context and model on the device and nothing running; None where none was."""
    component: str
    """Empty where no window was looked at at all."""
    scope: str
    power_w: float | None
    """None where not measured, with the reason."""
    kind: Kind
    length_s: float
    reason: str | None


def idle_power_rows(run_file: RunFile) -> tuple[IdlePowerRow, ...]:
    """Every reading at rest, and the reason where no program was looked at while it was resident."""
    found = [_draw(entry.when, None, reading, entry.window_s) for entry in run_file.idle for reading in entry.energy]
    resident = [
        _draw("resident", case, reading, trial.resident_idle.window_s)
        for case, trial in _resident(run_file.cases)
        if trial.resident_idle is not None
        for reading in trial.resident_idle.energy
    ]
    return (*found, *(resident or [_none(run_file.cases)]))


def _resident(cases: Sequence[Case]) -> Iterator[tuple[Case, Trial]]:
    return ((case, trial) for case in cases for trial in case.trials if trial.resident_idle is not None)


def _draw(when: When, case: Case | None, reading: EnergyReading, window_s: tuple[float, float]) -> IdlePowerRow:
    length_s = window_s[1] - window_s[0]
    known = reading.energy_j is not None and length_s > 0
    return IdlePowerRow(
        when=when,
        case=case,
        component=reading.component,
        scope=reading.scope,
        power_w=reading.energy_j / length_s if known and reading.energy_j is not None else None,
        kind=reading.kind,
        length_s=length_s,
        reason=reading.reason if reading.energy_j is not None or reading.reason else "the window has no length",
    )


def _none(cases: Sequence[Case]) -> IdlePowerRow:
    """No reading with a resident program, and why."""
    if any(True for _ in _resident(cases)):
        reason = "no sensor was read"
    elif any(case.device != "cpu" for case in cases):
        reason = "no trial on a GPU recorded it"
    else:
        reason = "cases on the CPU leave no context and no model on a device"
    return IdlePowerRow("resident", None, "", "", None, "unavailable", 0.0, reason)
