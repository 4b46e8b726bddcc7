"""Deep autoencoder in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.autoencoder import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Autoencoder(keras.Layer):
    """Dense layers with sigmoids, except the code and the logits of the pixels, which are linear."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.code = len(size.widths) - 1
        self.layers = [kit.dense(layer.width_in, layer.width) for layer in spec.layers(size)]

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, 784) -> logits of the pixels (B, 784)."""
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index not in (self.code, len(self.layers) - 1):
                x = tf.sigmoid(x)
        return x


def spoiled(images: tf.Tensor, noise: tf.Tensor | None, mask: tf.Tensor | None) -> tf.Tensor:
    """Return the corrupted images that the network sees, (B, 784)."""
    if noise is not None:
        return images + spec.NOISE * noise
    return images if mask is None else images * mask


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images, and noise or mask -> images, or loss."""
    model = kit.prepare(Autoencoder(kit, size), spec.INITIAL)

    def infer(images: tf.Tensor, noise: tf.Tensor | None = None, mask: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        return {"images": tf.sigmoid(model(spoiled(images, noise, mask), training=False))}

    def learn(images: tf.Tensor, noise: tf.Tensor | None = None, mask: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        return {"loss": kit.bernoulli_loss(model(spoiled(images, noise, mask), training=True), images)}

    return kit.inference(model, infer) if phase == "inference" else kit.training(model, learn, spec.OPTIMIZER)
