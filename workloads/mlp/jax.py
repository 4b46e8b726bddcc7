"""Multilayer perceptron in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.mlp import spec
from joulemark.workloads.spec import Phase, Program, Size


class Mlp(nnx.Module):
    """Dense layers with ReLU between them."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.layers = nnx.List([kit.dense(layer.width_in, layer.width) for layer in spec.layers(size)])

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, 784) -> logits (B, 10)."""
        *hidden, head = self.layers
        for layer in hidden:
            x = jax.nn.relu(layer(x))
        return head(x)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Mlp(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
