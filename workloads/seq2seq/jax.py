"""Recurrent encoder-decoder with attention in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.seq2seq import spec
from joulemark.workloads.spec import Phase, Program, Size


class Seq2Seq(nnx.Module):
    """Encoder, decoder that starts from the encoder's last state, attention to the encoder's states."""

    def __init__(self, kit: Kit, size: Size) -> None:
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

    def encode(self, source: jax.Array) -> tuple[jax.Array, jax.Array, tuple[jax.Array, jax.Array]]:
        """source (B, S) -> keys and memory (B, S, C), last state and cell."""
        memory, last = self.encoder(self.source(source))
        return self.score(memory), memory, last

    def attend(
        self, states: jax.Array, keys: jax.Array, memory: jax.Array, index: jax.Array | None = None
    ) -> jax.Array:
        """states (B, T, C), of one place at the `index` (1,) or of all -> logits (B, T, vocabulary)."""
        queries = states
        if self.local:
            places, mask = (x if index is None else x[index] for x in (self.places, self.mask))  # (T, W)
            keys, memory = keys[:, places], memory[:, places]
            queries = states[:, :, None]  # (B, T, 1, C), to keys and memory (B, T, W, C)
        scores = jnp.matmul(queries, keys.swapaxes(-1, -2))  # (B, T, S) or (B, T, 1, W)
        if self.local:
            scores += mask[:, None]
        context = jnp.matmul(jax.nn.softmax(scores), memory).reshape(states.shape)
        return self.words(jnp.tanh(self.combine(jnp.concatenate([context, states], axis=-1))))

    def __call__(self, source: jax.Array, target: jax.Array) -> jax.Array:
        """source (B, S), target (B, T) -> logits (B, T, vocabulary)."""
        keys, memory, last = self.encode(source)
        states, _ = self.decoder(self.target(target), last)  # (B, T, C)
        return self.attend(states, keys, memory)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """source and target -> logits, with labels -> loss; in generation, the tokens so far -> logits and the next."""
    model = kit.prepare(Seq2Seq(kit, size), spec.INITIAL)
    if phase == "generation":
        return _generation(size, kit, model)
    if phase == "forward":
        return kit.inference(model, lambda source, target: {"logits": model(source, target)})

    def forward(source: jax.Array, target: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(source, target), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)


def _generation(size: Size, kit: Kit, model: Seq2Seq) -> Program:
    """Return greedy decoding of sources that are read when it begins."""
    cache = kit.cache(size.batch, 1, size.source, size.width)
    sources = kit.tensor(spec.sources(size, kit.seed))

    def begin() -> dict[str, jax.Array]:
        keys, memory, (hidden, cell) = model.encode(sources)
        cache.fill(keys[:, None], memory[:, None])
        return {"token": kit.tensor(np.full(size.batch, spec.BEGIN)), "hidden": hidden, "cell": cell}

    def follow(
        index: jax.Array, token: jax.Array, hidden: jax.Array, cell: jax.Array
    ) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        hidden, cell = model.decoder.cell(model.target(token), (hidden, cell))  # (B, C) each
        keys, memory = cache.whole()
        logits = model.attend(hidden[:, None], keys[:, 0], memory[:, 0], index)[:, 0]  # (B, vocabulary)
        following = jnp.argmax(logits, -1)
        return {"logits": logits, "next": following}, {"token": following, "hidden": hidden, "cell": cell}

    return kit.generation(model, begin, follow, size.target)
