"""Small convolutional network in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.cnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Block(keras.Layer):
    """Convolution 3 x 3, batch norm, ReLU."""

    def __init__(self, kit: Kit, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv = kit.conv(width_in, width, 3, stride, bias=False)
        self.norm = kit.batch_norm(width)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, H, W, width_in) -> (B, H / stride, W / stride, width)."""
        return tf.nn.relu(self.norm(self.conv(x)))


class Cnn(keras.Layer):
    """Blocks, mean over the image, classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.blocks = [Block(kit, c.width_in, c.width, stride) for c, stride in spec.convolutions(size)]
        self.head = kit.dense(size.widths[-1], spec.CLASSES)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, 32, 32, 3) -> logits (B, 10)."""
        x = self.kit.to_image_layout(images)  # (B, 32, 32, 3)
        for block in self.blocks:
            x = block(x)
        return self.head(self.kit.mean_pool(x))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Cnn(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images, training=False)})

    def forward(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(images, training=True), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
