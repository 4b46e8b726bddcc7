"""Flax NNX layers with the same definitions as the other kits'.

Every argument whose default differs between the frameworks is given here. Layers compute in the case's precision, and
keep their weights in the type of weights.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from joulemark.workloads.kits.jax.modules import BatchNorm, Depthwise, Experts, Lstm
from joulemark.workloads.kits.jax.weights import Frozen, slots

_DISCARDED = nnx.initializers.zeros_init()
"""Flax's own initial values would be discarded: the kit sets all weights once the model exists."""


class Layers:
    """Layers, tensor functions and losses of the `Kit` protocol."""

    compute_dtype: Any
    dtype: Any
    wide: Any
    rngs: nnx.Rngs

    @property
    def _types(self) -> dict[str, Any]:
        return {"dtype": self.compute_dtype, "param_dtype": self.dtype}

    def conv(
        self, width_in: int, width: int, size: int, stride: int = 1, *, padding: int | None = None, bias: bool = True
    ) -> nnx.Module:
        """Return a 2-D convolution, padded equally on all four sides: by size // 2, or by `padding`."""
        margin = size // 2 if padding is None else padding
        return nnx.Conv(
            width_in,
            width,
            (size, size),
            strides=stride,
            padding=[(margin, margin)] * 2,
            use_bias=bias,
            kernel_init=_DISCARDED,
            rngs=self.rngs,
            **self._types,
        )

    def transposed_conv(self, width_in: int, width: int, size: int, stride: int, padding: int) -> nnx.Module:
        """Return a transposed 2-D convolution without bias: edge -> (edge - 1) stride + size - 2 padding.

        Flax counts the padding of the convolution that it computes, with zeros between the pixels, and holds the
        kernel as that of the convolution whose gradient it is.
        """
        margin = size - 1 - padding
        return nnx.ConvTranspose(
            width_in,
            width,
            (size, size),
            strides=(stride, stride),
            padding=[(margin, margin)] * 2,
            transpose_kernel=True,
            use_bias=False,
            kernel_init=_DISCARDED,
            rngs=self.rngs,
            **self._types,
        )

    def depthwise_conv(self, width: int, size: int, stride: int = 1) -> nnx.Module:
        """Return a depthwise convolution, padded by size // 2, without bias."""
        return Depthwise(width, size, stride, **self._types)

    def dense(self, width_in: int, width: int, *, bias: bool = True) -> nnx.Module:
        """Return a dense layer: x W + b over the last axis."""
        return nnx.Linear(width_in, width, use_bias=bias, kernel_init=_DISCARDED, rngs=self.rngs, **self._types)

    def batch_norm(self, width: int, *, epsilon: float = 1e-5, momentum: float = 0.9) -> nnx.Module:
        """Return batch normalisation over all but the channels.

        running <- momentum running + (1 - momentum) batch, with the unbiased variance of the batch.
        """
        return BatchNorm(width, epsilon, momentum, self.wide, self.compute_dtype)

    def layer_norm(self, width: int, *, epsilon: float = 1e-5) -> nnx.Module:
        """Return layer normalisation over the last axis."""
        return nnx.LayerNorm(width, epsilon=epsilon, rngs=self.rngs, **self._types)

    def rms_norm(self, width: int, *, epsilon: float = 1e-5) -> nnx.Module:
        """Return division by the root mean square over the last axis, and a scale."""
        return nnx.RMSNorm(width, epsilon=epsilon, rngs=self.rngs, **self._types)

    def group_norm(self, width: int, groups: int, *, epsilon: float = 1e-6) -> nnx.Module:
        """Return normalisation over the image and the channels of each group."""
        return nnx.GroupNorm(width, num_groups=groups, epsilon=epsilon, rngs=self.rngs, **self._types)

    def embedding(self, count: int, width: int, *, sparse: bool = False) -> nnx.Module:
        """Return an embedding table of `count` vectors. Raises NotImplementedError if `sparse`."""
        if sparse:
            raise NotImplementedError("JAX has no sparse gradients: that of a table has all of its rows")
        return nnx.Embed(count, width, embedding_init=_DISCARDED, rngs=self.rngs, **self._types)

    def experts(self, count: int, width_in: int, width: int) -> nnx.Module:
        """Return `count` dense layers without bias, each for rows of its own."""
        return Experts(count, width_in, width, **self._types)

    def lstm(self, width_in: int, width: int) -> nnx.Module:
        """Return an LSTM: x (B, T, width_in) -> (states (B, T, width), (last state, last cell))."""
        return Lstm(width_in, width, **self._types)

    def freeze(self, layer: nnx.Module) -> None:
        """Exclude the layer from training; its batch norms then use their running statistics."""
        for slot in slots(layer):
            if isinstance(slot.variable, (nnx.Param, nnx.BatchStat)):
                slot.put(Frozen(slot.variable[...]))

    def to_image_layout(self, x: jax.Array) -> jax.Array:
        """Return (B, H, W, C) unchanged: XLA chooses its layouts itself."""
        return x

    def from_image_layout(self, x: jax.Array) -> jax.Array:
        """Return (B, H, W, C) unchanged."""
        return x

    def constant(self, array: np.ndarray) -> jax.Array:
        """Return constants that a layer adds or multiplies by."""
        return jnp.array(array, self.compute_dtype)

    def lookup_table(self, array: np.ndarray) -> jax.Array:
        """Return a lookup table in float32 at least."""
        return jnp.array(array, self.wide)

    def widen(self, x: jax.Array) -> jax.Array:
        """Return x in float32 at least."""
        return x.astype(self.wide)

    def tied_logits(self, x: jax.Array, embedding: nnx.Embed) -> jax.Array:
        """Return the products of x (B, T, C) with all vectors of the embedding, (B, T, count)."""
        return embedding.attend(x)

    def upsample(self, x: jax.Array) -> jax.Array:
        """Return (B, H, W, C) as (B, 2 H, 2 W, C), by the nearest pixel."""
        return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)

    def mean_pool(self, x: jax.Array) -> jax.Array:
        """Return the mean over each image: (B, H, W, C) -> (B, C)."""
        return x.mean((1, 2))

    def max_pool(self, x: jax.Array, size: int, stride: int, padding: int = 0) -> jax.Array:
        """Return the maximum over windows; the border is padded with minus infinity."""
        return nnx.max_pool(x, (size, size), (stride, stride), [(padding, padding)] * 2)

    def split_heads(self, x: jax.Array, count: int) -> jax.Array:
        """Split attention heads: (B, T, C) -> (B, heads, T, C / heads)."""
        return x.reshape(*x.shape[:-1], count, -1).swapaxes(1, 2)

    def merge_heads(self, x: jax.Array) -> jax.Array:
        """Merge attention heads: (B, heads, T, D) -> (B, T, heads D)."""
        x = x.swapaxes(1, 2)
        return x.reshape(*x.shape[:-2], -1)

    def attention(
        self, q: jax.Array, k: jax.Array, v: jax.Array, *, causal: bool = False, visible: jax.Array | None = None
    ) -> jax.Array:
        """Return softmax(q k^T / sqrt(D)) v, (B, heads, T, D), for q (B, heads, T, D) and k, v (B, heads, S, D).

        k and v may have fewer heads: each then serves as many heads of q in a row as there are to one. `visible`
        (T, S), boolean: which keys a query sees; with `causal`, those up to its own place; otherwise all.

        It is what `jax.nn.dot_product_attention` computes by default, but for a softmax in float64 where q is.
        """
        together = (*k.shape[:2], -1)  # heads with the same keys
        rows = q.reshape(*together, q.shape[3])
        scores = jnp.einsum("bhtd,bhsd->bhts", rows, k, preferred_element_type=self.wide)
        scores = scores.reshape(*q.shape[:3], -1) * q.shape[-1] ** -0.5
        if causal:
            visible = jnp.tri(*scores.shape[-2:], dtype=bool)
        if visible is not None:
            scores = jnp.where(visible, scores, jnp.finfo(scores.dtype).min / 2)
        odds = jax.nn.softmax(scores).astype(v.dtype).reshape(*together, v.shape[2])
        return jnp.einsum("bhts,bhsd->bhtd", odds, v).reshape(q.shape)

    def cross_entropy(self, logits: jax.Array, labels: jax.Array, *, smoothing: float = 0.0) -> jax.Array:
        """Return the mean of -log softmax(logits)[label], in float32 at least.

        With `smoothing`, the label has 1 - smoothing of the weight and all classes share the rest.
        """
        logits = self.widen(logits)
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        if not smoothing:
            return loss
        shared = (jax.nn.logsumexp(logits, -1) - logits.mean(-1)).mean()
        return (1 - smoothing) * loss + smoothing * shared

    def bernoulli_loss(self, logits: jax.Array, pixels: jax.Array) -> jax.Array:
        """Return the cross-entropy of pixels in [0, 1]: sum over a sample, mean over the batch, in float32 at least."""
        each = optax.sigmoid_binary_cross_entropy(self.widen(logits), self.widen(pixels))
        return each.sum() / logits.shape[0]

    def real_fake_loss(self, logits: jax.Array, truth: float) -> jax.Array:
        """Return the mean cross-entropy of a discriminator's logits against `truth` (0 or 1), in float32 at least."""
        return jax.nn.softplus(self.widen(-logits if truth else logits)).mean()

    def squared_error(self, guesses: jax.Array, targets: jax.Array) -> jax.Array:
        """Return the mean of (guess - target)^2, in float32 at least."""
        return jnp.square(self.widen(guesses) - self.widen(targets)).mean()
