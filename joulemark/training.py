"""Measure a training by steps, epochs and as a whole: what the callbacks of all frameworks share.

Only times are kept while it runs. The steps of an epoch and the remainder, such as validation and checkpoints, tile the
epoch, so that their energy adds up to the epoch's: exactly for energy counters, and for power samples that are linear
between sensor samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joulemark.epoch_marks import EpochMarks, Window, gaps_between
from joulemark.measurement import Measurement
from joulemark.meter import Meter
from joulemark.suite.errors import UsageError
from joulemark.suite.system.ranks import Rank


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
        energies_j = iter(self.meter.sums_j([window for group in (*groups, outside) for window in group]))
        by_group = [[next(energies_j) for _ in group] for group in (*groups, outside)]
        self._rest_j = _sum(by_group.pop())
        return tuple(
            Epoch(
                whole=measurement,
                steps=marks.steps,
                step_s=tuple(end_s - begin_s for begin_s, end_s in marks.windows),
                step_energy_j=tuple(step_energy_j),
                rest_j=_sum(gap_energy_j),
            )
            for measurement, marks, step_energy_j, gap_energy_j in zip(
                self.meter.measurements, ended, by_group[::2], by_group[1::2], strict=True
            )
        )


def _sum(energies_j: Sequence[float | None]) -> float | None:
    """Return the sum; None where one of them is not known."""
    return None if None in energies_j else sum(energy_j or 0.0 for energy_j in energies_j)


class TrainingCallbackMixin:
    """What the callbacks of all frameworks offer once a training has ended."""

    training: Training
    _save: str | Path | None

    def set_up(self, framework: str, name: str, steps: int, save: str | Path | None, options: dict[str, Any]) -> None:
        """Make the meter. `options` are those of `joulemark.Meter`."""
        about = {"framework": framework, "phase": "training", **options.pop("about", {})}
        self.training = Training(Meter(name, item="step", about=about, **options), steps)
        self._save = save

    def begin_training(self, rank: Rank | None = None, barrier: Callable[[], object] | None = None) -> None:
        """Begin the training.

        Args:
            rank: Which rank this process is, where the framework knows it better than the launcher's variables.
            barrier: Returns once all ranks have called it. Called where there are several nodes, to align their clocks.
        """
        meter = self.training.meter
        meter.set_rank(rank)
        self.training.begin()
        if meter.rank is not None:
            if self._save is not None:
                meter.keep(self._save)
            if barrier is not None and meter.rank.node_count != 1:
                meter.align(barrier)

    @property
    def whole(self) -> Measurement | None:
        """The whole training; None before it has ended."""
        return self.training.whole

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epochs of the last training; empty before it has ended."""
        return self.training.epochs

    @property
    def rest_j(self) -> float | None:
        """Energy of the training outside its epochs, joules; None where not measured."""
        return self.training.rest_j

    def finish(self) -> None:
        """End the training, and write the run file if one was asked for."""
        self.training.end()
        if self._save is not None and self.epochs:
            self.training.save(self._save)
