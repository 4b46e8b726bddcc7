"""SimCLR in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.resnet50.jax import Encoder
from joulemark.workloads.simclr import spec
from joulemark.workloads.spec import Phase, Program, Size


class SimClr(nnx.Module):
    """Encoder and projection head."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.encoder = Encoder(kit, size)
        first, second = spec.head(size)
        self.project1 = kit.dense(first.width_in, first.width)
        self.project2 = kit.dense(second.width_in, second.width)

    def __call__(self, views: jax.Array) -> jax.Array:
        """(2 B, edge, edge, 3) -> (2 B, projection)."""
        return self.project2(jax.nn.relu(self.project1(self.encoder(views))))


def nt_xent(kit: Kit, z: jax.Array) -> jax.Array:
    """Return the loss of equation 1, the mean over all views of z (2 B, C): image i has views i and B + i."""
    count = z.shape[0]
    z = kit.widen(z)
    z = z * jax.lax.rsqrt(jnp.sum(jnp.square(z), axis=1, keepdims=True))
    similarities = jnp.matmul(z, z.T) / spec.TEMPERATURE  # (2 B, 2 B)
    similarities = jnp.where(jnp.eye(count, dtype=bool), jnp.finfo(similarities.dtype).min, similarities)
    partners = jnp.roll(jnp.arange(count), count // 2, axis=0)
    return kit.cross_entropy(similarities, partners)


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """views -> loss."""
    model = kit.prepare(SimClr(kit, size), spec.initial)
    return kit.training(model, lambda views: {"loss": nt_xent(kit, model(views))}, spec.OPTIMIZER)
