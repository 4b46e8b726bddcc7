"""Convolutional network of several branches and two outputs in TensorFlow, by Keras's functional interface."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.multibranch_cnn import spec
from joulemark.workloads.spec import Phase, Program, Size


class Branch(keras.Layer):
    """Feature extractor with one size of window."""

    def __init__(self, kit: Kit, size: Size, window: int) -> None:
        super().__init__()
        self.kit = kit
        self.conv1, self.conv2 = (kit.conv(c.width_in, c.width, window) for c in spec.branch(size, window))

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, 64, 64, 3) -> (B, 2 width)."""
        x = self.kit.max_pool(tf.nn.relu(self.conv1(images)), 4, 4)  # (B, 16, 16, width)
        return self.kit.mean_pool(tf.nn.relu(self.conv2(x)))


class MultiBranch(keras.Model):
    """Branches on one image, merged, then a class and a score."""

    def __init__(self, kit: Kit, size: Size) -> None:
        branches = [Branch(kit, size, window) for window in spec.WINDOWS]
        merge, label, score = (kit.dense(layer.width_in, layer.width) for layer in spec.dense(size).values())
        images = keras.Input((spec.EDGE, spec.EDGE, 3))  # (B, 64, 64, 3)
        features = keras.layers.concatenate([branch(images) for branch in branches])  # (B, 6 width)
        hidden = keras.ops.relu(merge(features))  # (B, hidden)
        super().__init__(images, [label(hidden), score(hidden)])  # (B, 10), (B, 1)
        self.branches, self.merge, self.label, self.score = branches, merge, label, score


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits and scores, or images, labels and scores -> loss."""
    model = kit.prepare(MultiBranch(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(
            model, lambda images: dict(zip(("logits", "scores"), model(images, training=False), strict=True))
        )

    def forward(images: tf.Tensor, labels: tf.Tensor, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, guesses = model(images, training=True)
        return {"loss": kit.cross_entropy(logits, labels) + spec.SCORE_WEIGHT * kit.squared_error(guesses, scores)}

    return kit.training(model, forward, spec.OPTIMIZER)
