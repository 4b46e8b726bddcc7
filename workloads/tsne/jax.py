"""t-SNE in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.tsne import spec


class Places(nnx.Module):
    """Positions of the points in the plane."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.places = nnx.Param(jnp.zeros((size.n, 2), kit.dtype))

    def __call__(self, affinities: jax.Array) -> jax.Array:
        """(n, n) -> divergence of the places' affinities from them, equation 2."""
        places = self.places[...]
        squares = jnp.sum(jnp.square(places), 1)
        distances = squares[:, None] + squares - 2 * jnp.matmul(places, places.T)
        logs = -jnp.log1p(distances)
        others = 1 - jnp.eye(logs.shape[0], dtype=logs.dtype)
        logs -= jnp.log(jnp.sum(jnp.exp(logs) * others))  # of q, equation 4; the diagonal is not used
        return jnp.sum(jax.scipy.special.xlogy(affinities, affinities) - affinities * logs)


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """affinities -> loss."""
    model = kit.prepare(Places(kit, size), spec.INITIAL)
    return kit.training(model, lambda affinities: {"loss": model(affinities)}, spec.OPTIMIZER)
