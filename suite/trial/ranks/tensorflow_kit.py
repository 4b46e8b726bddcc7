"""What the strategies of tf.distribute have in common: a kit whose trainings are built and run under one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import keras
import tensorflow as tf

from joulemark.suite.trial.frameworks.adapter import Step, UnsupportedError
from joulemark.workloads.kits import tensorflow as kits
from joulemark.workloads.kits.tensorflow.learner import Outputs
from joulemark.workloads.spec import Optimizer, Program


class Kit(kits.Kit):
    """The kit whose losses are divided by the number of replicas: Keras's optimizers add up the gradients of all."""

    def __init__(self, strategy: tf.distribute.Strategy, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.precision == "fp16":
            raise UnsupportedError("fp16 on several ranks: Keras's LossScaleOptimizer has no update of a replica")
        self.strategy = strategy
        self.players: list[tuple[keras.Layer, Callable[..., Outputs]]] = []

    def alternating_training(
        self, model: keras.Layer, players: Sequence[tuple[keras.Layer, Callable[..., Outputs]]], optimizer: Optimizer
    ) -> Program:
        """Return the kit's training with a loss for each player that is the replica's share of the whole batch's."""
        if optimizer.clip_norm is not None:
            raise UnsupportedError("Keras clips the gradients of each replica before it adds them up")
        self.players = [(part, self._shared(forward)) for part, forward in players]
        program: Program = super().alternating_training(model, self.players, optimizer)
        return program

    def _shared(self, forward: Callable[..., Outputs]) -> Callable[..., Outputs]:
        def share(**inputs: tf.Tensor) -> Outputs:
            outputs = forward(**inputs)
            return {**outputs, "loss": outputs["loss"] / self.strategy.num_replicas_in_sync}

        return share

    def layer(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Raise UnsupportedError: a layer has no loss."""
        raise UnsupportedError("tf.distribute trains models: one layer, from a given gradient, has no loss")

    def replicated(self, step: Step) -> Step:
        """Return a step that each replica takes, with the outputs of the first; its loss is that of its own batch."""
        count = self.strategy.num_replicas_in_sync

        def step_of_replicas(**inputs: Any) -> Mapping[str, tf.Tensor]:
            outputs = self.strategy.run(step, kwargs=inputs)
            first = {name: self.strategy.experimental_local_results(value)[0] for name, value in outputs.items()}
            return {**first, "loss": first["loss"] * count} if "loss" in first else first

        return step_of_replicas

    def differentiate(self, **inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        """Return the loss and a sum over the gradients, which a compiler then cannot leave out; nothing is updated."""
        sums = []
        for part, forward in self.players:
            variables = [variable.value for variable in part.trainable_variables]
            with tf.GradientTape() as tape:
                loss = forward(**inputs)["loss"]
            gradients = tape.gradient(loss, variables)
            sums += [tf.reduce_sum(tf.cast(g, tf.float32)) for g in map(dense, gradients) if g is not None]
        return {"gradients": tf.add_n(sums)}


def dense(gradient: Any) -> Any:
    """Return a gradient as a tensor; None where there is none."""
    return None if gradient is None else tf.convert_to_tensor(gradient)
