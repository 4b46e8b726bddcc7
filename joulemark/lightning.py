"""The callback for Lightning, under either of its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

try:
    from lightning.pytorch import callbacks
except ModuleNotFoundError:
    from pytorch_lightning import callbacks

from joulemark.training import TrainingCallbackMixin


class LightningCallback(TrainingCallbackMixin, callbacks.Callback):  # type: ignore[misc]  # untyped
    """Joules and grams of `Trainer.fit` by epoch and batch.

    Trainer(..., callbacks=[joulemark.LightningCallback(zone="CH")])

    Once the training has ended, the trainer's loggers get `energy_j` and `emissions_g`, and `whole` and `epochs` here
    have all of it.
    """

    def __init__(self, steps: int = 1, save: str | Path | None = None, name: str = "fit", **options: Any) -> None:
        """`steps`: how many are marked together, 0: none. `save`: the path of a run file, each epoch a trial.

        `options`: as of `joulemark.Meter`.
        """
        self.set_up("pytorch", name, steps, save, options)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.training.begin()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self.training.epoch_begins()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.training.step_begins()

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self.training.steps_end()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.training.epoch_ends()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.finish()
        if self.whole is not None and self.whole.energy.value is not None:
            values = {"energy_j": self.whole.energy.value, "emissions_g": self.whole.emissions.value}
            for logger in trainer.loggers:
                logger.log_metrics(values, step=trainer.global_step)
