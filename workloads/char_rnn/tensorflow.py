"""Character-level recurrent network in TensorFlow."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from joulemark.workloads.char_rnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class CharRnn(keras.Layer):
    """LSTM over characters, classifier on its last state."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.lstm = kit.lstm(size.characters, size.width)
        self.head = kit.dense(size.width, size.characters)

    def call(self, window: tf.Tensor) -> tf.Tensor:
        """(B, T, characters) -> logits (B, characters)."""
        states, *_ = self.lstm(window)  # (B, T, width)
        return self.head(states[:, -1])


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """window and labels -> loss; in generation, chance and the text so far -> next character and its distribution."""
    model = kit.prepare(CharRnn(kit, size), spec.INITIAL)

    def forward(window: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(window, training=True), labels)}

    if phase == "training":
        return kit.training(model, forward, spec.OPTIMIZER)
    one_hot = kit.constant(np.eye(size.characters))
    prompt = kit.tensor(spec.prompt(size, kit.seed))

    def begin() -> dict[str, tf.Tensor]:
        _, hidden, cell = model.lstm(tf.gather(one_hot, prompt[:, :-1]), training=False)
        return {"character": prompt[:, -1], "hidden": hidden, "cell": cell}

    def follow(
        character: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor, chance: tf.Tensor, **_index: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        # The cell: the layer would be a loop of one step.
        state, (hidden, cell) = model.lstm.cell(tf.gather(one_hot, character), [hidden, cell])  # (B, width)
        odds = tf.nn.softmax(kit.widen(model.head(state)))  # (B, characters)
        passed = tf.cumsum(odds, axis=-1) < kit.widen(chance)  # the distribution's inverse
        following = tf.minimum(tf.reduce_sum(tf.cast(passed, tf.int64), -1), size.characters - 1)
        return {"odds": odds, "next": following}, {"character": following, "hidden": hidden, "cell": cell}

    return kit.generation(model, begin, follow, size.length)
