"""Encoder-decoder transformer in JAX."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from joulemark.workloads.attention.spec import positions
from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.transformer import spec


class Attention(nnx.Module):
    """Multi-head attention of one sequence to another, or to itself."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.count = kit, size.heads
        self.query = kit.dense(size.width, size.width)
        self.key = kit.dense(size.width, size.width)
        self.value = kit.dense(size.width, size.width)
        self.out = kit.dense(size.width, size.width)

    def read(self, memory: jax.Array) -> tuple[jax.Array, jax.Array]:
        """memory (B, S, C) -> its keys and values (B, heads, S, D)."""
        k, v = self.key(memory), self.value(memory)
        return self.kit.split_heads(k, self.count), self.kit.split_heads(v, self.count)

    def __call__(
        self,
        x: jax.Array,
        k: jax.Array,
        v: jax.Array,
        *,
        causal: bool = False,
        visible: jax.Array | None = None,
    ) -> jax.Array:
        """x (B, T, C), keys and values (B, heads, S, D) of what is attended to -> (B, T, C)."""
        q = self.kit.split_heads(self.query(x), self.count)  # (B, heads, T, D)
        return self.out(self.kit.merge_heads(self.kit.attention(q, k, v, causal=causal, visible=visible)))


class Perceptron(nnx.Module):
    """Dense, ReLU, dense."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.up = kit.dense(size.width, size.inner)
        self.down = kit.dense(size.inner, size.width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, T, C) -> (B, T, C)."""
        return self.down(jax.nn.relu(self.up(x)))


class EncoderLayer(nnx.Module):
    """Self-attention and MLP, a norm after each residual sum."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.attention, self.norm1 = Attention(kit, size), kit.layer_norm(size.width)
        self.perceptron, self.norm2 = Perceptron(kit, size), kit.layer_norm(size.width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, S, C) -> (B, S, C)."""
        x = self.norm1(x + self.attention(x, *self.attention.read(x)))
        return self.norm2(x + self.perceptron(x))


class DecoderLayer(nnx.Module):
    """Causal self-attention, attention to the encoder's output and MLP, a norm after each residual sum."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.attention, self.norm1 = Attention(kit, size), kit.layer_norm(size.width)
        self.cross, self.norm2 = Attention(kit, size), kit.layer_norm(size.width)
        self.perceptron, self.norm3 = Perceptron(kit, size), kit.layer_norm(size.width)

    def __call__(
        self,
        x: jax.Array,
        own: tuple[jax.Array, jax.Array],
        memory: tuple[jax.Array, jax.Array],
        *,
        causal: bool = False,
        visible: jax.Array | None = None,
    ) -> jax.Array:
        """x (B, T, C); keys and values (B, heads, S, D) of the sequence and of the encoder's output -> (B, T, C)."""
        x = self.norm1(x + self.attention(x, *own, causal=causal, visible=visible))
        x = self.norm2(x + self.cross(x, *memory))
        return self.norm3(x + self.perceptron(x))


class Transformer(nnx.Module):
    """Embedding and positions, encoder, decoder, and the embedding again as the output layer."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.scale, self.length = kit, math.sqrt(size.width), size.target
        self.positions = kit.constant(positions(max(size.source, size.target), size.width))
        self.embedding = kit.embedding(size.vocabulary, size.width)
        self.encoder = nnx.List([EncoderLayer(kit, size) for _ in range(size.depth)])
        self.decoder = nnx.List([DecoderLayer(kit, size) for _ in range(size.depth)])

    def embed(self, tokens: jax.Array) -> jax.Array:
        """(B, T) -> (B, T, C)."""
        return self.embedding(tokens) * self.scale + self.positions[: tokens.shape[1]]

    def encode(self, source: jax.Array) -> jax.Array:
        """(B, S) -> (B, S, C)."""
        memory = self.embed(source)
        for layer in self.encoder:
            memory = layer(memory)
        return memory

    def __call__(self, source: jax.Array, target: jax.Array) -> jax.Array:
        """source (B, S), target (B, T) -> logits (B, T, vocabulary)."""
        memory = self.encode(source)
        x = self.embed(target)
        for layer in self.decoder:
            x = layer(x, layer.attention.read(x), layer.cross.read(memory), causal=True)
        return self.kit.tied_logits(x, self.embedding)

    def follow(self, token: jax.Array, place: jax.Array, caches: Sequence[tuple[Cache, Cache]]) -> jax.Array:
        """token (B,) at the place (1,) -> logits of the next one (B, vocabulary).

        Each decoder layer has two caches: of its own sequence, and of the encoder's output.
        """
        x = self.embedding(token[:, None]) * self.scale + self.positions[place]  # (B, 1, C)
        visible = jnp.arange(self.length)[None] <= place  # (1, T)
        for layer, (own, memory) in zip(self.decoder, caches, strict=True):
            x = layer(x, own.extend(place, *layer.attention.read(x)), memory.whole(), visible=visible)
        return self.kit.tied_logits(x, self.embedding)[:, 0]


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """source and target -> logits, with labels -> loss; in generation, the tokens so far -> logits and the next."""
    model = kit.prepare(Transformer(kit, size), spec.initial)
    if phase == "generation":
        return _generation(size, kit, model)
    if phase == "forward":
        return kit.inference(model, lambda source, target: {"logits": model(source, target)})

    def forward(source: jax.Array, target: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(source, target), labels, smoothing=spec.SMOOTHING)}

    return kit.training(model, forward, spec.OPTIMIZER)


def _generation(size: Size, kit: Kit, model: Transformer) -> Program:
    """Return greedy decoding of sources that are read when it begins."""

    def cache(length: int) -> Cache:
        return kit.cache(size.batch, size.heads, length, size.width // size.heads)

    caches = [(cache(size.target), cache(size.source)) for _ in range(size.depth)]
    sources = kit.tensor(spec.sources(size, kit.seed))

    def begin() -> dict[str, jax.Array]:
        memory = model.encode(sources)
        for layer, (_, kept) in zip(model.decoder, caches, strict=True):
            kept.fill(*layer.cross.read(memory))
        return {"token": kit.tensor(np.full(size.batch, spec.BEGIN))}

    def follow(index: jax.Array, token: jax.Array) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        logits = model.follow(token, index, caches)
        following = jnp.argmax(logits, -1)
        return {"logits": logits, "next": following}, {"token": following}

    return kit.generation(model, begin, follow, size.target)
