"""ResNet-50 in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.resnet50 import spec
from joulemark.workloads.spec import Phase, Program, Size


class Bottleneck(keras.Layer):
    """Residual block of 1 x 1, 3 x 3 and 1 x 1 convolution, each with batch norm."""

    def __init__(self, kit: Kit, width_in: int, width: int, strides: tuple[int, int], *, project: bool) -> None:
        super().__init__()
        width_out = spec.EXPANSION * width
        self.conv1 = kit.conv(width_in, width, 1, strides[0], bias=False)
        self.norm1 = kit.batch_norm(width)
        self.conv2 = kit.conv(width, width, 3, strides[1], bias=False)
        self.norm2 = kit.batch_norm(width)
        self.conv3 = kit.conv(width, width_out, 1, bias=False)
        self.norm3 = kit.batch_norm(width_out)
        self.project = project
        if project:
            self.shortcut_conv = kit.conv(width_in, width_out, 1, strides[0] * strides[1], bias=False)
            self.shortcut_norm = kit.batch_norm(width_out)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, H, W, width_in) -> (B, H / stride, W / stride, 4 width)."""
        shortcut = self.shortcut_norm(self.shortcut_conv(x)) if self.project else x
        x = tf.nn.relu(self.norm1(self.conv1(x)))
        x = tf.nn.relu(self.norm2(self.conv2(x)))
        x = self.norm3(self.conv3(x))
        return tf.nn.relu(x + shortcut)


class Encoder(keras.Layer):
    """Stem and four stages, then the mean over the image."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.stem_conv = kit.conv(3, size.stem, 7, 2, bias=False)
        self.stem_norm = kit.batch_norm(size.stem)
        self.blocks = []
        width_in = size.stem
        for stage, depth in enumerate(size.depths):
            width = size.stem * 2**stage
            for block in range(depth):
                strides = spec.strides(size, stage, block)
                self.blocks.append(Bottleneck(kit, width_in, width, strides, project=not block))
                width_in = spec.EXPANSION * width

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, edge, edge, 3) -> features (B, 32 stem)."""
        x = self.kit.to_image_layout(images)  # (B, edge, edge, 3)
        x = tf.nn.relu(self.stem_norm(self.stem_conv(x)))  # (B, edge / 2, edge / 2, stem)
        x = self.kit.max_pool(x, 3, 2, padding=1)
        for block in self.blocks:
            x = block(x)
        return self.kit.mean_pool(x)


class ResNet(keras.Layer):
    """Encoder and classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.encoder = Encoder(kit, size)
        self.head = kit.dense(spec.features(size), size.classes)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        return self.head(self.encoder(images))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(ResNet(kit, size), spec.initial)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images, training=False)})

    def forward(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(images, training=True), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
