"""Skip-gram with negative sampling in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.word2vec import spec


class SkipGram(keras.Layer):
    """Two tables of vectors; a pair's logit is the product of theirs."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.centre = kit.embedding(size.vocabulary, size.width, sparse=True)
        self.context = kit.embedding(size.vocabulary, size.width, sparse=True)

    def call(self, centres: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """centres (B,), others (B, K) -> logits (B, K)."""
        return tf.matmul(self.context(others), self.centre(centres)[:, :, None])[:, :, 0]


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """centres, contexts and negatives -> loss."""
    model = kit.prepare(SkipGram(kit, size), spec.INITIAL)

    def forward(centres: tf.Tensor, contexts: tf.Tensor, negatives: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = kit.widen(model(centres, tf.concat([contexts, negatives], axis=1), training=True))  # (B, 1 + K)
        # equation 4, with its sign turned
        each = tf.nn.softplus(-logits[:, 0]) + tf.reduce_sum(tf.nn.softplus(logits[:, 1:]), 1)
        return {"loss": tf.reduce_mean(each)}

    return kit.training(model, forward, spec.OPTIMIZER)
