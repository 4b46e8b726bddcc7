"""SimCLR in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.resnet50.tensorflow import Encoder
from joulemark.workloads.simclr import spec
from joulemark.workloads.spec import Phase, Program, Size


class SimClr(keras.Layer):
    """Encoder and projection head."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.encoder = Encoder(kit, size)
        first, second = spec.head(size)
        self.project1 = kit.dense(first.width_in, first.width)
        self.project2 = kit.dense(second.width_in, second.width)

    def call(self, views: tf.Tensor) -> tf.Tensor:
        """(2 B, edge, edge, 3) -> (2 B, projection)."""
        return self.project2(tf.nn.relu(self.project1(self.encoder(views))))


def nt_xent(kit: Kit, z: tf.Tensor) -> tf.Tensor:
    """Return the loss of equation 1, the mean over all views of z (2 B, C): image i has views i and B + i."""
    count = z.shape[0]
    z = tf.nn.l2_normalize(kit.widen(z), axis=1)
    similarities = tf.matmul(z, z, transpose_b=True) / spec.TEMPERATURE  # (2 B, 2 B)
    similarities = tf.linalg.set_diag(similarities, tf.fill([count], similarities.dtype.min))
    partners = tf.roll(tf.range(count), count // 2, axis=0)
    return kit.cross_entropy(similarities, partners)


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """views -> loss."""
    model = kit.prepare(SimClr(kit, size), spec.initial)
    return kit.training(model, lambda views: {"loss": nt_xent(kit, model(views, training=True))}, spec.OPTIMIZER)
