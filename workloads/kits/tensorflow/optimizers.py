"""Optimizers in Keras, as `workloads.spec` defines them."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from workloads.spec import Adam, Optimizer


class PaperAdam(keras.optimizers.Adam):
    """Adam with the paper's epsilon, which PyTorch has too; Keras's is the paper's `epsilon hat`, unlike in effect."""

    def apply(self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """One step for all variables. What is the same for each of them enters the graph once: with hundreds of
        variables it would otherwise be a third of the graph."""
        dtype = self.learning_rate.dtype
        step = tf.cast(self.iterations + 1, dtype)
        self.share_1, self.share_2 = (tf.constant(1 - beta, dtype) for beta in (self.beta_1, self.beta_2))
        self.m_rate = tf.cast(self.learning_rate, dtype) / (1 - tf.pow(tf.constant(self.beta_1, dtype), step))
        self.v_root = tf.sqrt(1 - tf.pow(tf.constant(self.beta_2, dtype), step))
        self.small = tf.constant(self.epsilon, dtype)
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: tf.Tensor, variable: keras.Variable, _learning_rate: tf.Tensor) -> None:
        """w <- w - learning_rate m' / (sqrt(v') + epsilon), with m' and v' corrected for their zero start."""
        gradient = tf.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index].value, self._velocities[index].value
        m = m.assign_add((gradient - m) * self.share_1)
        v = v.assign_add((tf.square(gradient) - v) * self.share_2)
        variable.assign_sub(m * self.m_rate / (tf.sqrt(v) / self.v_root + self.small))


def make_optimizer(definition: Optimizer) -> keras.optimizers.Optimizer:
    """SGD or Adam. Keras updates one variable after another; in graph and XLA modes these run side by side or fuse."""
    if isinstance(definition, Adam):
        return PaperAdam(
            definition.learning_rate, beta_1=definition.beta_1, beta_2=definition.beta_2, epsilon=definition.epsilon
        )
    return keras.optimizers.SGD(definition.learning_rate, momentum=definition.momentum)
