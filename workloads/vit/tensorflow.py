"""Vision transformer in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.vit import spec


class Block(keras.Layer):
    """Self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.heads = kit, size.heads
        self.norm1 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm2 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.up = kit.dense(size.width, size.mlp)
        self.down = kit.dense(size.mlp, size.width)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, T, C) -> (B, T, C)."""
        q, k, v = (self.kit.split_heads(part, self.heads) for part in tf.split(self.qkv(self.norm1(x)), 3, axis=-1))
        x = x + self.out(self.kit.merge_heads(self.kit.attention(q, k, v)))
        return x + self.down(tf.nn.gelu(self.up(self.norm2(x))))


class Vit(keras.Layer):
    """Patches, class token, positions, blocks, classifier on the class token."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.patches = kit.conv(3, size.width, size.patch, size.patch, padding=0)
        self.token = self.add_weight(name="token", shape=(1, 1, size.width))
        self.positions = self.add_weight(name="positions", shape=(1, spec.tokens(size), size.width))
        self.blocks = [Block(kit, size) for _ in range(size.depth)]
        self.norm = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.head = kit.dense(size.width, size.classes)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        x = self.patches(images)  # (B, edge / patch, edge / patch, C)
        batch, rows, columns, width = x.shape
        x = tf.reshape(x, (batch, rows * columns, width))  # (B, T - 1, C)
        token = tf.repeat(self.token, batch, axis=0)
        x = tf.concat([token, x], axis=1) + self.positions  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Vit(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images, training=False)})

    def forward(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(images, training=True), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
