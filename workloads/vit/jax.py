"""Vision transformer in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.vit import spec


class Block(nnx.Module):
    """Self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.heads = kit, size.heads
        self.norm1 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm2 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.up = kit.dense(size.width, size.mlp)
        self.down = kit.dense(size.mlp, size.width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, T, C) -> (B, T, C)."""
        q, k, v = (self.kit.split_heads(part, self.heads) for part in jnp.split(self.qkv(self.norm1(x)), 3, axis=-1))
        x = x + self.out(self.kit.merge_heads(self.kit.attention(q, k, v)))
        return x + self.down(jax.nn.gelu(self.up(self.norm2(x)), approximate=False))


class Vit(nnx.Module):
    """Patches, class token, positions, blocks, classifier on the class token."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.patches = kit.conv(3, size.width, size.patch, size.patch, padding=0)
        self.token = nnx.Param(jnp.zeros((1, 1, size.width), kit.dtype))
        self.positions = nnx.Param(jnp.zeros((1, spec.tokens(size), size.width), kit.dtype))
        self.blocks = nnx.List([Block(kit, size) for _ in range(size.depth)])
        self.norm = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.head = kit.dense(size.width, size.classes)

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        x = self.patches(images)  # (B, edge / patch, edge / patch, C)
        batch, rows, columns, width = x.shape
        x = x.reshape(batch, rows * columns, width)  # (B, T - 1, C)
        token = jnp.repeat(self.token[...].astype(x.dtype), batch, axis=0)
        x = jnp.concatenate([token, x], axis=1) + self.positions[...].astype(x.dtype)  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Vit(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
