"""MobileNetV2 in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.mobilenetv2 import spec
from joulemark.workloads.spec import Phase, Program, Size


class InvertedResidual(keras.Layer):
    """Expand 1 x 1, filter each channel 3 x 3, project 1 x 1; residual where the shapes allow it."""

    def __init__(self, kit: Kit, block: spec.Block) -> None:
        super().__init__()
        self.expands = block.expansion > 1
        self.shortcut = block.stride == 1 and block.width_in == block.width
        if self.expands:
            self.expand = kit.conv(block.width_in, block.hidden, 1, bias=False)
            self.expand_norm = kit.batch_norm(block.hidden)
        self.filter = kit.depthwise_conv(block.hidden, 3, block.stride)
        self.filter_norm = kit.batch_norm(block.hidden)
        self.project = kit.conv(block.hidden, block.width, 1, bias=False)
        self.project_norm = kit.batch_norm(block.width)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, H, W, width_in) -> (B, H / stride, W / stride, width)."""
        y = x
        if self.expands:
            y = tf.nn.relu6(self.expand_norm(self.expand(y)))
        y = tf.nn.relu6(self.filter_norm(self.filter(y)))
        y = self.project_norm(self.project(y))
        return x + y if self.shortcut else y


class Encoder(keras.Layer):
    """Stem, inverted residual blocks, last 1 x 1, and the mean over the image."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.stem = kit.conv(3, size.stem, 3, 2, bias=False)
        self.stem_norm = kit.batch_norm(size.stem)
        self.blocks = [InvertedResidual(kit, block) for block in spec.blocks(size)]
        self.last = kit.conv(spec.blocks(size)[-1].width, size.features, 1, bias=False)
        self.last_norm = kit.batch_norm(size.features)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, edge, edge, 3) -> features (B, features)."""
        x = self.kit.to_image_layout(images)  # (B, edge, edge, 3)
        x = tf.nn.relu6(self.stem_norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        x = tf.nn.relu6(self.last_norm(self.last(x)))
        return self.kit.mean_pool(x)


class MobileNet(keras.Layer):
    """Encoder and classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.encoder = Encoder(kit, size)
        self.head = kit.dense(size.features, size.classes)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        return self.head(self.encoder(images))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(MobileNet(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images, training=False)})

    def forward(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(images, training=True), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
