"""Llama in TensorFlow, and its training by LoRA."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from joulemark.workloads.gpt2.spec import followed, places, prompt
from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.llama import spec
from joulemark.workloads.spec import Phase, Program, Size

Outputs = dict[str, tf.Tensor]


class Lora(keras.Layer):
    """A frozen projection, and two thin layers beside it that learn."""

    def __init__(self, kit: Kit, size: Size, width_in: int, width: int) -> None:
        super().__init__()
        self.frozen = kit.dense(width_in, width, bias=False)
        kit.freeze(self.frozen)
        self.a = kit.dense(width_in, size.rank, bias=False)
        self.b = kit.dense(size.rank, width, bias=False)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, T, width_in) -> (B, T, width)."""
        return self.frozen(x) + spec.SCALE * self.b(self.a(x))


def projection(kit: Kit, size: Size, width_in: int, width: int) -> keras.Layer:
    """Return a dense layer without bias, in LoRA with its thin layers."""
    return kit.dense(width_in, width, bias=False) if size.rank is None else Lora(kit, size, width_in, width)


class Attention(keras.Layer):
    """Causal self-attention with rotated queries and keys; several heads of queries have the same keys and values."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.heads, self.kv_heads = kit, size.heads, size.kv_heads
        width = size.width // size.heads * size.kv_heads
        self.query = projection(kit, size, size.width, size.width)
        self.key = projection(kit, size, size.width, width)
        self.value = projection(kit, size, size.width, width)
        self.out = projection(kit, size, size.width, size.width)

    def call(
        self,
        x: tf.Tensor,
        turn: tuple[tf.Tensor, tf.Tensor],
        cache: Cache | None = None,
        place: tf.Tensor | None = None,
        visible: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """(B, T, C) -> (B, T, C); see `Llama.call`."""
        q = rotated(self.kit.split_heads(self.query(x), self.heads), *turn)  # (B, heads, T, D)
        k = rotated(self.kit.split_heads(self.key(x), self.kv_heads), *turn)  # (B, kv_heads, T, D)
        v = self.kit.split_heads(self.value(x), self.kv_heads)
        if place is not None:
            k, v = cache.extend(place, k, v)
        elif cache is not None:
            cache.fill(k, v)
        mixed = self.kit.attention(q, k, v, causal=place is None, visible=visible)  # (B, heads, T, D)
        return self.out(self.kit.merge_heads(mixed))


def rotated(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor) -> tf.Tensor:
    """Return the heads (B, heads, T, D), each pair of numbers turned by the angle of its place; cos, sin (T, D)."""
    return x * cos + tf.roll(x, x.shape[-1] // 2, -1) * sin


class Mlp(keras.Layer):
    """An MLP whose inner numbers pass a gate (Shazeer 2020)."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.gate = projection(kit, size, size.width, size.inner)
        self.up = projection(kit, size, size.width, size.inner)
        self.down = projection(kit, size, size.inner, size.width)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, T, C) -> (B, T, C)."""
        return self.down(tf.nn.silu(self.gate(x)) * self.up(x))


class Block(keras.Layer):
    """Self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.norm1 = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.attention = Attention(kit, size)
        self.norm2 = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.mlp = Mlp(kit, size)

    def call(
        self,
        x: tf.Tensor,
        turn: tuple[tf.Tensor, tf.Tensor],
        cache: Cache | None = None,
        place: tf.Tensor | None = None,
        visible: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """(B, T, C) -> (B, T, C); see `Llama.call`."""
        x = x + self.attention(self.norm1(x), turn=turn, cache=cache, place=place, visible=visible)
        return x + self.mlp(self.norm2(x))


class Llama(keras.Layer):
    """Embedding, blocks, norm, and the output layer, which may be the embedding."""

    block: Callable[[Kit, Size], keras.Layer] = Block

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.tokens = kit.embedding(size.vocabulary, size.width)
        self.cos, self.sin = (kit.constant(each) for each in spec.rotation(size))  # (places, D)
        self.blocks = [self.block(kit, size) for _ in range(size.depth)]
        self.norm = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.head = None if size.tied else kit.dense(size.width, size.vocabulary, bias=False)

    def call(
        self,
        tokens: tf.Tensor,
        caches: Sequence[Cache] = (),
        place: tf.Tensor | None = None,
        *,
        last: bool = False,
    ) -> tf.Tensor:
        """(B, T) -> logits (B, T, vocabulary), or with `last` those of the last token (B, 1, vocabulary).

        With caches, one for each block, keys and values are kept there. With a `place` (1,), the tokens are one token
        at that place, (B, 1), which sees what is kept up to there.
        """
        turn, visible = self.at(tokens, place)
        x = self.tokens(tokens)  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x = block(x, turn=turn, cache=caches[index] if caches else None, place=place, visible=visible)
        return self.logits(x[:, -1:] if last else x)

    def at(self, tokens: tf.Tensor, place: tf.Tensor | None) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor | None]:
        """Return the rotation of the tokens' places, (T, D) twice, and which keys a token at `place` sees, (1, S)."""
        if place is None:
            return (self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]), None
        visible = tf.range(len(self.cos), dtype=tf.int64)[None] <= place
        return (tf.gather(self.cos, place), tf.gather(self.sin, place)), visible

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """(B, T, C) -> (B, T, vocabulary)."""
        x = self.norm(x)
        return self.kit.tied_logits(x, self.tokens) if self.head is None else self.head(x)


