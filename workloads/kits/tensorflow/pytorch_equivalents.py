"""Keras layers whose own definition is not the common one, or whose kernel is not TensorFlow's best."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def symmetric_padding(margin: int) -> list[list[int]]:
    """`margin` on all sides of an image (B, H, W, C), as TensorFlow's kernels take it."""
    return [[0, 0], [margin, margin], [margin, margin], [0, 0]]


def padded(x: tf.Tensor, size: int, stride: int, margin: int) -> tuple[tf.Tensor, str]:
    """x and the name of the padding that the kernel adds to it, together `margin` on all sides.

    Where "SAME" is alike on all sides, the kernel pads; before a stride, tf.pad does. Not by the kernel's own explicit
    padding: on a CPU its gradient takes up to 3.6 times as long (TensorFlow 2.21, 3 x 3 on 2 x 2 images).
    """
    if not margin:
        return x, "VALID"
    if stride == 1 and 2 * margin == size - 1:
        return x, "SAME"
    return tf.pad(x, symmetric_padding(margin)), "VALID"


class Convolution(keras.layers.Conv2D):
    """Conv2D padded alike on all sides. Keras's "same" pads a strided window below and right only."""

    def __init__(self, *arguments: Any, margin: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.margin = margin

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C) -> (B, H / stride, W / stride, width)."""
        x, padding = padded(inputs, self.kernel_size[0], self.strides[0], self.margin)
        return tf.nn.conv2d(x, kernel, self.strides, padding)


class Depthwise(keras.layers.DepthwiseConv2D):
    """DepthwiseConv2D padded alike on all sides."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C) -> (B, H / stride, W / stride, C)."""
        size, stride = self.kernel_size[0], self.strides[0]
        x, padding = padded(inputs, size, stride, size // 2)
        return tf.nn.depthwise_conv2d(x, self.kernel, [1, stride, stride, 1], padding)


class Transposed(keras.layers.Conv2DTranspose):
    """Conv2DTranspose, without bias, that is the gradient of a convolution padded alike on all sides."""

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
    """BatchNormalization by TensorFlow's fused kernel, which Keras 3 does not use: less than half its time in graph
    mode, and like PyTorch's it keeps the unbiased variance (Keras 3 alone keeps the biased one)."""

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """(B, H, W, C) -> the same."""
        learning = bool(training) and self.trainable
        if inputs.dtype == tf.float64:  # the kernel has no float64: the proofs take the formula
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
            self._keep(mean, variance)
        return outputs

    def _by_formula(self, inputs: tf.Tensor, learning: bool) -> tf.Tensor:
        mean, variance = self.moving_mean.value, self.moving_variance.value
        if learning:
            mean, variance = tf.nn.moments(inputs, [0, 1, 2])
            count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], inputs.dtype)
            self._keep(mean, variance * count / (count - 1))
        return tf.nn.batch_normalization(inputs, mean, variance, self.beta.value, self.gamma.value, self.epsilon)

    def _keep(self, mean: tf.Tensor, variance: tf.Tensor) -> None:
        for kept, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            # On TensorFlow's own variable: Keras's operators trace a dozen operations where these are three.
            kept.value.assign_sub((kept.value - batch) * (1 - self.momentum))
