"""JAX kits whose training has one mistake each, of the kinds that go unnoticed: the tests must detect them.

`faulty_kits` and `faulty_training` have the same mistakes in TensorFlow and PyTorch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import optax

from joulemark.workloads.kits.jax import Kit
from joulemark.workloads.spec import Optimizer, Program


class NeverUpdates(Kit):
    """The optimizer changes nothing."""

    rate = 0.0

    def optimizer(self, definition: Optimizer) -> optax.GradientTransformation:
        return super().optimizer(replace(definition, learning_rate=self.rate * definition.learning_rate))


class DoubleUpdate(NeverUpdates):
    """Updates are twice as large."""

    rate = 2.0


class NoLossScale(Kit):
    """In fp16 the loss is not scaled."""

    def alternating_training(self, *arguments: Any) -> Program:
        precision, self.precision = self.precision, "bf16"
        program = super().alternating_training(*arguments)
        self.precision = precision
        return program


class NoCompiledUpdate(Kit):
    """A compiled step leaves weights as they are."""

    def optimizer(self, definition: Optimizer) -> optax.GradientTransformation:
        sound = super().optimizer(definition)

        def update(gradients: Any, state: Any, weights: Any = None) -> Any:
            updates, state = sound.update(gradients, state, weights)
            traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(updates))
            return jax.tree.map(lambda leaf: 0 * leaf, updates) if traced else updates, state

        return optax.GradientTransformation(sound.init, update)
