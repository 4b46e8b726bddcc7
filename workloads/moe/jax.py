"""A mixture of experts in JAX."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.llama.jax import Attention, Llama, Outputs, answering
from joulemark.workloads.llama.spec import EPSILON
from joulemark.workloads.moe import spec
from joulemark.workloads.spec import Phase, Program, Size


class Experts(nnx.Module):
    """Gated MLPs, of which each row passes a few."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit, self.size = kit, size
        self.router = kit.dense(size.width, size.experts, bias=False)
        self.gate = kit.experts(size.experts, size.width, size.inner)
        self.up = kit.experts(size.experts, size.width, size.inner)
        self.down = kit.experts(size.experts, size.inner, size.width)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(B, T, C) -> (B, T, C), and the share () of choices that were dropped.

        Of N = B T rows, each chooses K of E experts, which take `room` rows each.
        """
        size = self.size
        rows = x.reshape(-1, size.width)  # (N, C)
        scores, chosen = jax.lax.top_k(self.router(rows), size.chosen)  # (N, K)
        slots, kept = self.slots(chosen)  # (N, K)
        taken = rows[self.takers(slots)].reshape(size.experts, -1, size.width)  # (E, room, C)
        made = self.down(jax.nn.silu(self.gate(taken)) * self.up(taken))  # (E, room, C)
        parts = made.reshape(-1, size.width)[jnp.where(kept, slots, 0)]  # (N, K, C)
        weights = jnp.where(kept, jax.nn.softmax(self.kit.widen(scores)), 0).astype(x.dtype)
        return (weights[..., None] * parts).sum(1).reshape(x.shape), 1 - self.kit.widen(kept).mean()

    def slots(self, chosen: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the slot of each choice among those of all experts, and whether it has one, (N, K) each.

        What has none is at the slot behind all others.
        """
        experts, room = self.size.experts, spec.room(self.size, len(chosen))
        hits = chosen.reshape(-1, 1) == jnp.arange(experts)  # (N K, E)
        place = (hits.cumsum(0) * hits).sum(1).reshape(chosen.shape) - 1  # choices of the same expert before this one
        kept = place < room
        return jnp.where(kept, chosen * room + place, experts * room), kept

    def takers(self, slots: jax.Array) -> jax.Array:
        """Return the row that each slot has, (E room,): the first one where nobody reads what becomes of it."""
        rows = jnp.arange(slots.size) // self.size.chosen
        empty = jnp.zeros(self.size.experts * spec.room(self.size, len(slots)) + 1, int)
        return empty.at[slots.reshape(-1)].set(rows)[:-1]


class Block(nnx.Module):
    """Self-attention and experts, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.norm1 = kit.rms_norm(size.width, epsilon=EPSILON)
        self.attention = Attention(kit, size)
        self.norm2 = kit.rms_norm(size.width, epsilon=EPSILON)
        self.experts = Experts(kit, size)

    def __call__(
        self,
        x: jax.Array,
        turn: tuple[jax.Array, jax.Array],
        cache: Cache | None = None,
        place: jax.Array | None = None,
        visible: jax.Array | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        """(B, T, C) -> (B, T, C), and the share that experts dropped; see `Llama.__call__`."""
        x = x + self.attention(self.norm1(x), turn=turn, cache=cache, place=place, visible=visible)
        mixed, dropped = self.experts(self.norm2(x))
        return x + mixed, dropped


class Moe(Llama):
    """Llama with experts in its blocks."""

    block = Block

    def __call__(
        self,
        tokens: jax.Array,
        caches: Sequence[Cache] = (),
        place: jax.Array | None = None,
        *,
        last: bool = False,
    ) -> tuple[jax.Array, jax.Array]:
        """Return the logits as `Llama.__call__` does, and the share () of choices that were dropped in all blocks."""
        turn, visible = self.at(tokens, place)
        x, dropped = self.tokens(tokens), []  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x, share = block(x, turn=turn, cache=caches[index] if caches else None, place=place, visible=visible)
            dropped.append(share)
        return self.logits(x[:, -1:] if last else x), sum(dropped) / len(dropped)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens and labels -> loss; tokens, or what generation has read so far -> logits of the last, and the next."""
    model = kit.prepare(Moe(kit, size), spec.INITIAL)

    def forward(tokens: jax.Array, labels: jax.Array) -> Outputs:
        logits, dropped = model(tokens)
        return {"loss": kit.cross_entropy(logits, labels), "dropped": dropped}

    def answer(tokens: jax.Array, caches: Sequence[Cache], place: jax.Array | None) -> Outputs:
        logits, dropped = model(tokens, caches=caches, place=place, last=True)
        return {"logits": logits[:, 0], "dropped": dropped}

    if phase == "training":
        return kit.training(model, forward, spec.OPTIMIZER)
    return answering(size, phase, kit, model, answer)
