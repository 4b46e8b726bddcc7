"""Initialisation of ResNet-50's parameters in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.initialization import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size

# Keras's HeNormal and GlorotNormal truncate; PyTorch's and the papers' do not.
_RULES = {"he": (2.0, "fan_in"), "glorot": (1.0, "fan_avg")}


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """no inputs -> kernels, drawn again into the same variables: (height, width, in, out) or (in, out)."""
    scale, mode = _RULES[size.rule]
    # A generator, not a number: a seed fixed at tracing would draw the same numbers in each step.
    seed = keras.random.SeedGenerator(kit.seed)
    initialise = keras.initializers.VarianceScaling(scale, mode, "untruncated_normal", seed=seed)
    with tf.device(kit.device):
        kernels = {name: tf.Variable(tf.zeros(shape, kit.dtype)) for name, shape in spec.shapes(size).items()}
    return kit.kernel(
        lambda: {name: v.assign(initialise(v.shape, kit.dtype.name)).value() for name, v in kernels.items()}
    )
