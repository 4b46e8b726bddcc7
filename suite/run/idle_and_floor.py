"""What is measured around the trials: idle windows and the noise floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

from joulemark.suite.errors import MeasurementError
from joulemark.suite.notices import Code
from joulemark.suite.records import Floor, Idle, Notice
from joulemark.suite.records.journal import Journal
from joulemark.suite.trial import noise_floor

MAX_SETTLING_S = 60.0
"""Longest wait for the machine to become idle after the last trial, seconds."""

SETTLED_WITHIN = 0.02
"""Power has settled when it changes by less than this between two successive spans of 2 s."""

_SAMPLE_PERIOD_S = 0.5
_SAMPLES_PER_SPAN = 4


def wait_until_settled(latest_power_w: Callable[[], float | None]) -> None:
    """Wait until power is flat: GPUs stay warm, and fans on, for a while after the last trial.

    Returns at once without a power sensor, and after MAX_SETTLING_S in any case.
    """
    deadline = time.monotonic() + MAX_SETTLING_S
    powers_w: list[float] = []
    while time.monotonic() < deadline:
        time.sleep(_SAMPLE_PERIOD_S)
        power_w = latest_power_w()
        if power_w is None:
            return
        powers_w.append(power_w)
        if len(powers_w) >= 2 * _SAMPLES_PER_SPAN:
            earlier = sum(powers_w[-2 * _SAMPLES_PER_SPAN : -_SAMPLES_PER_SPAN]) / _SAMPLES_PER_SPAN
            later = sum(powers_w[-_SAMPLES_PER_SPAN:]) / _SAMPLES_PER_SPAN
            if abs(later - earlier) <= SETTLED_WITHIN * max(earlier, later):
                return


class IdleAndFloor:
    """Writes idle windows and passes of the noise floor to the journal."""

    def __init__(self, journal: Journal, now: Callable[[], float], variables: Mapping[str, str], threads: int) -> None:
        """`now`: seconds since the run started; `variables` and `threads`: those of the noise floor's process."""
        self._journal, self._now = journal, now
        self._variables = {**variables, "OPENBLAS_NUM_THREADS": str(threads)}
        self._floor_failed = False

    def measure_idle(self, when: Literal["before", "after"], duration_s: float) -> None:
        """Let the machine idle for `duration_s`."""
        start_s = self._now()
        time.sleep(duration_s)
        self._journal.idle(Idle(when=when, window_s=(start_s, self._now())))

    def measure_floor(self) -> None:
        """Run the fixed loop once. Its first failure becomes a notice: later ones would repeat it."""
        at_s = self._now()
        try:
            durations = noise_floor.measure(self._variables)
        except MeasurementError as error:
            if not self._floor_failed:
                self._journal.notice(Notice.of(Code.FLOOR_NOT_MEASURED, str(error)))
            self._floor_failed = True
            return
        self._journal.floor(Floor(at_s=at_s, **durations))
