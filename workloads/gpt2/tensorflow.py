"""GPT-2 in TensorFlow."""

from __future__ import annotations

from dataclasses import replace

import keras
import tensorflow as tf

from joulemark.workloads.gpt2 import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Arrays, Phase, Program, Size


class Cache:
    """Keys and values of one block, (B, heads, length + 1, D) each, of fixed size and written in place."""

    def __init__(self, kit: Kit, size: Size) -> None:
        shape = (size.batch, size.heads, size.length + 1, size.width // size.heads)
        with tf.device(kit.device):
            self.keys, self.values = (tf.Variable(tf.zeros(shape, kit.compute_dtype)) for _ in "kv")

    def extend(self, start: int, k: tf.Tensor, v: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """k, v (B, heads, T, D) from `start` on -> all up to there, (B, heads, start + T, D)."""
        end = start + k.shape[2]
        self.keys[:, :, start:end].assign(k)
        self.values[:, :, start:end].assign(v)
        return self.keys[:, :, :end], self.values[:, :, :end]


class Block(keras.Layer):
    """Causal self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.count = kit, size.heads
        self.norm1 = kit.layer_norm(size.width)
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm2 = kit.layer_norm(size.width)
        self.up = kit.dense(size.width, 4 * size.width)
        self.down = kit.dense(4 * size.width, size.width)

    def call(self, x: tf.Tensor, start: int = 0, cache: Cache | None = None) -> tf.Tensor:
        """(B, T, C) -> (B, T, C); with a cache, the tokens are those from `start` on."""
        q, k, v = (self.kit.split_heads(part, self.count) for part in tf.split(self.qkv(self.norm1(x)), 3, axis=-1))
        if cache is not None:
            k, v = cache.extend(start, k, v)
        mixed = self.kit.attention(q, k, v, causal=not start)  # (B, heads, T, D)
        x = x + self.out(self.kit.merge_heads(mixed))
        return x + self.down(tf.nn.gelu(self.up(self.norm2(x)), approximate=True))


class Gpt2(keras.Layer):
    """Embeddings, blocks, norm; the token embedding again as the output layer."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.tokens = kit.embedding(size.vocabulary, size.width)
        self.positions = kit.embedding(size.context, size.width)
        self.blocks = [Block(kit, size) for _ in range(size.depth)]
        self.norm = kit.layer_norm(size.width)

    def call(
        self, tokens: tf.Tensor, start: int = 0, caches: list[Cache] | None = None, *, last: bool = False
    ) -> tf.Tensor:
        """(B, T) -> logits (B, T, vocabulary), or with `last` those of the last token (B, 1, vocabulary)."""
        places = tf.range(start, start + tokens.shape[1])
        x = self.tokens(tokens) + self.positions(places)  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x = block(x, start=start, cache=caches[index] if caches else None)
        return self.kit.tied_logits(self.norm(x[:, -1:] if last else x), self.tokens)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens -> logits of the last; token -> logits and the next; tokens and labels -> loss."""
    model = kit.prepare(Gpt2(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda tokens: {"logits": model(tokens, last=True, training=False)})
    if phase == "generation":
        return _generation(size, kit, model)

    def forward(tokens: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"loss": kit.cross_entropy(model(tokens, training=True), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)


def _generation(size: Size, kit: Kit, model: Gpt2) -> Program:
    """Generate one token after the prefix, whose keys and values are in the cache.

    Each step writes the same position.
    """
    caches = [Cache(kit, size) for _ in model.blocks]
    prefix = kit.tensor(spec.prefix(size, kit.seed))
    fill = kit.inference(model, lambda tokens: {"logits": model(tokens, caches=caches, last=True, training=False)}).step

    def forward(token: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = model(token[:, None], start=size.length, caches=caches, training=False)[:, 0]  # (B, vocabulary)
        return {"logits": logits, "next": tf.argmax(logits, -1)}

    program = kit.inference(model, forward)

    def load_weights(arrays: Arrays) -> None:
        program.load_weights(arrays)
        fill(tokens=prefix)

    fill(tokens=prefix)
    return replace(program, load_weights=load_weights)
