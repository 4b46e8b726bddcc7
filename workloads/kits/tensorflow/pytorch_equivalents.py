"""Keras layers redefined to match PyTorch's, or to use TensorFlow's faster kernels."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def symmetric_padding(margin: int) -> list[list[int]]:
    """Return the paddings of (B, H, W, C) images with `margin` on each side."""
    return [[0, 0], [margin, margin], [margin, margin], [0, 0]]


def padded(x: tf.Tensor, size: int, stride: int, margin: int) -> tuple[tf.Tensor, str]:
    """Return x and the kernel's padding argument, which together pad `margin` on each side.

    The kernel pads where its "SAME" is symmetric; otherwise tf.pad does. The kernel's explicit padding is not used:
    on a CPU its gradient takes up to 3.6 times as long (TensorFlow 2.21, 3 x 3 on 2 x 2 images).
    """
    if not margin:
        return x, "VALID"
    if stride == 1 and 2 * margin == size - 1:
        return x, "SAME"
    return tf.pad(x, symmetric_padding(margin)), "VALID"


class Convolution(keras.layers.Conv2D):
    """Conv2D with symmetric padding. Keras's "same" pads a strided window at the bottom and right only."""

    def __init__(self, *arguments: Any, margin: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.margin = margin

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C) -> (B, H / stride, W / stride, width)."""
        x, padding = padded(inputs, self.kernel_size[0], self.strides[0], self.margin)
        return tf.nn.conv2d(x, kernel, self.strides, padding)


class Depthwise(keras.layers.DepthwiseConv2D):
    """DepthwiseConv2D with symmetric padding."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C) -> (B, H / stride, W / stride, C)."""
        size, stride = self.kernel_size[0], self.strides[0]
        x, padding = padded(inputs, size, stride, size // 2)
        return tf.nn.depthwise_conv2d(x, self.kernel, [1, stride, stride, 1], padding)


class Transposed(keras.layers.Conv2DTranspose):
    """Conv2DTranspose without bias: the gradient of a convolution with symmetric padding."""

    def __init__(self, *arguments: Any, margin: int, **options: Any) -> None:
        super().__init__(*arguments, use_bias=False, **options)
        self.margin = margin

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C) -> (B, (H - 1) stride + size - 2 margin, ..., width)."""
        batch, *edges, _ = inputs.shape
        grown = [
            (edge - 1) * stride + size - 2 * self.margin
            for edge, stride, size in zip(edges, self.strides, self.kernel_size, strict=True)
        ]
        shape = (batch, *grown, self.filters)
        return tf.nn.conv2d_transpose(inputs, self.kernel, shape, self.strides, symmetric_padding(self.margin))


class BatchNorm(keras.layers.BatchNormalization):
    """BatchNormalization by TensorFlow's fused kernel, which Keras 3 does not use.

    It takes less than half the time in graph mode, and keeps the unbiased variance as PyTorch does; Keras 3 keeps the
    biased one.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """(B, H, W, C) -> the same."""
        learning = bool(training) and self.trainable
        if inputs.dtype == tf.float64:  # the kernel does not support float64, which parity tests use
            return self._by_formula(inputs, learning)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            self.gamma.value,
            self.beta.value,
            mean=None if learning else self.moving_mean.value,
            variance=None if learning else self.moving_variance.value,
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            self._update_running(mean, variance)
        return outputs

    def _by_formula(self, inputs: tf.Tensor, learning: bool) -> tf.Tensor:
        mean, variance = self.moving_mean.value, self.moving_variance.value
        if learning:
            mean, variance = tf.nn.moments(inputs, [0, 1, 2])
            count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], inputs.dtype)
            self._update_running(mean, variance * count / (count - 1))
        return tf.nn.batch_normalization(inputs, mean, variance, self.beta.value, self.gamma.value, self.epsilon)

    def _update_running(self, mean: tf.Tensor, variance: tf.Tensor) -> None:
        for variable, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            # TensorFlow's own variable: three operations, where Keras's operators trace a dozen.
            variable.value.assign_sub((variable.value - batch) * (1 - self.momentum))
