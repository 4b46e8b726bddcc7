"""Recurrent encoder-decoder with attention in TensorFlow."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.seq2seq import spec
from joulemark.workloads.spec import Phase, Program, Size


class Seq2Seq(keras.Layer):
    """Encoder, decoder that starts from the encoder's last state, attention to the encoder's states."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.local = size.reach > 0
        if self.local:
            places, mask = spec.window(size)
            self.places, self.mask = kit.tensor(places), kit.constant(mask)  # (T, W)
        self.source = kit.embedding(size.vocabulary, size.width)
        self.target = kit.embedding(size.vocabulary, size.width)
        self.encoder = kit.lstm(size.width, size.width)
        self.decoder = kit.lstm(size.width, size.width)
        self.score = kit.dense(size.width, size.width, bias=False)
        self.combine = kit.dense(2 * size.width, size.width)
        self.words = kit.dense(size.width, size.vocabulary)

    def encode(self, source: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """source (B, S) -> keys and memory (B, S, C), last state and cell."""
        memory, *last = self.encoder(self.source(source))
        return self.score(memory), memory, last

    def attend(
        self, states: tf.Tensor, keys: tf.Tensor, memory: tf.Tensor, index: tf.Tensor | None = None
    ) -> tf.Tensor:
        """states (B, T, C), of one place at the `index` (1,) or of all -> logits (B, T, vocabulary)."""
        queries = states
        if self.local:
            places, mask = (x if index is None else tf.gather(x, index) for x in (self.places, self.mask))  # (T, W)
            keys, memory = tf.gather(keys, places, axis=1), tf.gather(memory, places, axis=1)
            queries = states[:, :, None]  # (B, T, 1, C), to keys and memory (B, T, W, C)
        scores = tf.matmul(queries, keys, transpose_b=True)  # (B, T, S) or (B, T, 1, W)
        if self.local:
            scores += mask[:, None]
        context = tf.reshape(tf.matmul(tf.nn.softmax(scores), memory), states.shape)
        return self.words(tf.tanh(self.combine(tf.concat([context, states], axis=-1))))

    def call(self, source: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        """source (B, S), target (B, T) -> logits (B, T, vocabulary)."""
        keys, memory, last = self.encode(source)
        states, *_ = self.decoder(self.target(target), initial_state=last)  # (B, T, C)
        return self.attend(states, keys, memory)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """source and target -> logits, with labels -> loss; in generation, the tokens so far -> logits and the next."""
    model = kit.prepare(Seq2Seq(kit, size), spec.INITIAL)
    if phase == "generation":
        return _generation(size, kit, model)
    if phase == "forward":
        return kit.inference(model, lambda source, target: {"logits": model(source, target, training=False)})

    def forward(source: tf.Tensor, target: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(source, target, training=True), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)


def _generation(size: Size, kit: Kit, model: Seq2Seq) -> Program:
    """Return greedy decoding of sources that are read when it begins."""
    cache = kit.cache(size.batch, 1, size.source, size.width)
    sources = kit.tensor(spec.sources(size, kit.seed))

    def begin() -> dict[str, tf.Tensor]:
        keys, memory, (hidden, cell) = model.encode(sources)
        cache.fill(keys[:, None], memory[:, None])
        return {"token": kit.tensor(np.full(size.batch, spec.BEGIN)), "hidden": hidden, "cell": cell}

    def follow(
        index: tf.Tensor, token: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        # The cell: the layer would be a loop of one step.
        state, (hidden, cell) = model.decoder.cell(model.target(token), [hidden, cell])  # (B, C)
        keys, memory = cache.whole()
        logits = model.attend(state[:, None], keys[:, 0], memory[:, 0], index)[:, 0]  # (B, vocabulary)
        following = tf.argmax(logits, -1)
        return {"logits": logits, "next": following}, {"token": following, "hidden": hidden, "cell": cell}

    return kit.generation(model, begin, follow, size.target)
