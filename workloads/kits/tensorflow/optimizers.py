"""Optimizers in Keras, as `workloads.spec` defines them."""

from __future__ import annotations

import keras
import tensorflow as tf

from workloads.spec import Adam, Optimizer


class PaperAdam(keras.optimizers.Adam):
    """Adam with the paper's epsilon, which PyTorch has too; Keras's is the paper's `epsilon hat`, unlike in effect."""

    def update_step(self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor) -> None:
        """w <- w - learning_rate m' / (sqrt(v') + epsilon), with m' and v' corrected for their zero start."""
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        gradient = tf.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        m.assign_add((gradient - m) * (1 - self.beta_1))
        v.assign_add((tf.square(gradient) - v) * (1 - self.beta_2))
        m_rate = tf.cast(learning_rate, dtype) / (1 - tf.pow(tf.constant(self.beta_1, dtype), step))
        v_root = tf.sqrt(1 - tf.pow(tf.constant(self.beta_2, dtype), step))
        variable.assign_sub(m * m_rate / (tf.sqrt(v) / v_root + self.epsilon))


def make_optimizer(definition: Optimizer) -> keras.optimizers.Optimizer:
    """SGD or Adam. Keras updates one variable after another; in graph and XLA modes these run side by side or fuse."""
    if isinstance(definition, Adam):
        return PaperAdam(
            definition.learning_rate, beta_1=definition.beta_1, beta_2=definition.beta_2, epsilon=definition.epsilon
        )
    return keras.optimizers.SGD(definition.learning_rate, momentum=definition.momentum)
