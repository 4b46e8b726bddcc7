"""Notices: everything that can make a result misleading, each with its message, consequence and remedy.

A notice is stored in the result and shown in the terminal and the report. The texts are in `notices.toml`.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum, auto
from functools import cache
from importlib.resources import files
from typing import Final


class Code(StrEnum):
    """Codes of notices. A code is never renamed: other programs match on it."""

    ENERGY_ESTIMATED = auto()
    ENERGY_UNAVAILABLE = auto()
    ENERGY_LOWER_BOUND = auto()
    WORLD_INTENSITY = auto()
    OLD_INTENSITY = auto()
    STALE_INTENSITY = auto()
    INTENSITY_FALLBACK = auto()
    OLD_TOKEN = auto()
    TOO_FEW_TRIALS = auto()
    HIGH_VARIANCE = auto()
    NOT_STEADY = auto()
    TRIALS_LOST = auto()
    SPAWNED = auto()
    TURNS_NOT_TAKEN = auto()
    ENVIRONMENT_KEPT = auto()
    ENVIRONMENT_DROPPED = auto()
    THREADS_BOUND = auto()
    RUN_INCOMPLETE = auto()
    JOURNAL_DAMAGED = auto()
    TRACE_DAMAGED = auto()
    CLOCK_SET_BACK = auto()
    SIMULATED = auto()
    OUTPUTS_DIFFER = auto()
    IDLE_DRIFT = auto()
    TOO_SHORT_FOR_SENSOR = auto()
    SENSORS_DISAGREE = auto()
    NEAR_SENSOR_PERIOD = auto()
    IMPLAUSIBLE_SAMPLES = auto()
    BOARD_THROTTLED = auto()
    BOARD_POWER_CAPPED = auto()
    BOARD_CLOCK_MOVED = auto()
    BOARD_SHARED = auto()
    CPU_NOT_KNOWN = auto()
    LAUNCH_BOUND = auto()
    GPU_IDLE = auto()
    RETRACED = auto()
    MEMORY_CHURN = auto()
    MACHINE_BUSY = auto()
    CGROUP_THROTTLED = auto()
    FREQUENCY_SCALING = auto()
    NOISY_FLOOR = auto()
    FLOOR_NOT_MEASURED = auto()
    RANK_SLOWER = auto()
    MODE_DIFFERS = auto()
    TRAINING_DRIFT = auto()
    BEYOND_PEAK = auto()
    BEYOND_ROOF = auto()
    WHOLE_MACHINE = auto()
    METER_RESTARTED = auto()
    NODE_BELOW_PARTS = auto()

    @property
    def message(self) -> str:
        """What was found: a template over {value} and {threshold}, filled in by `suite.records.Notice.of`."""
        return _texts()[self]["message"]

    @property
    def consequence(self) -> str:
        """What it does to the result."""
        return _texts()[self]["consequence"]

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return _texts()[self]["remedy"]

    @property
    def docs(self) -> str:
        """The page of `docs/` that says more."""
        return _texts()[self]["docs"]


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("joulemark.suite").joinpath("notices.toml").read_text(encoding="utf-8"))


INVALIDATING: Final = frozenset(
    {
        Code.HIGH_VARIANCE,
        Code.NOT_STEADY,
        Code.TRIALS_LOST,
        Code.OUTPUTS_DIFFER,
        Code.MODE_DIFFERS,
        Code.BEYOND_PEAK,
        Code.RETRACED,
        Code.MACHINE_BUSY,
        Code.CGROUP_THROTTLED,
        Code.THREADS_BOUND,
        Code.BOARD_THROTTLED,
        Code.BOARD_SHARED,
        Code.TOO_SHORT_FOR_SENSOR,
        Code.TOO_FEW_TRIALS,
    }
)
"""Notices that make a case invalid: `--strict` then exits with 4."""
