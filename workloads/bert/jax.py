"""BERT in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.bert import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Block(nnx.Module):
    """Self-attention and MLP, a norm after each residual sum."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.count = kit, size.heads
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm1 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.up = kit.dense(size.width, size.inner)
        self.down = kit.dense(size.inner, size.width)
        self.norm2 = kit.layer_norm(size.width, epsilon=spec.EPSILON)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, T, C) -> (B, T, C)."""
        q, k, v = (self.kit.split_heads(part, self.count) for part in jnp.split(self.qkv(x), 3, axis=-1))
        x = self.norm1(x + self.out(self.kit.merge_heads(self.kit.attention(q, k, v))))
        return self.norm2(x + self.down(jax.nn.gelu(self.up(x), approximate=False)))


class Encoder(nnx.Module):
    """Embeddings, blocks, and the pooler on the first token."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.words = kit.embedding(size.vocabulary, size.width)
        self.positions = kit.embedding(size.context, size.width)
        self.segments = kit.embedding(2, size.width)
        self.norm = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.blocks = nnx.List([Block(kit, size) for _ in range(size.depth)])
        self.pooler = kit.dense(size.width, size.width)

    def __call__(self, tokens: jax.Array, segments: jax.Array) -> tuple[jax.Array, jax.Array]:
        """tokens, segments (B, T) -> states (B, T, C), pooled (B, C)."""
        places = jnp.arange(tokens.shape[1])
        x = self.norm(self.words(tokens) + self.positions(places) + self.segments(segments))
        for block in self.blocks:
            x = block(x)
        return x, jnp.tanh(self.pooler(x[:, 0]))


class Bert(nnx.Module):
    """Encoder with the heads of both tasks."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit = kit
        self.encoder = Encoder(kit, size)
        self.transform = kit.dense(size.width, size.width)
        self.transform_norm = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.bias = nnx.Param(jnp.zeros(size.vocabulary, kit.dtype))
        self.follows = kit.dense(size.width, 2)

    def __call__(self, tokens: jax.Array, segments: jax.Array, places: jax.Array) -> tuple[jax.Array, jax.Array]:
        """tokens, segments (B, T), places (B, M) -> logits of words (B, M, vocabulary), of what follows (B, 2)."""
        states, pooled = self.encoder(tokens, segments)
        masked = jnp.take_along_axis(states, places[..., None], axis=1)  # (B, M, C)
        masked = self.transform_norm(jax.nn.gelu(self.transform(masked), approximate=False))
        return self.kit.tied_logits(masked, self.encoder.words) + self.bias[...], self.follows(pooled)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens, segments and places -> logits; with words and follows -> loss."""
    model = kit.prepare(Bert(kit, size), spec.INITIAL)

    def infer(tokens: jax.Array, segments: jax.Array, places: jax.Array) -> dict[str, jax.Array]:
        words, follows = model(tokens, segments, places)
        return {"words": words, "follows": follows}

    def learn(words: jax.Array, follows: jax.Array, **read: jax.Array) -> dict[str, jax.Array]:
        word_logits, follow_logits = model(**read)
        return {"loss": kit.cross_entropy(word_logits, words) + kit.cross_entropy(follow_logits, follows)}

    return kit.inference(model, infer) if phase == "inference" else kit.training(model, learn, spec.OPTIMIZER)
