"""Trainings in JAX: of models, of adversaries, of one layer from a given gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import optax
from flax import nnx

from joulemark.workloads.kits.jax.learner import Inputs, Learner, merge_outputs
from joulemark.workloads.kits.jax.modules import BatchNorm
from joulemark.workloads.kits.jax.optimizers import make_optimizer, squared_norm
from joulemark.workloads.kits.jax.step import Outputs, State, Step
from joulemark.workloads.kits.jax.weights import Frozen, Values, Variables, modules, neutral, part
from joulemark.workloads.spec import Optimizer, Program


class Training:
    """What the kit gives to training."""

    precision: str
    learning_rate_factor: float
    program: Callable[..., Program]

    def training(self, model: nnx.Module, forward: Callable[..., Outputs], optimizer: Optimizer) -> Program:
        """Return a training step: forward, backward from the output `loss`, and the optimizer's update."""
        return self.alternating_training(model, [(model, forward)], optimizer)

    def alternating_training(
        self, model: nnx.Module, players: Sequence[tuple[nnx.Module, Callable[..., Outputs]]], optimizer: Optimizer
    ) -> Program:
        """Return one step of several trainings, one after another.

        Each player is a part of the model and its forward function, with an optimizer of its own. Outputs named `loss`
        are added up.
        """
        learn(model)
        learners = [Learner(self, model, own, forward, optimizer) for own, forward in players]

        def compute(state: State, fixed: State, inputs: Inputs) -> tuple[Outputs, State]:
            values, outputs, after = {**fixed["variables"], **state["variables"]}, [], []
            for learner, before in zip(learners, state["learners"], strict=True):
                each, values, own = learner.learn(values, before, inputs)
                outputs.append(each)
                after.append(own)
            return merge_outputs(outputs), {"variables": part(values, state["variables"]), "learners": after}

        def differentiate(values: Values, states: list[State], inputs: Inputs) -> tuple[Outputs, Values]:
            outputs, gradients = [], {}
            for learner, own in zip(learners, states, strict=True):
                each, _, some = learner.differentiate(values, own, inputs)
                outputs.append(each)
                gradients |= some
            return merge_outputs(outputs), gradients

        variables = Variables(model)
        step = self._training_step(compute, variables, {"learners": [learner.begin() for learner in learners]})
        return self._trained(step, variables, differentiate, lambda: step.state["learners"])

    def layer(
        self, forward: Callable[..., jax.Array], model: nnx.Module | None = None, optimizer: Optimizer | None = None
    ) -> Program:
        """Return forward and backward of one layer, from a given gradient `upstream` of its output.

        It ends at the gradients of the input `x` and of the weights, which the optimizer then updates. There is no
        loss, so fp16 needs no loss scaling.
        """
        if model is not None:
            learn(model)
        variables = Variables(nnx.Module() if model is None else model)
        names = variables.names(nnx.Param)
        statistics = variables.names(nnx.BatchStat)
        update = self.optimizer(optimizer) if optimizer else optax.set_to_zero()

        def differentiate(values: Values, inputs: Inputs) -> tuple[Outputs, Values, Values]:
            def run(own: Values, x: jax.Array) -> tuple[jax.Array, Values]:
                with variables.lent({**values, **own}):
                    output = forward(x)
                    return output, part(variables.values(), statistics)

            output, backward, after = jax.vjp(run, part(values, names), inputs["x"], has_aux=True)
            gradients, gradient = backward(inputs["upstream"].astype(output.dtype))
            return {"output": output, "gradient": gradient}, after, gradients

        def compute(state: State, fixed: State, inputs: Inputs) -> tuple[Outputs, State]:
            values = {**fixed["variables"], **state["variables"]}
            outputs, after, gradients = differentiate(values, inputs)
            own = part(values, names)
            updates, optimizer = update.update(gradients, state["optimizer"], own)
            moved = optax.apply_updates(own, updates)
            return outputs, {"variables": {**state["variables"], **after, **moved}, "optimizer": optimizer}

        first = update.init(part(variables.values(), names))
        step = self._training_step(compute, variables, {"optimizer": first})
        if model is None:
            return Program(step=step)

        def seen(values: Values, _states: None, inputs: Inputs) -> tuple[Outputs, Values]:
            outputs, _, gradients = differentiate(values, inputs)
            return outputs, gradients

        return self._trained(step, variables, seen, lambda: None)

    def optimizer(self, definition: Optimizer) -> optax.GradientTransformation:
        """Return the optimizer that the spec defines."""
        scaled = replace(definition, learning_rate=self.learning_rate_factor * definition.learning_rate)
        return make_optimizer(scaled)

    def _training_step(self, compute: Any, variables: Variables, state: State) -> Step:
        """Return the step of a training: its state has the variables that it moves."""
        values = variables.values()
        frozen = variables.names(Frozen)
        moving = {name: value for name, value in values.items() if name not in frozen}
        return Step(compute, {"variables": moving, **state}, {"variables": part(values, frozen)})

    def _trained(
        self,
        step: Step,
        variables: Variables,
        differentiate: Callable[[Values, Any, Inputs], tuple[Outputs, Values]],
        states: Callable[[], Any],
    ) -> Program:
        """Return the program of a training, with gradients and norms by compiled functions of their own."""

        @jax.jit
        def measure(values: Values, states: Any, inputs: Inputs) -> tuple[Outputs, jax.Array]:
            outputs, gradients = differentiate(values, states, inputs)
            return outputs, squared_norm(gradients)

        compiled = jax.jit(differentiate)

        def gradients(**inputs: jax.Array) -> tuple[Outputs, dict[str, np.ndarray]]:
            outputs, named = compiled(step.values(), states(), inputs)
            return outputs, {name: neutral(gradient) for name, gradient in named.items()}

        def norms(**inputs: jax.Array) -> Mapping[str, float]:
            outputs, square = measure(step.values(), states(), inputs)
            loss = {"loss": float(outputs["loss"])} if "loss" in outputs else {}
            return {**loss, "gradient_norm": math.sqrt(square)}

        return self.program(step, variables, gradients=gradients, norms=norms)


def learn(model: nnx.Module) -> None:
    """Set training mode: batch norms use the batch's statistics, except frozen ones."""
    for module in modules(model):
        if isinstance(module, BatchNorm):
            module.learning = isinstance(vars(module)["gamma"], nnx.Param)
