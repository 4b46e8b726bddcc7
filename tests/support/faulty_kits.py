"""TensorFlow kits with one mistake each, of the kinds that go unnoticed: the tests must detect them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from joulemark.workloads.kits.tensorflow import Kit
from joulemark.workloads.kits.tensorflow.optimizers import FusedSgd
from joulemark.workloads.kits.tensorflow.pytorch_equivalents import Convolution
from joulemark.workloads.spec import Optimizer, Program


class _ConstantKernel(Convolution):
    """A convolution whose kernel has a zero gradient."""

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        kernel = tf.convert_to_tensor(kernel)
        return super().convolution_op(inputs, tf.stop_gradient(kernel) + 0 * kernel)


class ZeroedGradient(Kit):
    """The gradient of the convolution that reads the images is lost."""

    def conv(self, width_in: int, width: int, size: int, stride: int = 1, **options: Any) -> keras.Layer:
        if width_in != 3:
            return super().conv(width_in, width, size, stride, **options)
        layer = _ConstantKernel(width, size, stride, margin=size // 2, use_bias=False)
        layer.build((None, None, None, width_in))
        return layer


class LearningRateOnePercentOff(Kit):
    """The learning rate is 1.01 times the spec's."""

    rate = 1.01

    def optimizer(self, definition: Optimizer) -> keras.optimizers.Optimizer:
        return super().optimizer(replace(definition, learning_rate=self.rate * definition.learning_rate))


class NeverUpdates(LearningRateOnePercentOff):
    """The optimizer changes nothing."""

    rate = 0.0


class DoubleUpdate(LearningRateOnePercentOff):
    """Updates are twice as large."""

    rate = 2.0


class NoLossScale(Kit):
    """In fp16 the loss is not scaled."""

    def alternating_training(self, *arguments: Any) -> Program:
        precision, self.precision = self.precision, "bf16"
        program = super().alternating_training(*arguments)
        self.precision = precision
        return program


class _EagerOnly(FusedSgd):
    """An optimizer that compiled code leaves out."""

    def apply(self, *arguments: Any) -> None:
        if not tf.inside_function():
            super().apply(*arguments)


class NoCompiledUpdate(Kit):
    """A compiled step calls no optimizer."""

    def optimizer(self, definition: Optimizer) -> keras.optimizers.Optimizer:
        return _EagerOnly(definition.learning_rate, definition.momentum, definition.weight_decay)


class NoMomentum(Kit):
    """The optimizer has Keras's default momentum, 0."""

    def optimizer(self, definition: Optimizer) -> keras.optimizers.Optimizer:
        return keras.optimizers.SGD(definition.learning_rate)


class KerasEpsilon(Kit):
    """Batch norm with Keras's default epsilon."""

    def batch_norm(self, width: int, **options: Any) -> keras.Layer:
        return super().batch_norm(width, **{**options, "epsilon": 1e-3})


class KerasNormMomentum(Kit):
    """Batch norm with Keras's default momentum."""

    def batch_norm(self, width: int, **options: Any) -> keras.Layer:
        return super().batch_norm(width, **{**options, "momentum": 0.99})


class BiasedVariance(Kit):
    """Keras 3's own batch norm, which keeps the biased variance."""

    def batch_norm(self, width: int, *, epsilon: float = 1e-5, momentum: float = 0.9) -> keras.Layer:
        layer = keras.layers.BatchNormalization(momentum=momentum, epsilon=epsilon)
        layer.build((None, None, None, width))
        return layer


class KerasPadding(Kit):
    """Keras's "same", which pads a strided window below and right only."""

    def conv(self, width_in: int, width: int, size: int, stride: int = 1, *, bias: bool = True) -> keras.Layer:
        layer = keras.layers.Conv2D(width, size, stride, padding="same", use_bias=bias)
        layer.build((None, None, None, width_in))
        return layer
