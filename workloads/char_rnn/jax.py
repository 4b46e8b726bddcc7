"""Character-level recurrent network in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from joulemark.workloads.char_rnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class CharRnn(nnx.Module):
    """LSTM over characters, classifier on its last state."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.lstm = kit.lstm(size.characters, size.width)
        self.head = kit.dense(size.width, size.characters)

    def __call__(self, window: jax.Array) -> jax.Array:
        """(B, T, characters) -> logits (B, characters)."""
        states, *_ = self.lstm(window)  # (B, T, width)
        return self.head(states[:, -1])


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """window and labels -> loss; in generation, chance and the text so far -> next character and its distribution."""
    model = kit.prepare(CharRnn(kit, size), spec.INITIAL)

    def forward(window: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(window), labels)}

    if phase == "training":
        return kit.training(model, forward, spec.OPTIMIZER)
    one_hot = kit.constant(np.eye(size.characters))
    prompt = kit.tensor(spec.prompt(size, kit.seed))

    def begin() -> dict[str, jax.Array]:
        _, (hidden, cell) = model.lstm(one_hot[prompt[:, :-1]])
        return {"character": prompt[:, -1], "hidden": hidden, "cell": cell}

    def follow(
        character: jax.Array, hidden: jax.Array, cell: jax.Array, chance: jax.Array, **_index: jax.Array
    ) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        hidden, cell = model.lstm.cell(one_hot[character], (hidden, cell))  # (B, width) each
        odds = jax.nn.softmax(kit.widen(model.head(hidden)))  # (B, characters)
        passed = jnp.cumsum(odds, axis=-1) < kit.widen(chance)  # the distribution's inverse
        following = jnp.minimum(passed.sum(-1), size.characters - 1)
        return {"odds": odds, "next": following}, {"character": following, "hidden": hidden, "cell": cell}

    return kit.generation(model, begin, follow, size.length)
