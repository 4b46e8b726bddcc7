"""Optimizers of `workloads.spec` in Keras, by TensorFlow's fused kernels: one operation per variable.

Keras 3 composes an update of a dozen operations per variable: a third of the nodes of a graph with hundreds of
variables, and a pass through memory each. The PyTorch kit's optimizers are fused too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from joulemark.workloads.spec import Adam, Optimizer


class FusedSgd(keras.optimizers.SGD):
    """v <- momentum v + g; w <- w - learning_rate v: equals Keras's while the learning rate is constant.

    `decay` adds the gradient of an L2 penalty to g, as PyTorch's `weight_decay` does; Keras's would not pass through v.
    """

    def __init__(self, learning_rate: float, momentum: float, decay: float, **options: Any) -> None:
        super().__init__(learning_rate, momentum, **options)
        self.decay = decay

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Update one variable."""
        gradient = tf.cast(gradient, variable.dtype)
        rate = tf.cast(learning_rate, variable.dtype)
        handle = variable.handle
        if isinstance(gradient, tf.IndexedSlices):  # only without momentum, as `refuse_state` says
            variable.scatter_sub(tf.IndexedSlices(rate * gradient.values, gradient.indices))
            return
        if self.decay and len(variable.shape) > 1:
            gradient += tf.constant(self.decay, variable.dtype) * variable
        if self.momentum:
            velocity = self.momentums[self._get_variable_index(variable)].value.handle
            momentum = tf.constant(self.momentum, variable.dtype)
            tf.raw_ops.ResourceApplyMomentum(var=handle, accum=velocity, lr=rate, grad=gradient, momentum=momentum)
        else:
            tf.raw_ops.ResourceApplyGradientDescent(var=handle, alpha=rate, delta=gradient)


class PaperAdam(keras.optimizers.Adam):
    """Adam with the paper's epsilon, as in PyTorch; that of Keras and of the kernel is the paper's `epsilon hat`.

    With `weight_decay` it is AdamW, as Keras decays weights: w <- w - learning_rate weight_decay w, then the update.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the state; norms and biases do not decay."""
        self.exclude_from_weight_decay([variable for variable in variables if len(variable.shape) < 2])
        super().build(variables)

    def apply(self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Update all variables; what they share enters the graph once."""
        dtype = self.learning_rate.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        power_1, power_2 = tf.pow(beta_1, step), tf.pow(beta_2, step)
        self.shared = {
            "beta1": beta_1,
            "beta2": beta_2,
            "beta1_power": power_1,
            "beta2_power": power_2,
            "lr": tf.cast(self.learning_rate, dtype),
            # Kingma and Ba 2015, section 2: epsilon hat = epsilon sqrt(1 - beta_2^t).
            "epsilon": tf.constant(self.epsilon, dtype) * tf.sqrt(1 - power_2),
        }
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, _learning_rate: tf.Tensor) -> None:
        """Update one variable: w <- w - learning_rate m' / (sqrt(v') + epsilon), with bias-corrected m' and v'."""
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            grad=tf.cast(gradient, variable.dtype),
            **self.shared,
        )


def make_optimizer(definition: Optimizer) -> keras.optimizers.Optimizer:
    """Return SGD or Adam. Variables are updated in turn in eager mode, in parallel or fused in graph and XLA modes."""
    if isinstance(definition, Adam):
        return PaperAdam(
            definition.learning_rate,
            beta_1=definition.beta_1,
            beta_2=definition.beta_2,
            epsilon=definition.epsilon,
            weight_decay=definition.weight_decay or None,
            global_clipnorm=definition.clip_norm,
        )
    return FusedSgd(
        definition.learning_rate, definition.momentum, definition.weight_decay, global_clipnorm=definition.clip_norm
    )
