"""Layer normalisation in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.layernorm import spec
from joulemark.workloads.spec import Phase, Program, Size


class LayerNorm(nnx.Module):
    """One normalisation."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.norm = kit.layer_norm(size.shape[-1])

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, T, C) -> the same."""
        return self.norm(x)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x -> output; in training also upstream -> gradient; all (B, T, C)."""
    model = kit.prepare(LayerNorm(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda x: {"output": model(x)})
    return kit.layer(model, model, spec.OPTIMIZER)
