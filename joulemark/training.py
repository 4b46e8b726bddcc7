"""A training marked while it runs: steps, epochs and the whole, which the callbacks of all frameworks share.

Only times are kept while it runs. What an epoch has beside its steps (validation, checkpoints) is its rest, so that
steps and rest tile the epoch, and add up to it: exactly for energy counters, and for power samples that are linear
between reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joulemark.measurement import Measurement
from joulemark.meter import Meter

Window = tuple[float, float]


@dataclass(frozen=True)
class Epoch:
    """One epoch."""

    whole: Measurement
    steps: int
    """How many there were, whether they were marked or not."""
    step_s: tuple[float, ...]
    """Duration of each step, or of each group that was marked together, seconds; empty where none was."""
    step_energy_j: tuple[float | None, ...]
    """Joules of each of these; None where not measured."""
    rest_j: float | None
    """Joules of the epoch beside them: validation, checkpoints."""


@dataclass
class _Marks:
    """The times of one epoch."""

    begin_s: float
    steps: list[Window] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """How many steps each of these is."""
    open_s: float | None = None
    """When the step that goes on began; None between steps."""
    open_at: int = 0
    """How many there were before it."""
    count: int = 0
    end_s: float | None = None

    def open(self, at_s: float) -> None:
        """A step begins."""
        self.open_s, self.open_at = at_s, self.count

    def close(self, at_s: float) -> None:
        """The step that goes on ends."""
        if self.open_s is not None:
            self.steps.append((self.open_s, at_s))
            self.sizes.append(self.count - self.open_at)
            self.open_s = None

    def end(self, at_s: float, steps: int | None) -> None:
        """The epoch ends, of `steps` steps at most: of a last group that was not full, all were counted."""
        self.close(at_s)
        self.end_s = at_s
        surplus = max(0, self.count - steps) if steps else 0
        self.count -= surplus
        if self.sizes:
            self.sizes[-1] -= surplus

    def blocks(self) -> tuple[list[float], int]:
        """Durations of what was marked together, seconds, and how many steps each is: of the largest, since one that a
        test or the epoch's end cut short is no block of as many steps."""
        size = max(self.sizes, default=1)
        return [end - begin for (begin, end), own in zip(self.steps, self.sizes, strict=True) if own == size], size

    def rest(self) -> list[Window]:
        """What of the epoch is no step."""
        assert self.end_s is not None
        return _gaps(self.begin_s, self.steps, self.end_s)


