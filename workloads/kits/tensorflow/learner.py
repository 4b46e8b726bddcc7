"""One training: a part of a model, its forward function, its optimizer and its loss scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from joulemark.workloads.kits.tensorflow.layers import SparseEmbedding
from joulemark.workloads.spec import Optimizer, refuse_state

if TYPE_CHECKING:
    from joulemark.workloads.kits.tensorflow import Kit

Outputs = Mapping[str, tf.Tensor]


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


def merge_outputs(outputs: Sequence[Outputs]) -> Outputs:
    """Return all outputs as one mapping; the losses are added up."""
    merged = {name: tensor for each in outputs for name, tensor in each.items()}
    return {**merged, "loss": sum(each["loss"] for each in outputs)}


def squared_norm(gradients: Sequence[tf.Tensor | None], scale: float = 1.0) -> float:
    """Return the sum of squares of all gradients, divided by a loss scale; it is added up on the device."""
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    return (float(tf.linalg.global_norm(dense)) / scale) ** 2
