"""BERT in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.bert import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Block(keras.Layer):
    """Self-attention and MLP, a norm after each residual sum."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.count = kit, size.heads
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm1 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.up = kit.dense(size.width, size.inner)
        self.down = kit.dense(size.inner, size.width)
        self.norm2 = kit.layer_norm(size.width, epsilon=spec.EPSILON)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, T, C) -> (B, T, C)."""
        q, k, v = (self.kit.split_heads(part, self.count) for part in tf.split(self.qkv(x), 3, axis=-1))
        x = self.norm1(x + self.out(self.kit.merge_heads(self.kit.attention(q, k, v))))
        return self.norm2(x + self.down(tf.nn.gelu(self.up(x))))


class Encoder(keras.Layer):
    """Embeddings, blocks, and the pooler on the first token."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.words = kit.embedding(size.vocabulary, size.width)
        self.positions = kit.embedding(size.context, size.width)
        self.segments = kit.embedding(2, size.width)
        self.norm = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.blocks = [Block(kit, size) for _ in range(size.depth)]
        self.pooler = kit.dense(size.width, size.width)

    def call(self, tokens: tf.Tensor, segments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """tokens, segments (B, T) -> states (B, T, C), pooled (B, C)."""
        places = tf.range(tokens.shape[1])
        x = self.norm(self.words(tokens) + self.positions(places) + self.segments(segments))
        for block in self.blocks:
            x = block(x)
        return x, tf.tanh(self.pooler(x[:, 0]))


class Bert(keras.Layer):
    """Encoder with the heads of both tasks."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.encoder = Encoder(kit, size)
        self.transform = kit.dense(size.width, size.width)
        self.transform_norm = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.bias = self.add_weight(name="bias", shape=(size.vocabulary,))
        self.follows = kit.dense(size.width, 2)

    def call(self, tokens: tf.Tensor, segments: tf.Tensor, places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """tokens, segments (B, T), places (B, M) -> logits of words (B, M, vocabulary), of what follows (B, 2)."""
        states, pooled = self.encoder(tokens, segments)
        masked = tf.gather(states, places, batch_dims=1)  # (B, M, C)
        masked = self.transform_norm(tf.nn.gelu(self.transform(masked)))
        return self.kit.tied_logits(masked, self.encoder.words) + self.bias, self.follows(pooled)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens, segments and places -> logits; with words and follows -> loss."""
    model = kit.prepare(Bert(kit, size), spec.INITIAL)

    def infer(tokens: tf.Tensor, segments: tf.Tensor, places: tf.Tensor) -> dict[str, tf.Tensor]:
        words, follows = model(tokens, segments, places, training=False)
        return {"words": words, "follows": follows}

    def learn(words: tf.Tensor, follows: tf.Tensor, **read: tf.Tensor) -> dict[str, tf.Tensor]:
        word_logits, follow_logits = model(**read, training=True)
        return {"loss": kit.cross_entropy(word_logits, words) + kit.cross_entropy(follow_logits, follows)}

    return kit.inference(model, infer) if phase == "inference" else kit.training(model, learn, spec.OPTIMIZER)
