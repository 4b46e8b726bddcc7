"""GPT-2 in JAX."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.gpt2 import spec
from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.spec import Phase, Program, Size


class Block(nnx.Module):
    """Causal self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.count = kit, size.heads
        self.norm1 = kit.layer_norm(size.width)
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm2 = kit.layer_norm(size.width)
        self.up = kit.dense(size.width, 4 * size.width)
        self.down = kit.dense(4 * size.width, size.width)

    def __call__(
        self,
        x: jax.Array,
        cache: Cache | None = None,
        place: jax.Array | None = None,
        visible: jax.Array | None = None,
    ) -> jax.Array:
        """(B, T, C) -> (B, T, C); see `Gpt2.__call__`."""
        q, k, v = (self.kit.split_heads(part, self.count) for part in jnp.split(self.qkv(self.norm1(x)), 3, axis=-1))
        if place is not None:
            k, v = cache.extend(place, k, v)
        elif cache is not None:
            cache.fill(k, v)
        mixed = self.kit.attention(q, k, v, causal=place is None, visible=visible)  # (B, heads, T, D)
        x = x + self.out(self.kit.merge_heads(mixed))
        return x + self.down(jax.nn.gelu(self.up(self.norm2(x))))


class Gpt2(nnx.Module):
    """Embeddings, blocks, norm; the token embedding again as the output layer."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.size = kit, size
        self.tokens = kit.embedding(size.vocabulary, size.width)
        self.positions = kit.embedding(size.context, size.width)
        self.blocks = nnx.List([Block(kit, size) for _ in range(size.depth)])
        self.norm = kit.layer_norm(size.width)

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
        visible = None
        places = jnp.arange(tokens.shape[1]) if place is None else place
        if place is not None:
            visible = jnp.arange(spec.places(self.size))[None] <= place  # (1, S)
        x = self.tokens(tokens) + self.positions(places)  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x = block(x, cache=caches[index] if caches else None, place=place, visible=visible)
        return self.kit.tied_logits(self.norm(x[:, -1:] if last else x), self.tokens)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens and labels -> loss; tokens, or what generation has read so far -> logits of the last, and the next."""
    model = kit.prepare(Gpt2(kit, size), spec.INITIAL)

    def forward(tokens: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(tokens), labels)}

    if phase == "training":
        return kit.training(model, forward, spec.OPTIMIZER)
    caches = [kit.cache(size.batch, size.heads, spec.places(size), size.width // size.heads) for _ in range(size.depth)]

    def read(tokens: jax.Array) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        logits = model(tokens, caches=caches, last=True)[:, 0]  # (B, vocabulary)
        following = jnp.argmax(logits, -1)
        return {"logits": logits, "next": following}, {"token": following}

    def follow(index: jax.Array, token: jax.Array) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        logits = model(token[:, None], caches=caches, place=size.length + index)[:, 0]
        following = jnp.argmax(logits, -1)  # (B,)
        return {"logits": logits, "next": following}, {"token": following}

    if phase == "prefill":
        return kit.inference(model, lambda tokens: read(tokens)[0])
    prompt = kit.tensor(spec.prompt(size, kit.seed))
    if phase == "generation":
        return kit.generation(model, lambda: read(prompt)[1], follow, size.new_tokens)
    return kit.response(model, {"tokens": prompt}, read, follow, spec.followed(size))
