"""Optimizers of `workloads.spec` in Optax."""

from __future__ import annotations

import jax
import optax

from joulemark.workloads.kits.jax.weights import Values
from joulemark.workloads.spec import Adam, Optimizer


def decays(weights: Values) -> dict[str, bool]:
    """Return which weights decay: norms and biases do not."""
    return {name: weight.ndim > 1 for name, weight in weights.items()}


def make_optimizer(definition: Optimizer) -> optax.GradientTransformation:
    """Return SGD or Adam: Optax's chains, which XLA fuses into one pass over each weight."""
    clip = [] if definition.clip_norm is None else [optax.clip_by_global_norm(definition.clip_norm)]
    decay = [optax.add_decayed_weights(definition.weight_decay, decays)] if definition.weight_decay else []
    if isinstance(definition, Adam):
        adam = optax.scale_by_adam(definition.beta_1, definition.beta_2, definition.epsilon)
        chain = [*clip, adam, *decay]
    else:
        momentum = [optax.trace(definition.momentum)] if definition.momentum else []
        chain = [*clip, *decay, *momentum]
    return optax.chain(*chain, optax.scale(-definition.learning_rate))


def squared_norm(gradients: Values) -> jax.Array:
    """Return the sum of squares of all gradients."""
    return optax.tree.norm(gradients, squared=True)
