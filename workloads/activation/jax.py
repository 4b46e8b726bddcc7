"""Activation functions in JAX."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from joulemark.workloads.activation import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size

_FUNCTIONS = {
    "relu": jax.nn.relu,
    "leaky_relu": partial(jax.nn.leaky_relu, negative_slope=spec.SLOPE),
    "gelu": partial(jax.nn.gelu, approximate=False),
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
}


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x (B, width) -> output (B, width); in training also upstream -> gradient, both (B, width)."""
    function = _FUNCTIONS[size.function]
    if phase == "inference":
        return kit.kernel(lambda x: {"output": function(x)})
    return kit.layer(function)
