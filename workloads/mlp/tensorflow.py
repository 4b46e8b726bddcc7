"""Multilayer perceptron in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.mlp import spec
from joulemark.workloads.spec import Phase, Program, Size


class Mlp(keras.Layer):
    """Dense layers with ReLU between them."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.layers = [kit.dense(layer.width_in, layer.width) for layer in spec.layers(size)]

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, 784) -> logits (B, 10)."""
        *hidden, head = self.layers
        for layer in hidden:
            x = tf.nn.relu(layer(x))
        return head(x)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Mlp(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images, training=False)})

    def forward(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(images, training=True), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
