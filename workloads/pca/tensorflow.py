"""Principal components in TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """points (B, n, d) -> variances (B, k), components (B, k, d), scores (B, n, k)."""

    def compute(points: tf.Tensor) -> dict[str, tf.Tensor]:
        centred = points - tf.reduce_mean(points, 1, keepdims=True)
        singular, _, columns = tf.linalg.svd(centred)  # (B, d), (B, d, d)
        components = columns[:, :, : size.k]
        return {
            "variances": tf.square(singular[:, : size.k]) / (size.n - 1),
            "components": tf.linalg.matrix_transpose(components),
            "scores": centred @ components,
        }

    return kit.kernel(compute)
