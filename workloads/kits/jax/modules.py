"""Flax NNX modules with the definitions of the other kits, where Flax's own differ or have other names of weights."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

State = tuple[jax.Array, jax.Array]


class BatchNorm(nnx.Module):
    """Batch normalisation in float32 at least, which keeps the unbiased variance; Flax's keeps the biased one."""

    def __init__(self, width: int, epsilon: float, momentum: float, wide: Any, dtype: Any) -> None:
        self.epsilon, self.momentum, self.dtype = epsilon, momentum, dtype
        self.learning = False
        self.gamma, self.beta = nnx.Param(jnp.ones(width, wide)), nnx.Param(jnp.zeros(width, wide))
        self.moving_mean, self.moving_variance = (
            nnx.BatchStat(jnp.zeros(width, wide)),
            nnx.BatchStat(jnp.ones(width, wide)),
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, H, W, C) -> the same."""
        wide = x.astype(self.gamma.dtype)
        mean, variance = self.moving_mean[...], self.moving_variance[...]
        if self.learning:
            mean = wide.mean((0, 1, 2))
            # as Flax's: both sums in one pass over x
            variance = jnp.maximum(0.0, (wide * wide).mean((0, 1, 2)) - mean * mean)
            count = x.size // x.shape[-1]
            self._keep(self.moving_mean, mean)
            self._keep(self.moving_variance, variance * (count / (count - 1)))
        scale = self.gamma[...] * lax.rsqrt(variance + self.epsilon)
        return ((wide - mean) * scale + self.beta[...]).astype(self.dtype)

    def _keep(self, statistic: nnx.BatchStat, batch: jax.Array) -> None:
        statistic[...] = self.momentum * statistic[...] + (1 - self.momentum) * lax.stop_gradient(batch)


class Depthwise(nnx.Module):
    """Convolution of each channel by itself; its kernel is (height, width, C, 1), as Keras's."""

    def __init__(self, width: int, size: int, stride: int, dtype: Any, param_dtype: Any) -> None:
        self.stride, self.margin, self.dtype = stride, size // 2, dtype
        self.depthwise_kernel = nnx.Param(jnp.zeros((size, size, width, 1), param_dtype))

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, H, W, C) -> (B, H / stride, W / stride, C)."""
        kernel = self.depthwise_kernel[...].astype(self.dtype)
        return lax.conv_general_dilated(
            x.astype(self.dtype),
            kernel.swapaxes(2, 3),
            (self.stride, self.stride),
            [(self.margin, self.margin)] * 2,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=x.shape[-1],
        )


class Experts(nnx.Module):
    """Dense layers without bias, each for rows of its own."""

    def __init__(self, count: int, width_in: int, width: int, dtype: Any, param_dtype: Any) -> None:
        self.dtype = dtype
        self.kernel = nnx.Param(jnp.zeros((count, width_in, width), param_dtype))

    def __call__(self, x: jax.Array) -> jax.Array:
        """(count, N, width_in) -> (count, N, width)."""
        return x.astype(self.dtype) @ self.kernel[...].astype(self.dtype)


class Lstm(nnx.Module):
    """LSTM with one kernel for all gates (input, forget, cell, output), as Keras's; Flax's has one for each gate."""

    def __init__(self, width_in: int, width: int, dtype: Any, param_dtype: Any) -> None:
        self.dtype = dtype
        self.kernel = nnx.Param(jnp.zeros((width_in, 4 * width), param_dtype))
        self.recurrent_kernel = nnx.Param(jnp.zeros((width, 4 * width), param_dtype))
        self.bias = nnx.Param(jnp.zeros(4 * width, param_dtype))

    def __call__(self, x: jax.Array, initial_state: State | None = None) -> tuple[jax.Array, State]:
        """x (B, T, width_in) -> states (B, T, width), and the last state and cell."""
        projected = self._project(x)  # of all steps at once
        if initial_state is None:
            zeros = jnp.zeros((x.shape[0], self.recurrent_kernel.shape[0]), self.dtype)
            initial_state = (zeros, zeros)
        kernel = self.recurrent_kernel[...].astype(self.dtype)

        def follow(state: State, part: jax.Array) -> tuple[State, jax.Array]:
            state = _gated(part + state[0] @ kernel, state[1])
            return state, state[0]

        last, states = lax.scan(follow, initial_state, projected.swapaxes(0, 1))
        return states.swapaxes(0, 1), last

    def cell(self, x: jax.Array, state: State) -> State:
        """x (B, width_in), state and cell (B, width) -> the next ones."""
        return _gated(self._project(x) + state[0] @ self.recurrent_kernel[...].astype(self.dtype), state[1])

    def _project(self, x: jax.Array) -> jax.Array:
        return x.astype(self.dtype) @ self.kernel[...].astype(self.dtype) + self.bias[...].astype(self.dtype)


def _gated(gates: jax.Array, cell: jax.Array) -> State:
    """gates (B, 4 width), cell (B, width) -> state and cell."""
    let_in, forget, candidate, let_out = jnp.split(gates, 4, axis=-1)
    cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(let_in) * jnp.tanh(candidate)
    return jax.nn.sigmoid(let_out) * jnp.tanh(cell), cell
