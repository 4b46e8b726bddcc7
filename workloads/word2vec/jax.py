"""Skip-gram with negative sampling in JAX, whose gradients of tables are dense: a step writes all of their rows."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.word2vec import spec


class SkipGram(nnx.Module):
    """Two tables of vectors; a pair's logit is the product of theirs."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.centre = kit.embedding(size.vocabulary, size.width)
        self.context = kit.embedding(size.vocabulary, size.width)

    def __call__(self, centres: jax.Array, others: jax.Array) -> jax.Array:
        """centres (B,), others (B, K) -> logits (B, K)."""
        return jnp.matmul(self.context(others), self.centre(centres)[:, :, None])[:, :, 0]


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """centres, contexts and negatives -> loss."""
    model = kit.prepare(SkipGram(kit, size), spec.INITIAL)

    def forward(centres: jax.Array, contexts: jax.Array, negatives: jax.Array) -> dict[str, jax.Array]:
        logits = kit.widen(model(centres, jnp.concatenate([contexts, negatives], axis=1)))  # (B, 1 + K)
        # equation 4, with its sign turned
        return {"loss": jnp.mean(jax.nn.softplus(-logits[:, 0]) + jnp.sum(jax.nn.softplus(logits[:, 1:]), 1))}

    return kit.training(model, forward, spec.OPTIMIZER)
