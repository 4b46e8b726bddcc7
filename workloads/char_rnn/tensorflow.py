"""Character-level recurrent network in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.char_rnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class CharRnn(keras.Layer):
    """LSTM over the window, classifier on its last state."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.lstm = kit.lstm(size.characters, size.width)
        self.head = kit.dense(size.width, size.characters)

    def call(self, window: tf.Tensor) -> tf.Tensor:
        """(B, T, characters) -> logits (B, characters)."""
        states, *_ = self.lstm(window)  # (B, T, width)
        return self.head(states[:, -1])


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """window and labels -> loss, or window and chance -> the next character and its distribution."""
    model = kit.prepare(CharRnn(kit, size), spec.INITIAL)

    def sample(window: tf.Tensor, chance: tf.Tensor) -> dict[str, tf.Tensor]:
        odds = tf.nn.softmax(kit.widen(model(window, training=False)))  # (B, characters)
        passed = tf.cumsum(odds, axis=-1) < kit.widen(chance)  # the distribution's inverse
        following = tf.reduce_sum(tf.cast(passed, tf.int64), -1)
        return {"odds": odds, "next": tf.minimum(following, size.characters - 1)}

    def forward(window: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(window, training=True), labels)}

    return kit.inference(model, sample) if phase == "generation" else kit.training(model, forward, spec.OPTIMIZER)
