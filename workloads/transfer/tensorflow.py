"""Transfer learning with MobileNetV2 in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.mobilenetv2.tensorflow import MobileNet
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.transfer import spec


class Head(keras.Layer):
    """The new classifier alone."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.head = kit.dense(size.features, spec.CLASSES)

    def call(self, features: tf.Tensor) -> tf.Tensor:
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

    def on_features(features: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(features, training=True), labels)}

    def on_images(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(images, training=True), labels)}

    return kit.training(model, on_features if size.frozen is None else on_images, spec.OPTIMIZERS[size.method])
