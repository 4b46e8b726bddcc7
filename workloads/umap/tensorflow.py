"""UMAP in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.umap import spec


class Layout(keras.Layer):
    """Positions of the points in the plane."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.places = kit.embedding(size.n, 2)

    def call(self, heads: tf.Tensor, tails: tf.Tensor) -> tf.Tensor:
        """(E,), (E, K) -> a d^(2 b) of the distance d of each pair (E, K)."""
        gaps = self.places(heads)[:, None] - self.places(tails)  # (E, K, 2)
        return spec.A * tf.reduce_sum(tf.square(gaps), 2) ** spec.B


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """heads, tails, strengths, negatives -> loss, the fuzzy cross-entropy an edge."""
    model = kit.prepare(Layout(kit, size), spec.INITIAL)

    def forward(heads: tf.Tensor, tails: tf.Tensor, strengths: tf.Tensor, negatives: tf.Tensor) -> dict[str, tf.Tensor]:
        pull = tf.math.log1p(model(heads, tails[:, None])[:, 0])  # -log of the membership 1 / (1 + a d^2b)
        far = model(heads, negatives)
        push = tf.math.log1p(far) - tf.math.log(far + spec.EPSILON)  # -log of 1 - membership
        return {"loss": tf.reduce_sum(strengths * (pull + tf.reduce_sum(push, 1))) / size.n}

    return kit.training(model, forward, spec.OPTIMIZER)
