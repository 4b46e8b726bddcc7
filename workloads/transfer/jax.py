"""Transfer learning with MobileNetV2 in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.mobilenetv2.jax import MobileNet
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.transfer import spec


class Head(nnx.Module):
    """The new classifier alone."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.head = kit.dense(size.features, spec.CLASSES)

    def __call__(self, features: jax.Array) -> jax.Array:
        """(B, features) -> logits (B, 10)."""
        return self.head(features)


def freeze(kit: Kit, model: MobileNet, blocks: int) -> None:
    """Freeze the stem and the first blocks; they normalise by their running statistics."""
    encoder = model.encoder
    for layer in (encoder.stem, encoder.stem_norm, *encoder.blocks[:blocks]):
        kit.freeze(layer)


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """features or images, and labels -> loss."""
    model = kit.prepare(Head(kit, size) if size.frozen is None else MobileNet(kit, size), spec.INITIAL)
    if size.frozen:
        freeze(kit, model, size.frozen)

    def on_features(features: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(features), labels)}

    def on_images(images: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, on_features if size.frozen is None else on_images, spec.OPTIMIZERS[size.method])
