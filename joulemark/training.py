"""Measure a training by steps, epochs and as a whole: what the callbacks of all frameworks share.

Only times are kept while it runs. The steps of an epoch and the remainder, such as validation and checkpoints, tile the
epoch, so that their energy adds up to the epoch's: exactly for energy counters, and for power samples that are linear
between sensor samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from joulemark.epoch_marks import EpochMarks, Window, gaps_between
from joulemark.measurement import Measurement
from joulemark.meter import Meter
from joulemark.suite.errors import UsageError
from joulemark.window_reader import WindowSum


@dataclass(frozen=True)
class Epoch:
    """The energy of one epoch."""

    whole: Measurement
    """The whole epoch."""
    steps: int
    """Number of steps, whether they were marked or not."""
    step_s: tuple[float, ...]
    """Duration of each step, or of each group that was marked together, seconds; empty where none was marked."""
    step_energy_j: tuple[float | None, ...]
    """Energy of each of these, joules; None where not measured."""
    step_components_j: tuple[Mapping[str, float], ...]
    """The same by component, joules, of those that were measured."""
    step_counts: tuple[int, ...]
    """How many steps each of these has: more than one where several were marked together."""
    step_end_s: tuple[float, ...]
    """When each of these ended, CLOCK_MONOTONIC seconds."""
    rest_j: float | None
    """Energy of the remainder, such as validation and checkpoints, joules; None where not measured."""


class Training:
    """The marks of one training, and its measurements once it has ended."""

    def __init__(self, meter: Meter, every: int = 1) -> None:
        """Measure with `meter`, marking `every` steps together; 0 marks none. UsageError where that is no count."""
        if not isinstance(every, int) or isinstance(every, bool) or every < 0:
            raise UsageError(f"steps is how many steps are marked together, 0 or more, found {every!r:.80}.")
        self.meter = meter
        self.every = every
        self._begin_s: float | None = None
        self._marks: list[EpochMarks] = []
        self._whole: Measurement | None = None
        self._epochs: tuple[Epoch, ...] | None = None
        self._rest_j: float | None = None

    def begin(self) -> None:
        """Begin the training, and forget an earlier one. JoulemarkError as in `Meter.start`."""
        self.meter.prepare()
        self.meter.clear()
        self._marks, self._whole, self._epochs = [], None, None
        self._begin_s = self.meter.mark()

    def begin_epoch(self) -> None:
        """Begin an epoch."""
        self._marks.append(EpochMarks(self.meter.mark()))

    def begin_step(self, count: int = 1) -> None:
        """Begin a step, or a group of `count` that the framework runs as one. The previous one ends."""
        if not self._marks:
            return
        marks = self._marks[-1]
        if self.every and (marks.open_s is None or marks.steps % self.every == 0):
            now_s = self.meter.mark()
            marks.close(now_s)
            marks.open(now_s)
        marks.steps += count

    def end_step(self) -> None:
        """End the current step. What follows belongs to the remainder, until the next step begins."""
        if self._marks and self._marks[-1].open_s is not None:
            self._marks[-1].close(self.meter.mark())

    def end_epoch(self, steps: int | None = None) -> None:
        """End the epoch, which has `steps` steps at most where that is known."""
        if self._marks:
            self._marks[-1].end(self.meter.mark(), steps)

    def end(self) -> None:
        """End the training. Does nothing where none is going on."""
        if self._begin_s is not None:
            self._whole = self.meter.window(self._begin_s, self.meter.mark())
            self._begin_s = None
            for marks in self._ended_epochs():
                assert marks.end_s is not None
                self.meter.add(marks.begin_s, marks.end_s, items=max(1, marks.steps))

    @property
    def whole(self) -> Measurement | None:
        """The whole training; None before it has ended."""
        return self._whole

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epochs that ended, in order; empty before the training has ended."""
        if self._epochs is None:
            if self._whole is None:
                return ()
            self._epochs = self._read_epochs(self._whole)
        return self._epochs

    @property
    def rest_j(self) -> float | None:
        """Energy of the training outside its epochs, joules; None where not measured, or before the end."""
        return self._rest_j if self.epochs else None

    def save(self, path: str | Path) -> Path:
        """Write a run file with each epoch as a trial, and return its path. JoulemarkError as in `Meter.save`."""
        blocks = [marks.blocks() for marks in self._ended_epochs()]
        return self.meter.save(
            path, step_s=[durations_s for durations_s, _ in blocks], steps_per_block=[size for _, size in blocks]
        )

    def _ended_epochs(self) -> list[EpochMarks]:
        return [marks for marks in self._marks if marks.end_s is not None]

    def _read_epochs(self, whole: Measurement) -> tuple[Epoch, ...]:
        """Return the epochs, with the energy of all their windows read in one request."""
        ended = self._ended_epochs()
        outside = gaps_between(whole.begin_s, [(m.begin_s, m.end_s or m.begin_s) for m in ended], whole.end_s)
        groups: list[Sequence[Window]] = [group for marks in ended for group in (marks.windows, marks.gaps())]
        sums = iter(self.meter.component_sums([window for group in (*groups, outside) for window in group]))
        by_group = [[next(sums) for _ in group] for group in (*groups, outside)]
        self._rest_j = _sum(by_group.pop())
        return tuple(
            Epoch(
                whole=measurement,
                steps=marks.steps,
                step_s=tuple(end_s - begin_s for begin_s, end_s in marks.windows),
                step_energy_j=tuple(energy_j for energy_j, _ in step_sums),
                step_components_j=tuple(components_j for _, components_j in step_sums),
                step_counts=tuple(marks.sizes),
                step_end_s=tuple(end_s for _, end_s in marks.windows),
                rest_j=_sum(gap_sums),
            )
            for measurement, marks, step_sums, gap_sums in zip(
                self.meter.measurements, ended, by_group[::2], by_group[1::2], strict=True
            )
        )


def _sum(sums: Sequence[WindowSum]) -> float | None:
    """Return the sum of joules; None where one of them is not known."""
    known_j = [energy_j for energy_j, _ in sums if energy_j is not None]
    return sum(known_j) if len(known_j) == len(sums) else None