class Training:
    """The marks of one training, and what they come to once it is over."""

    def __init__(self, meter: Meter, every: int = 1) -> None:
        """`every`: how many steps are marked together; 0: none is marked."""
        self.meter = meter
        self.every = every
        self._begin_s: float | None = None
        self._marks: list[_Marks] = []
        self._whole: Measurement | None = None
        self._epochs: tuple[Epoch, ...] | None = None
        self._rest_j: float | None = None

    def begin(self) -> None:
        """The training begins; what an earlier one left is forgotten. JoulemarkError as `Meter.start` has it."""
        self.meter.prepare()
        self.meter.clear()
        self._marks, self._whole, self._epochs = [], None, None
        self._begin_s = self.meter.mark()

    def epoch_begins(self) -> None:
        """An epoch begins."""
        self._marks.append(_Marks(self.meter.mark()))

    def step_begins(self, count: int = 1) -> None:
        """A step begins, or a group of `count` that the framework runs as one; the one before it ends."""
        if not self._marks:
            return
        marks = self._marks[-1]
        if self.every and (marks.open_s is None or marks.count % self.every == 0):
            now_s = self.meter.mark()
            marks.close(now_s)
            marks.open(now_s)
        marks.count += count

    def steps_end(self) -> None:
        """The step that goes on has ended: what follows is none, until the next begins."""
        if self._marks and self._marks[-1].open_s is not None:
            self._marks[-1].close(self.meter.mark())

    def epoch_ends(self, steps: int | None = None) -> None:
        """The epoch has ended, of `steps` steps at most where that is known."""
        if self._marks:
            self._marks[-1].end(self.meter.mark(), steps)

    def end(self) -> None:
        """The training has ended. Does nothing where none goes on."""
        if self._begin_s is not None:
            self._whole = self.meter.window(self._begin_s, self.meter.mark())
            self._begin_s = None
            for marks in self._ended():
                assert marks.end_s is not None
                self.meter.add(marks.begin_s, marks.end_s, items=max(1, marks.count))

    @property
    def whole(self) -> Measurement | None:
        """From the beginning to the end; None where it has not ended."""
        return self._whole

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epochs that ended, once the training has: made when first asked for."""
        if self._epochs is None:
            if self._whole is None:
                return ()
            self._epochs = self._made()
        return self._epochs

    @property
    def rest_j(self) -> float | None:
        """Joules of the whole beside its epochs; None where not measured, or before the end."""
        return self._rest_j if self.epochs else None

    def save(self, path: str | Path) -> Path:
        """Write a run file with each epoch as a trial. JoulemarkError as `Meter.save` has it."""
        blocks = [marks.blocks() for marks in self._ended()]
        return self.meter.save(
            path, step_s=[durations for durations, _ in blocks], steps_per_block=[size for _, size in blocks]
        )

    def _ended(self) -> list[_Marks]:
        return [marks for marks in self._marks if marks.end_s is not None]

    def _made(self) -> tuple[Epoch, ...]:
        """The epochs, all their windows read at once."""
        assert self._whole is not None
        ended = self._ended()
        outside = _gaps(self._whole.begin_s, [(m.begin_s, m.end_s or m.begin_s) for m in ended], self._whole.end_s)
        groups: list[Sequence[Window]] = [group for marks in ended for group in (marks.steps, marks.rest())]
        sums = iter(self.meter.sums_j([window for group in (*groups, outside) for window in group]))
        joules = [[next(sums) for _ in group] for group in (*groups, outside)]
        self._rest_j = _added(joules.pop())
        return tuple(
            Epoch(
                whole=whole,
                steps=marks.count,
                step_s=tuple(end - begin for begin, end in marks.steps),
                step_energy_j=tuple(steps),
                rest_j=_added(rest),
            )
            for whole, marks, steps, rest in zip(self.meter.measurements, ended, joules[::2], joules[1::2], strict=True)
        )


def _gaps(begin_s: float, windows: Sequence[Window], end_s: float) -> list[Window]:
    """What `windows`, in the order of their times, leave of an interval."""
    borders = [begin_s, *(border for window in windows for border in window), end_s]
    return list(zip(borders[::2], borders[1::2], strict=True))


def _added(joules: Sequence[float | None]) -> float | None:
    """The sum; None where a part of it is not known."""
    return None if None in joules else sum(part or 0.0 for part in joules)


class TrainingCallbackMixin:
    """What the callbacks of all frameworks give, once a training has ended."""

    training: Training
    _save: str | Path | None

    def set_up(self, framework: str, name: str, steps: int, save: str | Path | None, options: dict[str, Any]) -> None:
        """Make the meter; `options` are those of `joulemark.Meter`."""
        about = {"framework": framework, "phase": "training", **options.pop("about", {})}
        self.training = Training(Meter(name, item="step", about=about, **options), steps)
        self._save = save

    @property
    def whole(self) -> Measurement | None:
        """The whole training; None before its end."""
        return self.training.whole

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epochs of the last training; none before its end."""
        return self.training.epochs

    @property
    def rest_j(self) -> float | None:
        """Joules of the whole beside its epochs; None where not measured."""
        return self.training.rest_j

    def finish(self) -> None:
        """The training has ended: write the run file where one was asked for."""
        self.training.end()
        if self._save is not None and self.epochs:
            self.training.save(self._save)
