"""The JAX kit, on Flax NNX and Optax: precision, tensors, layers, and the steps made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from joulemark.workloads.initial import Spread, draw
from joulemark.workloads.kits.jax.generation import Cache, Generation, lent
from joulemark.workloads.kits.jax.layers import Layers
from joulemark.workloads.kits.jax.step import Outputs, State, Step
from joulemark.workloads.kits.jax.training import Training
from joulemark.workloads.kits.jax.weights import Values, Variables, fitted, neutral, part
from joulemark.workloads.spec import Program

_COMPUTE = {
    "fp64": jnp.float64,
    "fp32": jnp.float32,
    "tf32": jnp.float32,
    "bf16": jnp.bfloat16,
    "fp16": jnp.float16,
}
_PRECISION = {"fp32": "highest", "tf32": "tensorfloat32"}
"""Precision of products and convolutions of float32; by default JAX takes TF32 on a GPU that has it."""
Inputs = Mapping[str, jax.Array]


class Kit(Layers, Training, Generation):
    """One device, precision and seed, for programs that train or for those that do not.

    In `bf16` and `fp16`, training is mixed precision as in Flax's layers: they compute in that type and keep float32
    weights; a dynamic loss scale for fp16. Without training, the weights are in that precision once and for all, except
    batch norms': float32. `fp64` is for parity tests only. Integers are 32 bits wide, except with fp64.

    JAX's settings are global: build all programs of one kit, and trace their steps, before making the next kit.
    """

    def __init__(
        self,
        device: str = "cpu",
        precision: str = "fp32",
        seed: int = 0,
        training: bool = True,
        learning_rate_factor: float = 1.0,
    ) -> None:
        jax.config.update("jax_enable_x64", precision == "fp64")
        jax.config.update("jax_default_matmul_precision", _PRECISION.get(precision))
        self.device = jax.devices(device)[0]
        jax.config.update("jax_default_device", self.device)
        self.precision = precision
        self.seed = seed
        self.learning_rate_factor = learning_rate_factor
        self.spread: Spread | None = None
        self.compute_dtype = jnp.dtype(_COMPUTE[precision])
        self.wide = jnp.dtype(jnp.float64 if precision == "fp64" else jnp.float32)
        self.dtype = self.wide if training else self.compute_dtype
        self.rngs = nnx.Rngs(0)
        self.caches: list[Cache] = []

    def tensor(self, array: np.ndarray) -> jax.Array:
        """Return the array on the device: floating point in the case's precision, integers in JAX's own width."""
        if array.dtype.kind == "f":
            return jnp.array(array, self.compute_dtype)
        return jnp.array(array)

    def array(self, tensor: jax.Array) -> np.ndarray:
        """Return the tensor as a numpy array, floating point as float64."""
        floating = jnp.issubdtype(tensor.dtype, jnp.floating)
        return np.asarray(tensor).astype(np.float64) if floating else np.asarray(tensor)

    def prepare(self, model: nnx.Module, spread: Spread) -> nnx.Module:
        """Return the model with weights drawn by `workloads.initial`."""
        self.spread = spread
        variables = Variables(model)
        drawn = self._drawn(variables.values())
        for slot in variables.slots:
            slot.put(type(slot.variable)(drawn[slot.name]))
        return model

    def _drawn(self, values: Values) -> Values:
        if self.spread is None:
            return values
        return fitted({n: draw(n, v.shape, self.spread, self.seed) for n, v in values.items()}, values)

    def kernel(self, compute: Callable[..., Outputs]) -> Program:
        """Return a step without weights or gradients."""
        return Program(step=Step(lambda _state, _fixed, inputs: (compute(**inputs), {}), {}, {}))

    def inference(self, model: nnx.Module, forward: Callable[..., Outputs]) -> Program:
        """Return forward passes in evaluation mode, which may write to caches."""
        variables = Variables(model)

        def compute(state: State, fixed: State, inputs: Inputs) -> tuple[Outputs, State]:
            with variables.lent(fixed["variables"]), lent(self.caches, state["caches"]):
                return forward(**inputs), {"caches": self.kept()}

        step = Step(compute, {"caches": self.kept()}, {"variables": variables.values()})
        return self.program(step, variables)

    def program(
        self, step: Step, variables: Variables, changed: Callable[[], None] | None = None, **measures: Any
    ) -> Program:
        """Return the program of a step; `changed` is called when its weights have been set."""

        def load(values: Values) -> None:
            for place in (step.state, step.fixed):
                if "variables" in place:
                    place["variables"] = part(values, place["variables"])
            if changed is not None:
                changed()

        trainable = variables.names(nnx.Param)
        return Program(
            step=step,
            weights=lambda: {name: neutral(value) for name, value in step.values().items()},
            load_weights=lambda arrays: load(fitted(arrays, step.values())),
            initialise=lambda: load(self._drawn(step.values())),
            trainable=lambda: trainable,
            **measures,
        )
