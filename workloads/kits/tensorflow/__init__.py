"""The TensorFlow kit, on Keras 3: precision, tensors, layers, and the steps made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from joulemark.workloads.initial import Spread, draw
from joulemark.workloads.kits.tensorflow.layers import Layers, SparseEmbedding
from joulemark.workloads.kits.tensorflow.optimizers import make_optimizer
from joulemark.workloads.kits.tensorflow.weights import entries, load, preserved, read, read_gradients
from joulemark.workloads.spec import Optimizer, Program, refuse_state

_POLICY = {
    "fp64": "float64",
    "fp32": "float32",
    "tf32": "float32",
    "bf16": "mixed_bfloat16",
    "fp16": "mixed_float16",
}

Outputs = Mapping[str, tf.Tensor]


def merge_outputs(outputs: Sequence[Outputs]) -> Outputs:
    """Return all outputs as one mapping; the losses are added up."""
    merged = {name: tensor for each in outputs for name, tensor in each.items()}
    return {**merged, "loss": sum(each["loss"] for each in outputs)}


class Learner:
    """One training: a part of a model, its forward function and its optimizer, built before anything is traced."""

    def __init__(self, kit: Kit, part: keras.Layer, forward: Callable[..., Outputs], definition: Optimizer) -> None:
        self.forward = forward
        self.variables = part.trainable_variables
        tables = [layer for layer in part._flatten_layers() if isinstance(layer, SparseEmbedding)]
        self.sparse = {id(variable) for layer in tables for variable in layer.variables}
        if self.sparse:
            refuse_state(definition)
        self.optimizer = kit.optimizer(definition)
        self.scaled = kit.precision == "fp16"
        if self.scaled:
            self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
        self.optimizer.build(self.variables)

    def scale(self) -> float:
        """Return the loss scale that gradients are multiplied by."""
        return float(self.optimizer.dynamic_scale) if self.scaled else 1.0

    def differentiate(self, inputs: Mapping[str, tf.Tensor]) -> tuple[Outputs, list[tf.Tensor | None]]:
        """Return the outputs and the gradient of each variable; an embedding's is dense unless it is made `sparse`."""
        with tf.GradientTape() as tape:
            outputs = self.forward(**inputs)
            loss = self.optimizer.scale_loss(outputs["loss"]) if self.scaled else outputs["loss"]
        gradients = tape.gradient(loss, [variable.value for variable in self.variables])
        return outputs, [
            gradient if gradient is None or id(variable) in self.sparse else tf.convert_to_tensor(gradient)
            for variable, gradient in zip(self.variables, gradients, strict=True)
        ]

    def learn(self, inputs: Mapping[str, tf.Tensor]) -> Outputs:
        """Return the outputs of one training step: gradients and the optimizer's update."""
        outputs, gradients = self.differentiate(inputs)
        self.optimizer.apply(gradients, self.variables)
        return outputs


class Kit(Layers):
    """One device (by TensorFlow's name), precision and seed.

    `bf16` and `fp16` are Keras's mixed policies: float32 weights, and a LossScaleOptimizer for fp16 training. `fp64` is
    for parity tests only. Without `cudnn`, recurrent layers on a GPU are loops of plain kernels.

    Keras's dtype policy is global: build all programs of one kit before making the next kit.
    """

    def __init__(self, device: str = "CPU:0", precision: str = "fp32", seed: int = 0, cudnn: bool = True) -> None:
        self.device = f"/{device}"
        self.cudnn = cudnn
        self.precision = precision
        self.seed = seed
        keras.config.set_dtype_policy(_POLICY[precision])
        # Keras casts the inputs of layers to floatx first; float32 would round those of float64 parity tests.
        keras.config.set_floatx("float64" if precision == "fp64" else "float32")
        self.compute_dtype = tf.as_dtype(keras.config.dtype_policy().compute_dtype)
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
        load(model, {name: draw(name, tuple(v.shape), spread, self.seed) for name, v in entries(model)})
        return model

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

        return self._program(model, step, gradients)

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

        return self._program(model, step, gradients)

    def optimizer(self, definition: Optimizer) -> keras.optimizers.Optimizer:
        """Return the optimizer that the spec defines."""
        return make_optimizer(definition)

    @staticmethod
    def _program(model: keras.Layer, step: Callable[..., Outputs], gradients: Any = None) -> Program:
        return Program(
            step=step,
            weights=lambda: read(model),
            load_weights=lambda arrays: load(model, arrays),
            gradients=gradients,
            trainable=lambda: [name for name, variable in entries(model) if variable.trainable],
        )
