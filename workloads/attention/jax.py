"""Multi-head self-attention layer in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.attention import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Attention(nnx.Module):
    """Positions, self-attention, residual, norm."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.heads = kit, size.heads
        self.positions = kit.constant(spec.positions(size.length, size.width))  # (T, C)
        self.query = kit.dense(size.width, size.width)
        self.key = kit.dense(size.width, size.width)
        self.value = kit.dense(size.width, size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm = kit.layer_norm(size.width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.positions
        q, k, v = (self.kit.split_heads(dense(x), self.heads) for dense in (self.query, self.key, self.value))
        mixed = self.kit.merge_heads(self.kit.attention(q, k, v))  # (B, T, C)
        return self.norm(x + self.out(mixed))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x -> output; in training also upstream -> gradient; all (B, T, C)."""
    model = kit.prepare(Attention(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda x: {"output": model(x)})
    return kit.layer(model, model, spec.OPTIMIZER)
