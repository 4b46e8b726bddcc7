"""The faults in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from joulemark.workloads.spec import Program
from planted.spec import CHANNELS, WIDTH


def build(size, phase, kit):
    """Return a step with the fault `size.fault`."""
    fault = size.fault
    generator = np.random.default_rng(1)

    def weight(*shape):
        return kit.tensor(generator.standard_normal(shape, dtype=np.float32) / 8)

    layers = [(weight(3, 3, CHANNELS, WIDTH), weight(WIDTH)), (weight(3, 3, WIDTH, WIDTH), weight(WIDTH))]
    dense = weight(WIDTH, 10)

    def convolution(x, kernel, layout):
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=(layout, "HWIO", layout))

    def layer(x, kernel, bias):
        x = convolution(x, kernel, "NHWC") + bias
        if fault == "lost_fusion":
            x = lax.optimization_barrier(x)
        return jax.nn.relu(x)

    def layer_of_channels_first(x, kernel, bias):
        x = convolution(x.transpose(0, 3, 1, 2), kernel, "NCHW") + bias[:, None, None]
        return jax.nn.relu(x).transpose(0, 2, 3, 1)

    def step(images):
        x = images
        for kernel, bias in layers:
            x = (layer_of_channels_first if fault == "dropped_channels_last" else layer)(x, kernel, bias)
            if fault == "extra_copy":
                x = jnp.copy(x)
        logits = x.mean((1, 2)) @ dense
        if fault == "extra_operator":
            logits = jnp.sin(logits)
        return {"probabilities": jax.nn.softmax(logits)}

    return Program(step=step)
