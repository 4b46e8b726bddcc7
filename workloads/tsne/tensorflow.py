"""t-SNE in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.tsne import spec


class Places(keras.Layer):
    """Positions of the points in the plane."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.places = self.add_weight(name="places", shape=(size.n, 2))

    def call(self, affinities: tf.Tensor) -> tf.Tensor:
        """(n, n) -> divergence of the places' affinities from them, equation 2."""
        places = tf.convert_to_tensor(self.places)
        squares = tf.reduce_sum(tf.square(places), 1)
        distances = squares[:, None] + squares - 2 * tf.matmul(places, places, transpose_b=True)
        logs = -tf.math.log1p(distances)
        others = 1 - tf.eye(logs.shape[0], dtype=logs.dtype)
        logs -= tf.math.log(tf.reduce_sum(tf.exp(logs) * others))  # of q, equation 4; the diagonal is not used
        return tf.reduce_sum(tf.math.xlogy(affinities, affinities) - affinities * logs)


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """affinities -> loss."""
    model = kit.prepare(Places(size), spec.INITIAL)
    return kit.training(model, lambda affinities: {"loss": model(affinities)}, spec.OPTIMIZER)
