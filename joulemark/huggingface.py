"""The callback for the `Trainer` of Hugging Face Transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers

from joulemark.training_callback import TrainingCallbackMixin


class TrainerCallback(TrainingCallbackMixin, transformers.TrainerCallback):  # type: ignore[misc]  # untyped
    """Measure the energy and emissions of `Trainer.train`, by epoch and optimizer step.

        Trainer(..., callbacks=[joulemark.TrainerCallback(zone="CH")])

    After the training, `trainer.state.log_history` has an entry with `energy_j`, `emissions_g` and `epoch_energy_j`.
    `whole`, `epochs` and `rest_j` of the callback have every measurement.
    """

    def __init__(self, steps: int = 1, save: str | Path | None = None, name: str = "train", **options: Any) -> None:
        """Make a callback.

        Args:
            steps: How many steps are marked together; 0 marks none.
            save: Path of a run file to write, with each epoch as a trial.
            name: Name of the case in the run file.
            options: Arguments of `joulemark.Meter`, `track` among them.
        """
        self.set_up("pytorch", name, steps, save, options)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.begin_training(barrier=_barrier())

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.training.begin_epoch()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.training.begin_step()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if control.should_evaluate or control.should_save or control.should_log:
            self.training.end_step()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.training.end_epoch()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.finish()
        if self.whole is not None:
            state.log_history.append(
                {
                    "step": state.global_step,
                    "epoch": state.epoch,
                    "energy_j": self.whole.energy.value,
                    "emissions_g": self.whole.emissions.value,
                    "epoch_energy_j": [epoch.whole.energy.value for epoch in self.epochs],
                }
            )


def _barrier() -> Callable[[], object] | None:
    """Return what waits for all ranks; None where they do not communicate."""
    import torch

    is_initialised = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.barrier if is_initialised else None
