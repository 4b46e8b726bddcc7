"""One training: a part of a model, its forward function, its optimizer and its loss scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from joulemark.workloads.kits.jax.step import Outputs, State
from joulemark.workloads.kits.jax.weights import Values, Variables, slots
from joulemark.workloads.spec import Optimizer

if TYPE_CHECKING:
    from joulemark.workloads.kits.jax import Kit

FIRST_SCALE = 2.0**16
GROWTH_INTERVAL = 2000
"""Steps without an overflow after which the scale doubles. Both are those of Flax's DynamicScale and PyTorch's
GradScaler."""
Inputs = Mapping[str, jax.Array]


class Learner:
    """One training: a part of a model, its forward function and its optimizer."""

    def __init__(
        self, kit: Kit, model: nnx.Module, part: nnx.Module, forward: Callable[..., Outputs], definition: Optimizer
    ) -> None:
        self.variables, self.forward = Variables(model), forward
        own = {(id(slot.module), slot.attribute) for slot in slots(part)}
        trainable = set(self.variables.names(nnx.Param))
        self.names = [
            slot.name
            for slot in self.variables.slots
            if slot.name in trainable and (id(slot.module), slot.attribute) in own
        ]
        self.statistics = self.variables.names(nnx.BatchStat)
        self.optimizer = kit.optimizer(definition)
        self.scaled = kit.precision == "fp16"

    def begin(self) -> State:
        """Return the first state: the optimizer's, and the loss scale's where there is one."""
        values = self.variables.values()
        state: State = {"optimizer": self.optimizer.init({name: values[name] for name in self.names})}
        if self.scaled:
            state |= {"scale": jnp.float32(FIRST_SCALE), "sound": jnp.int32(0)}
        return state

    def differentiate(self, values: Values, state: State, inputs: Inputs) -> tuple[Outputs, Values, Values]:
        """Return outputs, the running statistics after them, and the gradient of each of the part's weights."""
        scale = state.get("scale")

        def scaled_loss(own: Values) -> tuple[jax.Array, tuple[Outputs, Values]]:
            with self.variables.lent({**values, **own}):
                outputs = self.forward(**inputs)
                after = self.variables.values()
            loss = outputs["loss"] if scale is None else outputs["loss"] * scale
            return loss, (outputs, {name: after[name] for name in self.statistics})

        gradients, (outputs, statistics) = jax.grad(scaled_loss, has_aux=True)(
            {name: values[name] for name in self.names}
        )
        if scale is not None:
            gradients = {name: gradient / scale for name, gradient in gradients.items()}
        return outputs, statistics, gradients

    def learn(self, values: Values, state: State, inputs: Inputs) -> tuple[Outputs, Values, State]:
        """Return outputs, values and state after one training step: gradients and the optimizer's update."""
        outputs, statistics, gradients = self.differentiate(values, state, inputs)
        own = {name: values[name] for name in self.names}
        updates, optimizer = self.optimizer.update(gradients, state["optimizer"], own)
        moved, after = optax.apply_updates(own, updates), {**state, "optimizer": optimizer}
        if self.scaled:
            moved, after = skipped_unless_finite(gradients, (own, state), (moved, after))
        return outputs, {**values, **statistics, **moved}, after


def skipped_unless_finite(
    gradients: Values, before: tuple[Values, State], after: tuple[Values, State]
) -> tuple[Values, State]:
    """Return weights and state after a step, or before it where a gradient is not finite; the loss scale follows."""
    finite = jnp.all(jnp.stack([jnp.isfinite(gradient).all() for gradient in gradients.values()]))
    weights, state = jax.tree.map(lambda old, new: jnp.where(finite, new, old), before, after)
    sound = jnp.where(finite, state["sound"] + 1, 0)
    grows = sound == GROWTH_INTERVAL
    factor = jnp.where(finite, jnp.where(grows, 2.0, 1.0), 0.5).astype(jnp.float32)
    return weights, {**state, "scale": state["scale"] * factor, "sound": jnp.where(grows, 0, sound).astype(jnp.int32)}


def merge_outputs(outputs: Sequence[Outputs]) -> dict[str, Any]:
    """Return all outputs as one mapping; the losses are added up."""
    merged = {name: tensor for each in outputs for name, tensor in each.items()}
    return {**merged, "loss": sum(each["loss"] for each in outputs)}
