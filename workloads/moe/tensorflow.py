"""A mixture of experts in TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.llama.spec import EPSILON
from joulemark.workloads.llama.tensorflow import Attention, Llama, Outputs, answering
from joulemark.workloads.moe import spec
from joulemark.workloads.spec import Phase, Program, Size


class Experts(keras.Layer):
    """Gated MLPs, of which each row passes a few."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.size = kit, size
        self.router = kit.dense(size.width, size.experts, bias=False)
        self.gate = kit.experts(size.experts, size.width, size.inner)
        self.up = kit.experts(size.experts, size.width, size.inner)
        self.down = kit.experts(size.experts, size.inner, size.width)

    def call(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(B, T, C) -> (B, T, C), and the share () of choices that were dropped.

        Of N = B T rows, each chooses K of E experts, which take `room` rows each.
        """
        size = self.size
        rows = tf.reshape(x, (-1, size.width))  # (N, C)
        scores, chosen = tf.math.top_k(self.router(rows), size.chosen)  # (N, K)
        slots, kept = self.slots(chosen)  # (N, K)
        taken = tf.reshape(tf.gather(rows, self.takers(slots)), (size.experts, -1, size.width))  # (E, room, C)
        made = self.down(tf.nn.silu(self.gate(taken)) * self.up(taken))  # (E, room, C)
        parts = tf.gather(tf.reshape(made, (-1, size.width)), tf.where(kept, slots, 0))  # (N, K, C)
        weights = tf.cast(tf.where(kept, tf.nn.softmax(self.kit.widen(scores)), 0), x.dtype)
        mixed = tf.reduce_sum(weights[..., None] * parts, 1)
        return tf.reshape(mixed, x.shape), 1 - tf.reduce_mean(self.kit.widen(kept))

    def slots(self, chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the slot of each choice among those of all experts, and whether it has one, (N, K) each.

        What has none is at the slot behind all others.
        """
        experts, room = self.size.experts, spec.room(self.size, chosen.shape[0])
        hits = tf.one_hot(tf.reshape(chosen, (-1,)), experts, dtype=tf.int32)  # (N K, E)
        place = tf.reduce_sum(tf.cumsum(hits) * hits, 1) - 1  # choices of the same expert before this one
        place = tf.reshape(place, chosen.shape)
        kept = place < room
        return tf.where(kept, chosen * room + place, experts * room), kept

    def takers(self, slots: tf.Tensor) -> tf.Tensor:
        """Return the row that each slot has, (E room,): the first one where nobody reads what becomes of it."""
        rows = tf.range(slots.shape[0] * self.size.chosen) // self.size.chosen
        empty = tf.zeros(self.size.experts * spec.room(self.size, slots.shape[0]) + 1, tf.int32)
        return tf.tensor_scatter_nd_update(empty, tf.reshape(slots, (-1, 1)), rows)[:-1]


class Block(keras.Layer):
    """Self-attention and experts, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.norm1 = kit.rms_norm(size.width, epsilon=EPSILON)
        self.attention = Attention(kit, size)
        self.norm2 = kit.rms_norm(size.width, epsilon=EPSILON)
        self.experts = Experts(kit, size)

    def call(
        self,
        x: tf.Tensor,
        turn: tuple[tf.Tensor, tf.Tensor],
        cache: Cache | None = None,
        place: tf.Tensor | None = None,
        visible: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """(B, T, C) -> (B, T, C), and the share that experts dropped; see `Llama.call`."""
        x = x + self.attention(self.norm1(x), turn=turn, cache=cache, place=place, visible=visible)
        mixed, dropped = self.experts(self.norm2(x))
        return x + mixed, dropped


class Moe(Llama):
    """Llama with experts in its blocks."""

    block = Block

    def call(
        self,
        tokens: tf.Tensor,
        caches: Sequence[Cache] = (),
        place: tf.Tensor | None = None,
        *,
        last: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the logits as `Llama.call` does, and the share () of choices that were dropped in all blocks."""
        turn, visible = self.at(tokens, place)
        x, dropped = self.tokens(tokens), []  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x, share = block(x, turn=turn, cache=caches[index] if caches else None, place=place, visible=visible)
            dropped.append(share)
        return self.logits(x[:, -1:] if last else x), sum(dropped) / len(dropped)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens and labels -> loss; tokens, or what generation has read so far -> logits of the last, and the next."""
    model = kit.prepare(Moe(kit, size), spec.INITIAL)

    def forward(tokens: tf.Tensor, labels: tf.Tensor) -> Outputs:
        logits, dropped = model(tokens, training=True)
        return {"loss": kit.cross_entropy(logits, labels), "dropped": dropped}

    def answer(tokens: tf.Tensor, caches: Sequence[Cache], place: tf.Tensor | None) -> Outputs:
        logits, dropped = model(tokens, caches=caches, place=place, last=True, training=False)
        return {"logits": logits[:, 0], "dropped": dropped}

    if phase == "training":
        return kit.training(model, forward, spec.OPTIMIZER)
    return answering(size, phase, kit, model, answer)
