"""Deep autoencoder in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.autoencoder import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Autoencoder(nnx.Module):
    """Dense layers with sigmoids, except the code and the logits of the pixels, which are linear."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.code = len(size.widths) - 1
        self.layers = nnx.List([kit.dense(layer.width_in, layer.width) for layer in spec.layers(size)])

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, 784) -> logits of the pixels (B, 784)."""
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index not in (self.code, len(self.layers) - 1):
                x = jax.nn.sigmoid(x)
        return x


def spoiled(images: jax.Array, noise: jax.Array | None, mask: jax.Array | None) -> jax.Array:
    """Return the corrupted images that the network sees, (B, 784)."""
    if noise is not None:
        return images + spec.NOISE * noise
    return images if mask is None else images * mask


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images, and noise or mask -> images, or loss."""
    model = kit.prepare(Autoencoder(kit, size), spec.INITIAL)

    def infer(images: jax.Array, noise: jax.Array | None = None, mask: jax.Array | None = None) -> dict[str, jax.Array]:
        return {"images": jax.nn.sigmoid(model(spoiled(images, noise, mask)))}

    def learn(images: jax.Array, noise: jax.Array | None = None, mask: jax.Array | None = None) -> dict[str, jax.Array]:
        return {"loss": kit.bernoulli_loss(model(spoiled(images, noise, mask)), images)}

    return kit.inference(model, infer) if phase == "inference" else kit.training(model, learn, spec.OPTIMIZER)
