"""The TensorFlow kit, on Keras 3: precision, tensors, layers, and the steps made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from joulemark.workloads.initial import Spread, draw
from joulemark.workloads.kits.tensorflow.generation import Generation
from joulemark.workloads.kits.tensorflow.layers import Layers
from joulemark.workloads.kits.tensorflow.learner import Learner, Outputs, merge_outputs, squared_norm
from joulemark.workloads.kits.tensorflow.optimizers import make_optimizer
from joulemark.workloads.kits.tensorflow.weights import entries, load, preserved, read, read_gradients
from joulemark.workloads.spec import Optimizer, Program

_DTYPES = {"fp64": "float64", "fp32": "float32", "tf32": "float32", "bf16": "bfloat16", "fp16": "float16"}


class Kit(Layers, Generation):
    """One device (by TensorFlow's name), precision and seed, for programs that train or for those that do not.

    In `bf16` and `fp16`, training is by Keras's mixed policies: float32 weights, and a LossScaleOptimizer for fp16.
    Without training, the weights are in that precision once and for all, except batch norms': float32, as the kernel
    needs them. `fp64` is for parity tests only. Without `cudnn`, recurrent layers on a GPU are loops of plain kernels.

    Keras's dtype policy is global: build all programs of one kit before making the next kit.
    """

    def __init__(
        self,
        device: str = "CPU:0",
        precision: str = "fp32",
        seed: int = 0,
        training: bool = True,
        cudnn: bool = True,
        learning_rate_factor: float = 1.0,
    ) -> None:
        self.device = f"/{device}"
        self.cudnn = cudnn
        self.precision = precision
        self.seed = seed
        self.learning_rate_factor = learning_rate_factor
        self.spread: Spread | None = None
        half = precision in ("bf16", "fp16")
        plain, mixed = _DTYPES[precision], f"mixed_{_DTYPES[precision]}"
        keras.config.set_dtype_policy(mixed if half and training else plain)
        self.norm_policy = mixed if half else plain
        # Keras casts the inputs of layers to floatx first; float32 would round those of float64 parity tests.
        keras.config.set_floatx("float64" if precision == "fp64" else "float32")
        self.compute_dtype = tf.as_dtype(plain)
        self.wide = tf.float64 if precision == "fp64" else tf.float32
        self.dtype = tf.as_dtype(keras.config.dtype_policy().variable_dtype)
        if precision in ("fp32", "tf32"):
            tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")

    def tensor(self, array: np.ndarray) -> tf.Tensor:
        """Return the array on the device: floating point in the case's precision, integers and booleans unchanged."""
        dtype = tf.as_dtype(array.dtype)
        if dtype.is_floating:
            dtype = self.compute_dtype
        elif dtype.is_complex:
            dtype = tf.complex128 if self.precision == "fp64" else tf.complex64
        with tf.device(self.device):
            return tf.identity(tf.cast(tf.constant(array), dtype))

    def array(self, tensor: tf.Tensor) -> np.ndarray:
        """Return the tensor as a numpy array, floating point as float64."""
        tensor = tf.convert_to_tensor(tensor)
        array = tensor.numpy()  # cast on the host: a copy on the device would count towards peak memory
        return array.astype(np.float64) if tensor.dtype.is_floating else array

    def prepare(self, model: keras.Layer, spread: Spread) -> keras.Layer:
        """Return the model with weights drawn by `workloads.initial`."""
        # All variables exist: without this, Keras would trace the whole model once more to find out.
        for layer in model._flatten_layers():
            layer.built = True
        self.spread = spread
        self._draw(model, spread)
        return model

    def _draw(self, model: keras.Layer, spread: Spread) -> None:
        load(model, {name: draw(name, tuple(v.shape), spread, self.seed) for name, v in entries(model)})

    def kernel(self, compute: Callable[..., Outputs]) -> Program:
        """Return a step without weights or gradients."""

        def step(**inputs: tf.Tensor) -> Outputs:
            with tf.device(self.device):
                return compute(**inputs)

        return Program(step=step)

    def inference(self, model: keras.Layer, forward: Callable[..., Outputs]) -> Program:
        """Return forward passes; `forward` calls its model with `training=False`."""

        def step(**inputs: tf.Tensor) -> Outputs:
            with tf.device(self.device):
                return forward(**inputs)

        return self._program(model, step)

    def training(self, model: keras.Layer, forward: Callable[..., Outputs], optimizer: Optimizer) -> Program:
        """Return a training step: forward, backward from the output `loss`, and the optimizer's update."""
        return self.alternating_training(model, [(model, forward)], optimizer)

    def alternating_training(
        self, model: keras.Layer, players: Sequence[tuple[keras.Layer, Callable[..., Outputs]]], optimizer: Optimizer
    ) -> Program:
        """Return one step of several trainings, one after another.

        Each player is a part of the model and its forward function, with an optimizer of its own. Outputs named `loss`
        are added up.
        """
        with tf.device(self.device):
            learners = [Learner(self, part, forward, optimizer) for part, forward in players]

        def step(**inputs: tf.Tensor) -> Outputs:
            with tf.device(self.device):
                return merge_outputs([learner.learn(inputs) for learner in learners])

        def gradients(**inputs: tf.Tensor) -> tuple[Outputs, dict[str, np.ndarray]]:
            named: dict[str, np.ndarray] = {}
            outputs = []
            for learner in learners:
                with preserved(model):
                    each, gradients = learner.differentiate(inputs)
                outputs.append(each)
                named |= read_gradients(model, learner.variables, gradients, learner.scale())
            return merge_outputs(outputs), named

        def norms(**inputs: tf.Tensor) -> Mapping[str, float]:
            outputs: list[Outputs] = []
            square = 0.0
            for learner in learners:
                with preserved(model), tf.device(self.device):
                    each, gradients = learner.differentiate(inputs)
                    square += squared_norm(gradients, learner.scale())
                outputs.append(each)
            return {"loss": float(merge_outputs(outputs)["loss"]), "gradient_norm": math.sqrt(square)}

        return self._program(model, step, gradients, norms)

    def layer(
        self, forward: Callable[..., tf.Tensor], model: keras.Layer | None = None, optimizer: Optimizer | None = None
    ) -> Program:
        """Return forward and backward of one layer, from a given gradient `upstream` of its output.

        It ends at the gradients of the input `x` and of the weights, which the optimizer then updates. There is no
        loss, so fp16 needs no loss scaling.
        """
        variables = model.trainable_variables if model else []
        update = self.optimizer(optimizer) if optimizer else None
        if update:
            with tf.device(self.device):
                update.build(variables)

        def differentiate(x: tf.Tensor, upstream: tf.Tensor) -> tuple[Outputs, list[tf.Tensor]]:
            with tf.GradientTape() as tape:
                tape.watch(x)
                output = forward(x)
            wanted = [x, *(v.value for v in variables)]
            gradient, *of_weights = tape.gradient(output, wanted, tf.cast(upstream, output.dtype))
            return {"output": output, "gradient": gradient}, of_weights

        def step(x: tf.Tensor, upstream: tf.Tensor) -> Outputs:
            with tf.device(self.device):
                outputs, of_weights = differentiate(x, upstream)
                if update:
                    update.apply(of_weights, variables)
                return outputs

        if model is None:
            return Program(step=step)

        def gradients(x: tf.Tensor, upstream: tf.Tensor) -> tuple[Outputs, dict[str, np.ndarray]]:
            with preserved(model):
                outputs, of_weights = differentiate(x, upstream)
            return outputs, read_gradients(model, variables, of_weights)

        def norms(x: tf.Tensor, upstream: tf.Tensor) -> Mapping[str, float]:
            with preserved(model), tf.device(self.device):
                _, of_weights = differentiate(x, upstream)
                return {"gradient_norm": math.sqrt(squared_norm(of_weights))}

        return self._program(model, step, gradients, norms)

    def optimizer(self, definition: Optimizer) -> keras.optimizers.Optimizer:
        """Return the optimizer that the spec defines."""
        scaled = replace(definition, learning_rate=self.learning_rate_factor * definition.learning_rate)
        return make_optimizer(scaled)

    def _program(
        self, model: keras.Layer, step: Callable[..., Outputs], gradients: Any = None, norms: Any = None
    ) -> Program:
        spread = self.spread
        return Program(
            step=step,
            weights=lambda: read(model),
            load_weights=lambda arrays: load(model, arrays),
            gradients=gradients,
            norms=norms,
            initialise=lambda: self._draw(model, spread) if spread else None,
            trainable=lambda: [name for name, variable in entries(model) if variable.trainable],
        )
