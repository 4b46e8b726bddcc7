"""The callback for Lightning, under either of its package names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from lightning.pytorch import callbacks
except ModuleNotFoundError:
    from pytorch_lightning import callbacks

from joulemark.suite import trackers
from joulemark.suite.system.ranks import Rank, job_name
from joulemark.suite.trackers.base import Tracker
from joulemark.suite.trackers.mlflow import MlflowTracker
from joulemark.training_callback import TrainingCallbackMixin


class LightningCallback(TrainingCallbackMixin, callbacks.Callback):  # type: ignore[misc]  # untyped
    """Measure the energy and emissions of `Trainer.fit`, by epoch and batch.

        Trainer(..., callbacks=[joulemark.LightningCallback(zone="CH")])

    After the training, the trainer's loggers get `energy_j` and `emissions_g`; with `track="active"` those of MLflow,
    Weights & Biases and TensorBoard get every step and epoch too. `whole`, `epochs` and `rest_j` of the callback have
    every measurement.
    """

    def __init__(self, steps: int = 1, save: str | Path | None = None, name: str = "fit", **options: Any) -> None:
        """Make a callback.

        Args:
            steps: How many steps are marked together; 0 marks none.
            save: Path of a run file to write, with each epoch as a trial.
            name: Name of the case in the run file.
            options: Arguments of `joulemark.Meter`, `track` among them.
        """
        self.set_up("pytorch", name, steps, save, options)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.begin_training(_rank(trainer), trainer.strategy.barrier, lambda: [*_contexts(trainer)])

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self.training.begin_epoch()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.training.begin_step()

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self.training.end_step()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.training.end_epoch()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.finish()
        if self.whole is not None and self.whole.energy.value is not None:
            values = {"energy_j": self.whole.energy.value, "emissions_g": self.whole.emissions.value}
            for logger in trainer.loggers:
                logger.log_metrics(values, step=trainer.global_step)


def _contexts(trainer: Any) -> Iterator[Tracker]:
    """Yield the runs of the trainer's loggers; in other processes than the first they have none."""
    for logger in trainer.loggers if trainer.is_global_zero else ():
        if type(logger).__name__ == "MLFlowLogger":
            yield MlflowTracker(logger.experiment, logger.run_id)
        elif type(logger).__name__ in ("WandbLogger", "TensorBoardLogger"):
            yield trackers.of_object(logger.experiment)


def _rank(trainer: Any) -> Rank | None:
    """Return which rank `trainer` is; None where it is alone. In a process that Lightning forks no variable says it."""
    if trainer.world_size <= 1:
        return None
    local_size = trainer.world_size // trainer.num_nodes
    return Rank(
        "torch",
        trainer.world_size,
        trainer.local_rank,
        trainer.global_rank,
        local_size,
        trainer.node_rank,
        trainer.num_nodes,
        job_name(os.environ),
    )
