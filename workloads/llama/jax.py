"""Llama in JAX, and its training by LoRA."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.gpt2.spec import followed, places, prompt
from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.llama import spec
from joulemark.workloads.spec import Phase, Program, Size

Outputs = dict[str, jax.Array]


class Lora(nnx.Module):
    """A frozen projection, and two thin layers beside it that learn."""

    def __init__(self, kit: Kit, size: Size, width_in: int, width: int) -> None:
        self.frozen = kit.dense(width_in, width, bias=False)
        kit.freeze(self.frozen)
        self.a = kit.dense(width_in, size.rank, bias=False)
        self.b = kit.dense(size.rank, width, bias=False)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, T, width_in) -> (B, T, width)."""
        return self.frozen(x) + spec.SCALE * self.b(self.a(x))


def projection(kit: Kit, size: Size, width_in: int, width: int) -> nnx.Module:
    """Return a dense layer without bias, in LoRA with its thin layers."""
    return kit.dense(width_in, width, bias=False) if size.rank is None else Lora(kit, size, width_in, width)


class Attention(nnx.Module):
    """Causal self-attention with rotated queries and keys; several heads of queries have the same keys and values."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.heads, self.kv_heads = kit, size.heads, size.kv_heads
        width = size.width // size.heads * size.kv_heads
        self.query = projection(kit, size, size.width, size.width)
        self.key = projection(kit, size, size.width, width)
        self.value = projection(kit, size, size.width, width)
        self.out = projection(kit, size, size.width, size.width)

    def __call__(
        self,
        x: jax.Array,
        turn: tuple[jax.Array, jax.Array],
        cache: Cache | None = None,
        place: jax.Array | None = None,
        visible: jax.Array | None = None,
    ) -> jax.Array:
        """(B, T, C) -> (B, T, C); see `Llama.__call__`."""
        q = rotated(self.kit.split_heads(self.query(x), self.heads), *turn)  # (B, heads, T, D)
        k = rotated(self.kit.split_heads(self.key(x), self.kv_heads), *turn)  # (B, kv_heads, T, D)
        v = self.kit.split_heads(self.value(x), self.kv_heads)
        if place is not None:
            k, v = cache.extend(place, k, v)
        elif cache is not None:
            cache.fill(k, v)
        mixed = self.kit.attention(q, k, v, causal=place is None, visible=visible)  # (B, heads, T, D)
        return self.out(self.kit.merge_heads(mixed))


def rotated(x: jax.Array, cos: jax.Array, sin: jax.Array) -> jax.Array:
    """Return the heads (B, heads, T, D), each pair of numbers turned by the angle of its place; cos, sin (T, D)."""
    return x * cos + jnp.roll(x, x.shape[-1] // 2, -1) * sin


class Mlp(nnx.Module):
    """An MLP whose inner numbers pass a gate (Shazeer 2020)."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.gate = projection(kit, size, size.width, size.inner)
        self.up = projection(kit, size, size.width, size.inner)
        self.down = projection(kit, size, size.inner, size.width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, T, C) -> (B, T, C)."""
        return self.down(jax.nn.silu(self.gate(x)) * self.up(x))


class Block(nnx.Module):
    """Self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.norm1 = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.attention = Attention(kit, size)
        self.norm2 = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.mlp = Mlp(kit, size)

    def __call__(
        self,
        x: jax.Array,
        turn: tuple[jax.Array, jax.Array],
        cache: Cache | None = None,
        place: jax.Array | None = None,
        visible: jax.Array | None = None,
    ) -> jax.Array:
        """(B, T, C) -> (B, T, C); see `Llama.__call__`."""
        x = x + self.attention(self.norm1(x), turn=turn, cache=cache, place=place, visible=visible)
        return x + self.mlp(self.norm2(x))


class Llama(nnx.Module):
    """Embedding, blocks, norm, and the output layer, which may be the embedding."""

    block: Callable[[Kit, Size], nnx.Module] = Block

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit = kit
        self.tokens = kit.embedding(size.vocabulary, size.width)
        self.cos, self.sin = (kit.constant(each) for each in spec.rotation(size))  # (places, D)
        self.blocks = nnx.List([self.block(kit, size) for _ in range(size.depth)])
        self.norm = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.head = None if size.tied else kit.dense(size.width, size.vocabulary, bias=False)

    def __call__(
        self,
        tokens: jax.Array,
        caches: Sequence[Cache] = (),
        place: jax.Array | None = None,
        *,
        last: bool = False,
    ) -> jax.Array:
        """(B, T) -> logits (B, T, vocabulary), or with `last` those of the last token (B, 1, vocabulary).

        With caches, one for each block, keys and values are kept there. With a `place` (1,), the tokens are one token
        at that place, (B, 1), which sees what is kept up to there.
        """
        turn, visible = self.at(tokens, place)
        x = self.tokens(tokens)  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x = block(x, turn=turn, cache=caches[index] if caches else None, place=place, visible=visible)
        return self.logits(x[:, -1:] if last else x)

    def at(self, tokens: jax.Array, place: jax.Array | None) -> tuple[tuple[jax.Array, jax.Array], jax.Array | None]:
        """Return the rotation of the tokens' places, (T, D) twice, and which keys a token at `place` sees, (1, S)."""
        if place is None:
            return (self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]), None
        visible = jnp.arange(len(self.cos))[None] <= place
        return (self.cos[place], self.sin[place]), visible

    def logits(self, x: jax.Array) -> jax.Array:
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


def answering(size: Size, phase: Phase, kit: Kit, model: nnx.Module, answer: Callable[..., Outputs]) -> Program:
    """Return a program without training; `answer(tokens, caches, place)` returns the `logits` of the last tokens."""
    width = size.width // size.heads
    caches = [kit.cache(size.batch, size.kv_heads, places(size), width) for _ in range(size.depth)]

    def read(tokens: jax.Array) -> tuple[Outputs, Outputs]:
        return with_next(answer(tokens, caches, None))

    def follow(index: jax.Array, token: jax.Array) -> tuple[Outputs, Outputs]:
        return with_next(answer(token[:, None], caches, size.length + index))

    def with_next(outputs: Outputs) -> tuple[Outputs, Outputs]:
        following = jnp.argmax(outputs["logits"], -1)  # (B,)
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

    def forward(tokens: jax.Array, labels: jax.Array) -> Outputs:
        return {"loss": kit.cross_entropy(model(tokens), labels)}

    def answer(tokens: jax.Array, caches: Sequence[Cache], place: jax.Array | None) -> Outputs:
        return {"logits": model(tokens, caches=caches, place=place, last=True)[:, 0]}  # (B, vocabulary)

    if phase == "training":
        return kit.training(model, forward, spec.LORA_OPTIMIZER if size.rank else spec.OPTIMIZER)
    return answering(size, phase, kit, model, answer)
