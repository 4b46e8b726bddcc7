"""Batch normalisation in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.batchnorm import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class BatchNorm(nnx.Module):
    """One normalisation."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.norm = kit.batch_norm(size.shape[-1])

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, H, W, C) -> the same."""
        return self.norm(x)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x -> output; in training also upstream -> gradient; all (B, H, W, C)."""
    model = kit.prepare(BatchNorm(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda x: {"output": model(x)})
    return kit.layer(model, model, spec.OPTIMIZER)
