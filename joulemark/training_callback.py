"""What the callbacks of all frameworks share: a training that is measured, saved and logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from joulemark.measurement import Measurement
from joulemark.meter import Meter
from joulemark.suite.system.ranks import Rank
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.trackers.base import Tracker
from joulemark.tracking.log import Active, TrackingLog
from joulemark.tracking.values import training_rows
from joulemark.training import Epoch, Training


class TrainingCallbackMixin:
    """What the callbacks of all frameworks offer once a training has ended."""

    training: Training
    _save: str | Path | None
    _log: TrackingLog | None
    """None where nothing is logged to trackers."""
    _active: Active | None
    """The runs that were active when the training began, since some end before it does; None: another rank logs."""

    def set_up(self, framework: str, name: str, steps: int, save: str | Path | None, options: dict[str, Any]) -> None:
        """Make the meter. `options` are those of `joulemark.Meter`."""
        about = {"framework": framework, "phase": "training", **options.pop("about", {})}
        track = options.pop("track", None)  # of epochs and steps, once the training has ended
        meter = Meter(name, item="step", about=about, **options)
        self.training = Training(meter, steps)
        self._save = save
        self._log = None if track is None else TrackingLog(track, name, meter.parameters)

    def begin_training(
        self,
        rank: Rank | None = None,
        barrier: Callable[[], object] | None = None,
        contexts: Callable[[], Sequence[Tracker]] = tuple,
    ) -> None:
        """Begin the training.

        Args:
            rank: Which rank this process is, where the framework knows it better than the launcher's variables.
            barrier: Returns once all ranks have called it. Called where there are several nodes, to align their clocks.
            contexts: Returns the runs of trackers that the framework itself logs to, for `track="active"`.
        """
        meter = self.training.meter
        meter.set_rank(rank)
        self._active = None
        if self._log is not None:
            self._log.load()
            meter.prepare()
            if not meter.is_counted_elsewhere:
                self._active = self._log.active(contexts())
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
        """End the training, write the run file if one was asked for, and log to the trackers."""
        self.training.end()
        saved = self.training.save(self._save) if self._save is not None and self.epochs else None
        if self._log is not None and self._active is not None and self.whole is not None:
            targets = self._log.targets(self._active)
            series = "/".join(filter(None, [self._log.prefix, self.training.meter.node_name]))
            self._log.log(targets, training_rows(series, self.training), [self.whole])
            if saved is not None:
                self._log.attach(saved, targets)
            elif self.epochs:
                with scratch_directory() as folder:
                    self._log.attach(self.training.save(folder / f"{self._log.name}.json"), targets)
            self._log.close()
