"""Initialisation of ResNet-50's parameters in JAX."""

from __future__ import annotations

import jax
from jax.nn.initializers import variance_scaling

from joulemark.workloads.initialization import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.kits.jax.step import Outputs, State, Step
from joulemark.workloads.spec import Phase, Program, Size

# JAX's he_normal and glorot_normal truncate; PyTorch's and the papers' do not.
_RULES = {
    "he": variance_scaling(2.0, "fan_in", "normal"),
    "glorot": variance_scaling(1.0, "fan_avg", "normal"),
}


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """no inputs -> kernels, drawn again into new arrays: (height, width, in, out) or (in, out)."""
    shapes = spec.shapes(size)
    initialise = _RULES[size.rule]

    def compute(state: State, _fixed: State, _inputs: object) -> tuple[Outputs, State]:
        following, *keys = jax.random.split(state["key"], 1 + len(shapes))
        kernels = {
            name: initialise(key, shape, kit.dtype) for (name, shape), key in zip(shapes.items(), keys, strict=True)
        }
        return kernels, {"key": following}

    return Program(step=Step(compute, {"key": jax.random.key(kit.seed)}, {}))
