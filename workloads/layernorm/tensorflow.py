"""Layer normalisation in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.layernorm import spec
from joulemark.workloads.spec import Phase, Program, Size


class LayerNorm(keras.Layer):
    """One normalisation."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.norm = kit.layer_norm(size.shape[-1])

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, T, C) -> the same."""
        return self.norm(x)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x -> output; in training also upstream -> gradient; all (B, T, C)."""
    model = kit.prepare(LayerNorm(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda x: {"output": model(x, training=False)})
    return kit.layer(lambda x: model(x, training=True), model, spec.OPTIMIZER)
