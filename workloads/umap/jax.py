"""UMAP in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.umap import spec


class Layout(nnx.Module):
    """Positions of the points in the plane."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.places = kit.embedding(size.n, 2)

    def __call__(self, heads: jax.Array, tails: jax.Array) -> jax.Array:
        """(E,), (E, K) -> a d^(2 b) of the distance d of each pair (E, K)."""
        gaps = self.places(heads)[:, None] - self.places(tails)  # (E, K, 2)
        return spec.A * jnp.sum(jnp.square(gaps), 2) ** spec.B


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """heads, tails, strengths, negatives -> loss, the fuzzy cross-entropy an edge."""
    model = kit.prepare(Layout(kit, size), spec.INITIAL)

    def forward(heads: jax.Array, tails: jax.Array, strengths: jax.Array, negatives: jax.Array) -> dict[str, jax.Array]:
        pull = jnp.log1p(model(heads, tails[:, None])[:, 0])  # -log of the membership 1 / (1 + a d^2b)
        far = model(heads, negatives)
        push = jnp.log1p(far) - jnp.log(far + spec.EPSILON)  # -log of 1 - membership
        return {"loss": jnp.sum(strengths * (pull + jnp.sum(push, 1))) / size.n}

    return kit.training(model, forward, spec.OPTIMIZER)
