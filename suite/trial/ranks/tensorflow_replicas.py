"""What TensorFlow's strategies share: replicas of a program, which `strategy.run` runs on their shares of a batch.

A replica sums gradients with the others and then moves its own copy of the weights. Keras's optimizers would clip
gradients before they are summed, and update all copies from a place in between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf

from joulemark.suite.trial.frameworks.adapter import UnsupportedError
from joulemark.workloads.kits import tensorflow as kits
from joulemark.workloads.kits.tensorflow.learner import Learner, Outputs, merge_outputs, squared_norm
from joulemark.workloads.kits.tensorflow.pytorch_equivalents import BatchNorm
from joulemark.workloads.kits.tensorflow.weights import preserved
from joulemark.workloads.spec import Optimizer, Program

Gradients = list[Any]
"""A tensor, sparse tensor or None for each variable."""


def own_copy(variable: Any) -> Any:
    """Return the replica's own copy of a variable of TensorFlow's, which others have as well."""
    copies = tf.distribute.get_strategy().experimental_local_results(variable)
    return next(copy for copy in copies if copy.handle is variable.handle)


class OwnUpdate:
    """The part of a Keras optimizer that moves variables: in each replica, its own copies."""

    def _apply_weight_decay(self: Any, variables: Sequence[Any]) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                own = own_copy(variable.value)
                own.assign_sub(own * tf.cast(self.weight_decay * self.learning_rate, own.dtype))

    def _backend_update_step(
        self: Any, gradients: Sequence[Any], variables: Sequence[Any], learning_rate: tf.Tensor
    ) -> None:
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, own_copy(variable.value), learning_rate)


class ReplicaNorm(BatchNorm):
    """Batch normalisation whose running statistics are those of the replica's share."""

    def _update_running(self, mean: tf.Tensor, variance: tf.Tensor) -> None:
        for variable, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            own = own_copy(variable.value)
            own.assign_sub((own - batch) * (1 - self.momentum))


class ReplicaLearner(Learner):
    """One training in a replica: of the loss of the whole batch, to which each replica adds its share."""

    kit: Kit

    def __init__(self, kit: Kit, part: keras.Layer, forward: Callable[..., Outputs], definition: Optimizer) -> None:
        self.kit, self.count = kit, kit.strategy.num_replicas_in_sync

        def share(**inputs: tf.Tensor) -> Outputs:
            outputs = forward(**inputs)
            return {**outputs, "loss": outputs["loss"] / self.count}

        super().__init__(kit, part, share, definition)

    def differentiate(self, inputs: Mapping[str, tf.Tensor]) -> tuple[Outputs, Gradients]:
        """Return the outputs of the replica, and the gradients of the loss of all."""
        outputs, gradients = super().differentiate(inputs)
        return {**outputs, "loss": outputs["loss"] * self.count}, self._summed(gradients)

    def _summed(self, gradients: Gradients) -> Gradients:
        """Return the sums over all replicas, in few messages; the replica's own where it trains alone."""
        present = [gradient for gradient in gradients if gradient is not None]
        if self.kit.alone:
            return gradients
        sums = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, present))
        return [None if gradient is None else next(sums) for gradient in gradients]


class Kit(kits.Kit):
    """The kit whose programs are replicas, as many as the strategy has."""

    alone = False
    """Whether what is traced now leaves out the communication."""

    def __init__(
        self, strategy: tf.distribute.Strategy, precision: str, seed: int, training: bool, learning_rate_factor: float
    ) -> None:
        super().__init__("", precision, seed, training, learning_rate_factor=learning_rate_factor)
        self.strategy = strategy
        self.device = ""  # that of the replica, which the strategy chooses

    def tensor(self, array: np.ndarray) -> tf.Tensor:
        """Return the array on the first device of this process."""
        with tf.device(self.strategy.extended.worker_devices[0]):
            return super().tensor(array)

    def distribute(self, arrays: Sequence[np.ndarray]) -> Any:
        """Return an input of a step: each array on the device of its replica."""
        tensors = []
        for device, array in zip(self.strategy.extended.worker_devices, arrays, strict=True):
            with tf.device(device):
                tensors.append(super().tensor(array))
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: tensors[context.replica_id_in_sync_group]
        )

    def array(self, tensor: Any) -> np.ndarray:
        """Return the values of all replicas of this process, one after another; of one, its values."""
        own = [super(Kit, self).array(each) for each in self.strategy.experimental_local_results(tensor)]
        return np.stack(own) if len(own) > 1 else own[0]

    def batch_norm(self, width: int, *, epsilon: float = 1e-5, momentum: float = 0.9) -> keras.Layer:
        """Return the kit's batch normalisation, over a replica's share of the batch."""
        layer = ReplicaNorm(momentum=momentum, epsilon=epsilon, dtype=self.norm_policy)
        layer.build((None, None, None, width))
        return layer

    def optimizer(self, definition: Optimizer) -> keras.optimizers.Optimizer:
        """Return the kit's optimizer, in replicas."""
        optimizer = super().optimizer(definition)
        kind = type(optimizer)
        optimizer.__class__ = type(f"Replica{kind.__name__}", (OwnUpdate, kind), {})
        return optimizer

    def layer(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Raise UnsupportedError: a layer has no loss."""
        raise UnsupportedError("ranks train models together: one layer, from a given gradient, has no loss")

    def alternating_training(
        self, model: keras.Layer, players: Sequence[tuple[keras.Layer, Callable[..., Outputs]]], optimizer: Optimizer
    ) -> Program:
        """Return the kit's training in all replicas."""
        learners = [ReplicaLearner(self, part, forward, optimizer) for part, forward in players]

        def learn(**inputs: tf.Tensor) -> Outputs:
            return merge_outputs([learner.learn(inputs) for learner in learners])

        def norms(**inputs: Any) -> Mapping[str, float]:
            with preserved(model):
                losses, square = [], 0.0
                for learner in learners:
                    outputs, gradients = self.strategy.run(learner.differentiate, (inputs,))
                    losses.append(np.mean(self.array(outputs["loss"])))
                    square += squared_norm([self.strategy.experimental_local_results(each)[0] for each in gradients])
            return {"loss": float(sum(losses)), "gradient_norm": math.sqrt(square)}

        program: Program = self._program(model, lambda **inputs: self.strategy.run(learn, kwargs=inputs), norms=norms)
        return program
