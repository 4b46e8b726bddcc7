"""Variational autoencoder in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.vae import spec


class Vae(nnx.Module):
    """Encoder to a normal distribution of codes, decoder from one of them."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.hidden = kit.dense(spec.PIXELS, size.hidden)
        self.mean = kit.dense(size.hidden, size.code)
        self.log_variance = kit.dense(size.hidden, size.code)
        self.up = kit.dense(size.code, size.hidden)
        self.pixels = kit.dense(size.hidden, spec.PIXELS)

    def encode(self, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(B, 784) -> mean and logarithm of the variance, (B, code) each."""
        x = jax.nn.relu(self.hidden(images))
        return self.mean(x), self.log_variance(x)

    def decode(self, code: jax.Array) -> jax.Array:
        """(B, code) -> logits of the pixels (B, 784)."""
        return self.pixels(jax.nn.relu(self.up(code)))

    def __call__(self, images: jax.Array, noise: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """images (B, 784), noise (B, code) -> logits (B, 784), mean and logarithm of the variance (B, code)."""
        mean, log_variance = self.encode(images)
        return self.decode(mean + noise * jnp.exp(log_variance / 2)), mean, log_variance


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images and noise -> loss and its divergence, or noise -> images."""
    model = kit.prepare(Vae(kit, size), spec.INITIAL)
    if phase == "generation":
        return kit.inference(model, lambda noise: {"images": jax.nn.sigmoid(model.decode(noise))})

    def forward(images: jax.Array, noise: jax.Array) -> dict[str, jax.Array]:
        logits, mean, log_variance = model(images, noise)
        mean, log_variance = kit.widen(mean), kit.widen(log_variance)
        terms = jnp.square(mean) + jnp.exp(log_variance) - log_variance - 1
        divergence = jnp.mean(jnp.sum(terms, 1)) / 2  # appendix B
        return {"loss": kit.bernoulli_loss(logits, images) + divergence, "divergence": divergence}

    return kit.training(model, forward, spec.OPTIMIZER)
