"""Activation functions in TensorFlow."""

from __future__ import annotations

from functools import partial

import tensorflow as tf

from joulemark.workloads.activation import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size

_FUNCTIONS = {
    "relu": tf.nn.relu,
    "leaky_relu": partial(tf.nn.leaky_relu, alpha=spec.SLOPE),
    "gelu": partial(tf.nn.gelu, approximate=False),
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
}


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x (B, width) -> output (B, width); in training also upstream -> gradient, both (B, width)."""
    function = _FUNCTIONS[size.function]
    if phase == "inference":
        return kit.kernel(lambda x: {"output": function(x)})
    return kit.layer(function)
