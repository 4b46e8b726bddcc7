"""Convolutional network of several branches and two outputs in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.multibranch_cnn import spec
from joulemark.workloads.spec import Phase, Program, Size


class Branch(nnx.Module):
    """Feature extractor with one size of window."""

    def __init__(self, kit: Kit, size: Size, window: int) -> None:
        self.kit = kit
        self.conv1, self.conv2 = (kit.conv(c.width_in, c.width, window) for c in spec.branch(size, window))

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, 64, 64, 3) -> (B, 2 width)."""
        x = self.kit.max_pool(jax.nn.relu(self.conv1(images)), 4, 4)  # (B, 16, 16, width)
        return self.kit.mean_pool(jax.nn.relu(self.conv2(x)))


class MultiBranch(nnx.Module):
    """Branches on one image, merged, then a class and a score."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.branches = nnx.List([Branch(kit, size, window) for window in spec.WINDOWS])
        self.merge, self.label, self.score = (kit.dense(d.width_in, d.width) for d in spec.dense(size).values())

    def __call__(self, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(B, 64, 64, 3) -> (B, 10), (B, 1)."""
        features = jnp.concatenate([branch(images) for branch in self.branches], axis=-1)  # (B, 6 width)
        hidden = jax.nn.relu(self.merge(features))  # (B, hidden)
        return self.label(hidden), self.score(hidden)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits and scores, or images, labels and scores -> loss."""
    model = kit.prepare(MultiBranch(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: dict(zip(("logits", "scores"), model(images), strict=True)))

    def forward(images: jax.Array, labels: jax.Array, scores: jax.Array) -> dict[str, jax.Array]:
        logits, guesses = model(images)
        return {"loss": kit.cross_entropy(logits, labels) + spec.SCORE_WEIGHT * kit.squared_error(guesses, scores)}

    return kit.training(model, forward, spec.OPTIMIZER)
