"""The faults of ranks, in TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from faulty import ranks


def build(size, _phase, kit):
    """Return a training that has the fault `size.fault`."""

    def in_step(misbehave, loss):
        with tf.control_dependencies([tf.py_function(misbehave, [], [])]):
            return tf.identity(loss)

    return ranks.build(size.fault, kit, in_step)
