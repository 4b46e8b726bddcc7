"""Keras layers with the same definitions as the PyTorch kit's.

Every argument whose default differs between the frameworks is given here. Layers are built at once: no variable is
created while a step is traced.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from joulemark.workloads.kits.tensorflow.pytorch_equivalents import (
    BatchNorm,
    Convolution,
    Depthwise,
    Transposed,
    symmetric_padding,
)

_DISCARDED = "zeros"
"""Keras's own initial values would be discarded: the kit sets all weights once the model exists."""


class SparseEmbedding(keras.layers.Embedding):
    """Embedding whose gradient stays sparse."""


class Experts(keras.Layer):
    """Dense layers without bias, each for rows of its own."""

    def __init__(self, count: int, width_in: int, width: int) -> None:
        super().__init__()
        self.kernel = self.add_weight((count, width_in, width), initializer=_DISCARDED, name="kernel")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(count, N, width_in) -> (count, N, width)."""
        return tf.matmul(x, self.kernel)


class Layers:
    """Layers, tensor functions and losses of the `Kit` protocol."""

    device: str
    cudnn: bool
    compute_dtype: tf.DType
    wide: tf.DType
    norm_policy: str

    def conv(
        self, width_in: int, width: int, size: int, stride: int = 1, *, padding: int | None = None, bias: bool = True
    ) -> keras.Layer:
        """Return a 2-D convolution, padded equally on all four sides: by size // 2, or by `padding`."""
        margin = size // 2 if padding is None else padding
        return _built(
            Convolution(width, size, stride, margin=margin, use_bias=bias, kernel_initializer=_DISCARDED),
            None,
            None,
            width_in,
        )

    def transposed_conv(self, width_in: int, width: int, size: int, stride: int, padding: int) -> keras.Layer:
        """Return a transposed 2-D convolution without bias: edge -> (edge - 1) stride + size - 2 padding."""
        return _built(
            Transposed(width, size, stride, margin=padding, kernel_initializer=_DISCARDED),
            None,
            None,
            width_in,
        )

    def depthwise_conv(self, width: int, size: int, stride: int = 1) -> keras.Layer:
        """Return a depthwise convolution, padded by size // 2, without bias."""
        return _built(Depthwise(size, stride, use_bias=False, depthwise_initializer=_DISCARDED), None, None, width)

    def dense(self, width_in: int, width: int, *, bias: bool = True) -> keras.Layer:
        """Return a dense layer: x W + b over the last axis."""
        return _built(keras.layers.Dense(width, use_bias=bias, kernel_initializer=_DISCARDED), width_in)

    def batch_norm(self, width: int, *, epsilon: float = 1e-5, momentum: float = 0.9) -> keras.Layer:
        """Return batch normalisation over all but the channels.

        running <- momentum running + (1 - momentum) batch, with the unbiased variance of the batch.
        """
        return _built(BatchNorm(momentum=momentum, epsilon=epsilon, dtype=self.norm_policy), None, None, width)

    def layer_norm(self, width: int, *, epsilon: float = 1e-5) -> keras.Layer:
        """Return layer normalisation over the last axis."""
        return _built(keras.layers.LayerNormalization(epsilon=epsilon), width)

    def rms_norm(self, width: int, *, epsilon: float = 1e-5) -> keras.Layer:
        """Return division by the root mean square over the last axis, and a scale."""
        return _built(keras.layers.RMSNormalization(epsilon=epsilon), width)

    def group_norm(self, width: int, groups: int, *, epsilon: float = 1e-6) -> keras.Layer:
        """Return normalisation over the image and the channels of each group."""
        return _built(keras.layers.GroupNormalization(groups, epsilon=epsilon), None, None, width)

    def embedding(self, count: int, width: int, *, sparse: bool = False) -> keras.Layer:
        """Return an embedding table of `count` vectors; the gradient of a `sparse` one has only the rows looked up."""
        kind = SparseEmbedding if sparse else keras.layers.Embedding
        return _built(kind(count, width, embeddings_initializer=_DISCARDED))

    def experts(self, count: int, width_in: int, width: int) -> keras.Layer:
        """Return `count` dense layers without bias, each for rows of its own."""
        return Experts(count, width_in, width)

    def lstm(self, width_in: int, width: int) -> keras.Layer:
        """Return an LSTM: x (B, T, width_in) -> [states (B, T, width), last state, last cell]."""
        layer = keras.layers.LSTM(
            width,
            return_sequences=True,
            return_state=True,
            kernel_initializer=_DISCARDED,
            recurrent_initializer=_DISCARDED,
            use_cudnn="auto" if self.cudnn else False,
        )
        return _built(layer, None, width_in)

    def freeze(self, layer: keras.Layer) -> None:
        """Exclude the layer from training; its batch norms then use their running statistics."""
        layer.trainable = False

    def to_image_layout(self, x: tf.Tensor) -> tf.Tensor:
        """Return (B, H, W, C) unchanged: it is TensorFlow's own layout."""
        return x

    def from_image_layout(self, x: tf.Tensor) -> tf.Tensor:
        """Return (B, H, W, C) unchanged."""
        return x

    def constant(self, array: np.ndarray) -> tf.Tensor:
        """Return constants that a layer adds or multiplies by, on the device."""
        with tf.device(self.device):
            return tf.cast(tf.constant(array), self.compute_dtype)

    def lookup_table(self, array: np.ndarray) -> tf.Tensor:
        """Return a lookup table on the device, in float32 at least."""
        with tf.device(self.device):
            return tf.cast(tf.constant(array), self.wide)

    def widen(self, x: tf.Tensor) -> tf.Tensor:
        """Return x in float32 at least."""
        return tf.cast(x, self.wide)

    def tied_logits(self, x: tf.Tensor, embedding: keras.Layer) -> tf.Tensor:
        """Return the products of x (B, T, C) with all vectors of the embedding, (B, T, count)."""
        batch, length, width = x.shape
        products = tf.matmul(tf.reshape(x, (-1, width)), embedding.embeddings, transpose_b=True)
        return tf.reshape(products, (batch, length, products.shape[-1]))

    def upsample(self, x: tf.Tensor) -> tf.Tensor:
        """Return (B, H, W, C) as (B, 2 H, 2 W, C), by the nearest pixel."""
        return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)

    def mean_pool(self, x: tf.Tensor) -> tf.Tensor:
        """Return the mean over each image: (B, H, W, C) -> (B, C)."""
        return tf.reduce_mean(x, [1, 2])

    def max_pool(self, x: tf.Tensor, size: int, stride: int, padding: int = 0) -> tf.Tensor:
        """Return the maximum over windows; the border is padded with minus infinity."""
        # XLA does not support explicit padding in the kernel.
        padded = tf.pad(x, symmetric_padding(padding), constant_values=x.dtype.min) if padding else x
        return tf.nn.max_pool2d(padded, size, stride, "VALID")

    def split_heads(self, x: tf.Tensor, count: int) -> tf.Tensor:
        """Split attention heads: (B, T, C) -> (B, heads, T, C / heads)."""
        batch, length, width = x.shape
        return tf.transpose(tf.reshape(x, (batch, length, count, width // count)), (0, 2, 1, 3))

    def merge_heads(self, x: tf.Tensor) -> tf.Tensor:
        """Merge attention heads: (B, heads, T, D) -> (B, T, heads D)."""
        batch, count, length, width = x.shape
        return tf.reshape(tf.transpose(x, (0, 2, 1, 3)), (batch, length, count * width))

    def attention(
        self, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, *, causal: bool = False, visible: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return softmax(q k^T / sqrt(D)) v, (B, heads, T, D), for q (B, heads, T, D) and k, v (B, heads, S, D).

        k and v may have fewer heads: each then serves as many heads of q in a row as there are to one. `visible`
        (T, S), boolean: which keys a query sees; with `causal`, those up to its own place; otherwise all.
        """
        heads, groups = q.shape[1], k.shape[1]
        scores = tf.matmul(_regrouped(q * q.shape[-1] ** -0.5, groups), k, transpose_b=True)
        scores = _regrouped(scores, heads)  # (B, heads, T, S)
        if causal:
            later = 1 - tf.linalg.band_part(tf.ones(scores.shape[-2:], scores.dtype), -1, 0)
            scores += later * scores.dtype.min / 2
        if visible is not None:
            scores = tf.where(visible, scores, scores.dtype.min / 2)
        return _regrouped(tf.matmul(_regrouped(tf.nn.softmax(scores), groups), v), heads)

    def cross_entropy(self, logits: tf.Tensor, labels: tf.Tensor, *, smoothing: float = 0.0) -> tf.Tensor:
        """Return the mean of -log softmax(logits)[label], in float32 at least.

        With `smoothing`, the label has 1 - smoothing of the weight and all classes share the rest.
        """
        logits = self.widen(logits)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        if not smoothing:
            return loss
        shared = tf.reduce_mean(tf.reduce_logsumexp(logits, -1) - tf.reduce_mean(logits, -1))
        return (1 - smoothing) * loss + smoothing * shared

    def bernoulli_loss(self, logits: tf.Tensor, pixels: tf.Tensor) -> tf.Tensor:
        """Return the cross-entropy of pixels in [0, 1]: sum over a sample, mean over the batch, in float32 at least."""
        each = tf.nn.sigmoid_cross_entropy_with_logits(self.widen(pixels), self.widen(logits))
        return tf.reduce_sum(each) / logits.shape[0]

    def real_fake_loss(self, logits: tf.Tensor, truth: float) -> tf.Tensor:
        """Return the mean cross-entropy of a discriminator's logits against `truth` (0 or 1), in float32 at least."""
        return tf.reduce_mean(tf.nn.softplus(self.widen(-logits if truth else logits)))

    def squared_error(self, guesses: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Return the mean of (guess - target)^2, in float32 at least."""
        return tf.reduce_mean(tf.math.squared_difference(self.widen(guesses), self.widen(targets)))


def _built(layer: keras.Layer, *shape: int | None) -> keras.Layer:
    layer.build((None, *shape))
    return layer


def _regrouped(x: tf.Tensor, count: int) -> tf.Tensor:
    """Return x (B, heads, rows, N) as `count` heads: several have their rows after one another, or part with them."""
    return x if x.shape[1] == count else tf.reshape(x, (x.shape[0], count, -1, x.shape[3]))
