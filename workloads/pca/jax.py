"""Principal components in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """points (B, n, d) -> variances (B, k), components (B, k, d), scores (B, n, k)."""

    def compute(points: jax.Array) -> dict[str, jax.Array]:
        centred = points - points.mean(1, keepdims=True)
        _, singular, rows = jnp.linalg.svd(centred, full_matrices=False)  # (B, d), (B, d, d)
        components = rows[:, : size.k]
        return {
            "variances": jnp.square(singular[:, : size.k]) / (size.n - 1),
            "components": components,
            "scores": centred @ components.swapaxes(1, 2),
        }

    return kit.kernel(compute)