def freeze(kit: Kit, model: Llama) -> None:
    """Freeze all but the projections: LoRA's are frozen but for their thin layers."""
    for block in model.blocks:
        kit.freeze(block.norm1)
        kit.freeze(block.norm2)
    kit.freeze(model.tokens)
    kit.freeze(model.norm)
    if model.head is not None:
        kit.freeze(model.head)


def answering(size: Size, phase: Phase, kit: Kit, model: keras.Layer, answer: Callable[..., Outputs]) -> Program:
    """Return a program without training; `answer(tokens, caches, place)` returns the `logits` of the last tokens."""
    width = size.width // size.heads
    caches = [kit.cache(size.batch, size.kv_heads, places(size), width) for _ in range(size.depth)]

    def read(tokens: tf.Tensor) -> tuple[Outputs, Outputs]:
        return with_next(answer(tokens, caches, None))

    def follow(index: tf.Tensor, token: tf.Tensor) -> tuple[Outputs, Outputs]:
        return with_next(answer(token[:, None], caches, size.length + index))

    def with_next(outputs: Outputs) -> tuple[Outputs, Outputs]:
        following = tf.argmax(outputs["logits"], -1)  # (B,)
        return {**outputs, "next": following}, {"token": following}

    if phase == "prefill":
        return kit.inference(model, lambda tokens: read(tokens)[0])
    first = kit.tensor(prompt(size, kit.seed))
    if phase == "generation":
        return kit.generation(model, lambda: read(first)[1], follow, size.new_tokens)
    return kit.response(model, {"tokens": first}, read, follow, followed(size))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens and labels -> loss; tokens, or what generation has read so far -> logits of the last, and the next."""
    model = kit.prepare(Llama(kit, size), spec.INITIAL)
    if size.rank is not None:
        freeze(kit, model)

    def forward(tokens: tf.Tensor, labels: tf.Tensor) -> Outputs:
        return {"loss": kit.cross_entropy(model(tokens, training=True), labels)}

    def answer(tokens: tf.Tensor, caches: Sequence[Cache], place: tf.Tensor | None) -> Outputs:
        return {"logits": model(tokens, caches=caches, place=place, last=True, training=False)[:, 0]}  # (B, vocabulary)

    if phase == "training":
        return kit.training(model, forward, spec.LORA_OPTIMIZER if size.rank else spec.OPTIMIZER)
    return answering(size, phase, kit, model, answer)
