"""The callback for Keras 3, whatever its backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from joulemark.training import TrainingCallbackMixin

FRAMEWORKS = {"torch": "pytorch"}
"""Our names where they are not Keras's."""


class KerasCallback(TrainingCallbackMixin, keras.callbacks.Callback):  # type: ignore[misc]  # untyped
    """Joules and grams of `model.fit` by epoch and step.

    model.fit(..., callbacks=[joulemark.KerasCallback(zone="CH")])

    Once the training has ended, the history has `energy_j`, `emissions_g` and `step_energy_j` for each epoch, and
    `whole` and `epochs` here have all of it. A step is from the beginning of a batch to that of the next.
    """

    def __init__(self, steps: int = 1, save: str | Path | None = None, name: str = "fit", **options: Any) -> None:
        """`steps`: how many are marked together, 0: none. `save`: the path of a run file, each epoch a trial.

        `options`: as of `joulemark.Meter`.
        """
        super().__init__()
        backend = keras.backend.backend()
        self.set_up(FRAMEWORKS.get(backend, backend), name, steps, save, options)

    def on_train_begin(self, logs: Any = None) -> None:
        self.training.begin()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.training.epoch_begins()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # Not at a batch's end: there Keras fetches the losses from the device for whoever listens.
        self.training.step_begins(getattr(self.model, "steps_per_execution", 1) or 1)

    def on_test_begin(self, logs: Any = None) -> None:
        self.training.steps_end()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.training.epoch_ends(self.params.get("steps"))

    def on_train_end(self, logs: Any = None) -> None:
        self.finish()
        history = getattr(self.model, "history", None)
        if history is not None:
            history.history["energy_j"] = [epoch.whole.energy.value for epoch in self.epochs]
            history.history["emissions_g"] = [epoch.whole.emissions.value for epoch in self.epochs]
            history.history["step_energy_j"] = [list(epoch.step_energy_j) for epoch in self.epochs]
