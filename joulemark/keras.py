"""The callback for Keras 3, with any backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.training_callback import TrainingCallbackMixin

_FRAMEWORK_NAMES = {framework.module: name for name, framework in FRAMEWORKS.items()}
"""joulemark's names of Keras's backends."""


class KerasCallback(TrainingCallbackMixin, keras.callbacks.Callback):  # type: ignore[misc]  # untyped
    """Measure the energy and emissions of `model.fit`, by epoch and step.

        model.fit(..., callbacks=[joulemark.KerasCallback(zone="CH")])

    After the training, the history has `energy_j`, `emissions_g` and `step_energy_j` for each epoch. `whole`, `epochs`
    and `rest_j` of the callback have every measurement. A step lasts from the begin of a batch to that of the next.
    """

    def __init__(self, steps: int = 1, save: str | Path | None = None, name: str = "fit", **options: Any) -> None:
        """Make a callback.

        Args:
            steps: How many steps are marked together; 0 marks none.
            save: Path of a run file to write, with each epoch as a trial.
            name: Name of the case in the run file.
            options: Arguments of `joulemark.Meter`, `track` among them.
        """
        super().__init__()
        backend = keras.backend.backend()
        self.set_up(_FRAMEWORK_NAMES.get(backend, backend), name, steps, save, options)

    def on_train_begin(self, logs: Any = None) -> None:
        self.begin_training()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.training.begin_epoch()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # Not at the end of a batch: Keras fetches the losses from the device for a callback that listens there.
        self.training.begin_step(getattr(self.model, "steps_per_execution", 1) or 1)

    def on_test_begin(self, logs: Any = None) -> None:
        self.training.end_step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.training.end_epoch(self.params.get("steps"))

    def on_train_end(self, logs: Any = None) -> None:
        self.finish()
        history = getattr(self.model, "history", None)
        if history is not None:
            history.history["energy_j"] = [epoch.whole.energy.value for epoch in self.epochs]
            history.history["emissions_g"] = [epoch.whole.emissions.value for epoch in self.epochs]
            history.history["step_energy_j"] = [list(epoch.step_energy_j) for epoch in self.epochs]
