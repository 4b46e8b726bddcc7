"""The times of one epoch of a training: its steps, and what lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Window = tuple[float, float]
"""Begin and end, CLOCK_MONOTONIC seconds."""


@dataclass
class EpochMarks:
    """The marks of one epoch."""

    begin_s: float
    windows: list[Window] = field(default_factory=list)
    """Steps, or groups of steps that are marked together."""
    sizes: list[int] = field(default_factory=list)
    """Number of steps in each window."""
    steps: int = 0
    """Number of steps so far, marked or not."""
    end_s: float | None = None
    open_s: float | None = None
    """Begin of the window that is open; None between windows."""
    _steps_before: int = 0
    """Steps before the open window."""

    def open(self, time_s: float) -> None:
        """Open a window at the begin of a step."""
        self.open_s, self._steps_before = time_s, self.steps

    def close(self, time_s: float) -> None:
        """Close the open window, if there is one."""
        if self.open_s is not None:
            self.windows.append((self.open_s, time_s))
            self.sizes.append(self.steps - self._steps_before)
            self.open_s = None

    def end(self, time_s: float, steps: int | None) -> None:
        """End the epoch. `steps`, where known, corrects the count: a last group that was not full counted as full."""
        self.close(time_s)
        self.end_s = time_s
        surplus = max(0, self.steps - steps) if steps else 0
        self.steps -= surplus
        if self.sizes:
            self.sizes[-1] -= surplus

    def blocks(self) -> tuple[list[float], int]:
        """Return the durations of the windows with the most steps, seconds, and how many steps each has.

        Windows that a validation or the end of the epoch cut short are left out: a block is of equal steps.
        """
        size = max(self.sizes, default=1)
        durations_s = [end_s - begin_s for begin_s, end_s in self.windows]
        return [duration_s for duration_s, steps in zip(durations_s, self.sizes, strict=True) if steps == size], size

    def gaps(self) -> list[Window]:
        """Return the parts of the epoch that are in no window."""
        assert self.end_s is not None
        return gaps_between(self.begin_s, self.windows, self.end_s)


def gaps_between(begin_s: float, windows: Sequence[Window], end_s: float) -> list[Window]:
    """Return what `windows`, in order of time, leave of the interval from `begin_s` to `end_s`."""
    borders = [begin_s, *(border for window in windows for border in window), end_s]
    return list(zip(borders[::2], borders[1::2], strict=True))
